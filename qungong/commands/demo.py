"""`qungong demo`: the county's story, played and printed."""

import json
import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from app.settings import settings
from qungong.commands import refusals
from qungong.commands.options import HttpPort, SmsPort
from qungong.dev import demo, serving
from qungong.dev.local import local_services

app = typer.Typer(add_completion=False)


@app.command()
@refusals.shown(demo.StepFailed)
def play_demo(
    port: HttpPort = 8000,
    sms_port: SmsPort = 8001,
    as_json: Annotated[
        bool, typer.Option("--json", help="只输出一个 JSON 对象 · print one JSON object")
    ] = False,
) -> None:
    """Play the county's story through the public APIs; starts what is not running. Exit 0 only if every step held."""
    with local_services(serving.ROOT):
        os.environ.update(serving.addresses(serving.Ports(port, sms_port)))
        settings.cache_clear()
        linger = not as_json and sys.stdin.isatty()
        story = demo.run(
            serving.Ports(port, sms_port), console=Console(stderr=as_json), linger=linger
        )
    if as_json:
        typer.echo(json.dumps(story.summary(), ensure_ascii=False))

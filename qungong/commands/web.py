"""`qungong web`: the HTTP server alone."""

import os
import sys
from typing import Annotated

import typer

from qungong.commands.options import HttpPort

HTTP_SERVER = "qungong.web"

app = typer.Typer(add_completion=False)


@app.command()
def web(
    port: HttpPort = 8000,
    host: Annotated[str, typer.Option(help="监听地址 · address to listen on")] = "127.0.0.1",
    processes: Annotated[int, typer.Option(min=1, max=256, help="进程数 · processes")] = 2,
) -> None:
    """Run the HTTP server alone, as in production: with time limits, behind a proxy that does TLS."""
    argv = [sys.executable, "-m", HTTP_SERVER]
    argv += ["--host", host, "--port", str(port), "--processes", str(processes)]
    os.execv(sys.executable, argv)  # noqa: S606 - our own; its processes would import this whole command

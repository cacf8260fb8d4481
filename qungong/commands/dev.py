"""`qungong dev`: as `serve`, for those who change the code."""

import typer

from qungong.commands import refusals
from qungong.commands.options import HttpHost, HttpPort, SmsPort
from qungong.commands.serve import run
from qungong.dev import serving
from qungong.dev.supervisor import PortInUse

app = typer.Typer(add_completion=False)


@app.command()
@refusals.shown(PortInUse, serving.AlreadyRunning, serving.CannotMigrate)
def dev(port: HttpPort = 8000, sms_port: SmsPort = 8001, host: HttpHost = serving.HOST) -> None:
    """Like `serve`, and restart the HTTP server and the workers when the code changes."""
    run(serving.Ports(port, sms_port, host), reload=True)

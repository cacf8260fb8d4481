"""`qungong serve`: everything that `make run` runs."""

import asyncio

import typer

from app.settings import settings
from qungong.commands import calendar, refusals
from qungong.commands.options import HttpPort, SmsPort
from qungong.dev import pages, sample, serving
from qungong.dev.supervisor import PortInUse

app = typer.Typer(add_completion=False)


@app.command()
@refusals.shown(PortInUse, serving.AlreadyRunning, serving.CannotMigrate)
def serve(port: HttpPort = 8000, sms_port: SmsPort = 8001) -> None:
    """Run everything: services, migrations, the sample county, HTTP, workers, the SMS simulator."""
    run(serving.Ports(port, sms_port), reload=False)


def run(ports: serving.Ports, *, reload: bool) -> None:
    _build_pages()
    with serving.serving(ports) as services:
        serving.migrate()
        if settings().environment == "local":  # its accounts have a published password
            with serving.step("载入样例县 · loading the sample county"):
                asyncio.run(sample.load())
        calendar.warn_of_missing()
        kept = serving.commands(ports, reload=reload)
        asyncio.run(serving.keep_running(services, kept, ports, _welcome(ports)))
    serving.console.print("已停止 · stopped")


def _build_pages() -> None:
    """Without them the interfaces work all the same, so a machine without a network runs too."""
    try:
        pages.build(serving.step)
    except pages.CannotBuild as failed:
        serving.console.print(
            f"[yellow]页面没有生成，只有接口可用 · the pages were not built[/]\n{failed}"
        )


def _welcome(ports: serving.Ports) -> str:
    accounts = "\n".join(f"  {account}" for account in sample.accounts())
    return (
        f"\n[bold]群工系统[/]   http://{serving.HOST}:{ports.http}\n"
        f"短信模拟器 http://{serving.HOST}:{ports.sms}\n\n"
        f"样例账号 · sample accounts\n{accounts}\n\nCtrl-C 停止 · stops everything\n"
    )

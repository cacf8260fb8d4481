"""`qungong serve`: everything that `make run` runs."""

import asyncio

import segno
import typer

from app.settings import settings
from mobile_api import landing
from qungong.commands import calendar, refusals
from qungong.commands.options import HttpHost, HttpPort, SmsPort
from qungong.dev import pages, sample, serving
from qungong.dev.supervisor import PortInUse

app = typer.Typer(add_completion=False)


@app.command()
@refusals.shown(PortInUse, serving.AlreadyRunning, serving.CannotMigrate)
def serve(port: HttpPort = 8000, sms_port: SmsPort = 8001, host: HttpHost = serving.HOST) -> None:
    """Run everything: services, migrations, the sample county, HTTP, workers, the SMS simulator."""
    run(serving.Ports(port, sms_port, host), reload=False)


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
    poster = landing.poster_address(sample.VILLAGE)
    return (
        f"\n[bold]群工系统[/]   {ports.site}\n"
        f"群众的页面 {poster}\n"
        f"短信模拟器 http://{serving.HOST}:{ports.sms}\n\n"
        f"样例账号 · sample accounts\n{accounts}\n\n"
        f"{_for_a_phone(ports, poster)}Ctrl-C 停止 · stops everything\n"
    )


def _for_a_phone(ports: serving.Ports, poster: str) -> str:
    """The village's QR code, where a phone in the same network can open what it says."""
    if ports.host == serving.HOST:
        return "用手机试：QUNGONG_HOST=本机的局域网地址 make run · to try it on a phone: QUNGONG_HOST=<LAN address> make run\n"
    return f"手机扫一扫。同一网络里的人都打得开，样例账号的密码是公开的 · everybody in this network can open it\n{_qr_code(poster)}\n"


def _qr_code(address: str) -> str:
    """Two rows of modules in each line; light modules are drawn, since most terminals are dark."""
    rows = [list(row) for row in segno.make(address, micro=False).matrix_iter(border=2)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join(
        "".join(blocks[bool(upper), bool(lower)] for upper, lower in zip(above, below, strict=True))
        for above, below in pairs
    )

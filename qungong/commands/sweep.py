"""`qungong sweep`: whether cards are issued, and a person's word that the database's clock is right. Issues none."""

import asyncio

import typer
from rich.console import Console

from app import heartbeats
from app.clock import SHANGHAI
from app.db import Database, reading, transaction
from app.heartbeats import Jump, Pulse
from app.settings import settings
from qungong.dev import serving
from qungong.dev.local import local_services

app = typer.Typer(help="发牌 · the sweep that issues cards", no_args_is_help=True)
_SAID = {
    Jump.AHEAD: "数据库时钟突然向前跳 · the database's clock jumped ahead",
    Jump.BEHIND: "数据库时钟早于上次巡查 · the database's clock is behind the last sweep",
}


@app.command()
def status() -> None:
    """Whether cards are issued; exit 1 while they are held."""
    with local_services(serving.ROOT):
        pulse = asyncio.run(_pulse())
    console = Console(stderr=True, highlight=False)
    if pulse.held_why is None:
        swept = "从未 · never" if pulse.swept_at is None else f"{pulse.swept_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"  # fmt: skip
        console.print(f"正常，上次巡查 · fine, last sweep: {swept}")
        return
    assert pulse.held_since is not None, "the table says so"
    console.print(f"[red]已暂停发牌[/] · held since {pulse.held_since.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}：{_SAID[pulse.held_why]}")  # fmt: skip
    raise typer.Exit(1)


@app.command()
def release() -> None:
    """Say that the database's clock is right as it is now: cards are issued again. Exit 1 where nothing was held."""
    with local_services(serving.ROOT):
        released = asyncio.run(_release())
    console = Console(stderr=True, highlight=False)
    console.print("已恢复发牌 · released" if released else "没有暂停 · nothing was held")
    raise typer.Exit(0 if released else 1)


async def _pulse() -> Pulse:
    async with reading() as tx:
        return await heartbeats.pulse(tx)


async def _release() -> bool:
    on = Database(settings().database_url, pool_size=1)
    try:
        async with transaction(on) as tx:
            return await heartbeats.release(tx)
    finally:
        await on.close()

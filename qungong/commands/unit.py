"""`qungong unit`: end a unit, and hand over what ended units had open at once, showing how far it is. Decides nothing itself."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.cases.actions import reorganising
from app.clock import SHANGHAI
from app.db import Database, transaction
from app.directory import units
from app.errors import InvalidInput, NotFound
from app.settings import settings
from qungong.dev import serving
from qungong.dev.embedded import LocalServiceError
from qungong.dev.local import local_services

app = typer.Typer(help="单位 · units that end", no_args_is_help=True, add_completion=False)
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="最后有效日，不填为昨天 · its last day, by default yesterday")]  # fmt: skip


@app.command()
def end(
    code: Annotated[str, typer.Argument(help="单位代码 · the unit's code")],
    successor: Annotated[
        str | None, typer.Option(help="承接单位的代码 · the code of the unit that carries on")
    ] = None,
    last_day: Day = None,
) -> None:
    """End a unit, and the posts in it; what it had open is handed over when its last day is over."""
    with _told_in_words(), local_services(serving.ROOT):
        name = asyncio.run(_end(code, successor, None if last_day is None else last_day.date()))
    Console(highlight=False).print(f"[green]✓[/] {escape(name)} 已撤销 · ended")


@app.command("hand-over")
def hand_over() -> None:
    """Hand over at once what ended units still have; the deadlines worker does it too, a little at a time. Exit 1 where something is left."""
    with _told_in_words(), local_services(serving.ROOT):
        done, left = asyncio.run(_hand_over())
    console = Console(highlight=False)
    console.print(f"已交接 {done} 件，尚余 {left} 件 · handed over, left")
    if left:
        console.print("余下的有人正在办，或有到期而尚未发的牌，稍后再试 · somebody is at them, or cards come first")  # fmt: skip
    raise typer.Exit(1 if left else 0)


async def _end(code: str, successor: str | None, last_day: date | None) -> str:
    on = Database(settings().database_url, pool_size=1)
    try:
        async with transaction(on) as tx:
            today = (await tx.now()).astimezone(SHANGHAI).date()
            day = last_day or date.fromordinal(today.toordinal() - 1)
            return (await units.end_unit(tx, code, successor=successor, last_day=day)).name
    finally:
        await on.close()


async def _hand_over() -> tuple[int, int]:
    on = Database(settings().database_url, pool_size=1, statement_timeout="60000")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())  # fmt: skip
    try:
        async with transaction(on) as tx:
            total = await reorganising.remaining(tx, now=await tx.now())
        left, more = total, 1
        with Progress(*columns, transient=True) as progress:
            task = progress.add_task("承接 · handing over", total=total)
            while more:
                async with transaction(on) as tx:
                    more = await reorganising.hand_over(tx, now=await tx.now())
                async with transaction(on) as tx:
                    left = await reorganising.remaining(tx, now=await tx.now())
                progress.update(task, completed=total - left)
        return total - left, left
    finally:
        await on.close()


@contextmanager
def _told_in_words() -> Iterator[None]:
    """What a person can do something about is a message, not a stack trace."""
    try:
        yield
    except (InvalidInput, LocalServiceError) as wrong:
        said = str(wrong)
    except NotFound:
        said = "没有这个单位，请核对代码。"
    else:
        return
    Console(stderr=True, highlight=False).print(f"[red]✗[/] {escape(said)}")
    raise typer.Exit(1)

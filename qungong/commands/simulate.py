"""`qungong simulate`, for the person who runs it: a progress bar, how far it came, and what there is to see now."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from app.clock import SHANGHAI
from app.db import database, reading
from qungong.commands import refusals
from qungong.dev import sample, serving
from qungong.dev.local import local_services
from qungong.dev.simulation import summary
from qungong.dev.simulation.playing import (
    FIRST_YEAR,
    CannotSimulate,
    Progress,
    require_local,
    simulate,
)
from qungong.dev.simulation.summary import Summary

app = typer.Typer(add_completion=False)


__all__ = ["require_local", "simulate_year"]

_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)


async def simulate_year(cases: int, *, seed: int, year: int, console: Console) -> Progress:
    """Ctrl-C ends it between two steps; what was done stays."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stopping.set)
    try:
        with Bar(*_COLUMNS, console=console, transient=True) as bar:
            task = bar.add_task(f"模拟 {year} 年", total=cases)

            def tell(done: Progress) -> None:
                bar.update(task, completed=done.ended, description=f"模拟 {_day(done)}")

            done = await simulate(cases, seed=seed, year=year, tell=tell, stopped=stopping.is_set)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    _report(done, console)
    async with reading() as tx:
        found = await summary.of_year(tx, year)
    await database().close()
    for line in _told(found, year):
        console.print(f"  {line}", soft_wrap=True)
    return done


def _report(done: Progress, console: Console) -> None:
    a_second = done.steps / max(done.seconds, 0.001)
    said = f"{done.ended}/{done.cases} 件走完，{done.steps} 步，用时 {done.seconds:.0f} 秒（每秒 {a_second:.0f} 步）"
    if done.interrupted:
        console.print(
            f"[yellow]·[/] 已中断 · interrupted：到 {_day(done)} 为止，{said}；其余没有登记，或再没有人办理"
        )
    else:
        rest = "" if done.ended == done.cases else "；其余还在办理，或要到今天以后才登记"
        console.print(f"[green]✓[/] {said}{rest}")


def _day(done: Progress) -> str:
    return "" if done.at is None else f"{done.at.astimezone(SHANGHAI):%Y-%m-%d}"


def _told(found: Summary, year: int) -> Iterator[str]:
    phases = "，".join(f"{phase.chinese} {cases:,}" for phase, cases in found.cases.items())
    yield f"{year} 年登记的事件：{phases or '没有'}"
    if found.median is not None:
        yield f"答复用时：中位 {found.median:.1f} 天，超过 15 天 {found.over_15:.0%}，超过 41 天 {found.over_41:.0%}"
    yield f"红黄牌：黄牌 {found.yellow:,}，红牌 {found.red:,}，其中申诉成立撤销 {found.revoked:,}；涉及 {found.carded_units:,} 个单位"
    yield (
        f"看一看 · to look: make run，以 ducha 登录后 /api/v1/cards?whose=county&from={year}-01-01&to={year}-12-31、"
        f"/api/v1/reports/months/{year}-06、/api/v1/wall；各单位的账号为单位代码，负责人另加 _head"
    )


@app.command()
@refusals.shown(CannotSimulate, serving.CannotMigrate)
def command(
    cases: Annotated[int, typer.Option(min=1, max=100_000, help="件数 · how many cases")] = 3675,
    seed: Annotated[int, typer.Option(help="同一种子，同样的一年 · same seed, same year")] = 1,
    year: Annotated[int, typer.Option(min=FIRST_YEAR, help="哪一年 · which year")] = 2025,
) -> None:
    """Play an invented year into the sample county, through the same use cases with the clock moved; sends no text."""
    console = Console(highlight=False)
    with local_services(serving.ROOT):
        require_local()
        serving.migrate()
        asyncio.run(sample.load())
        done = asyncio.run(simulate_year(cases, seed=seed, year=year, console=console))
    raise typer.Exit(130 if done.interrupted else 0)

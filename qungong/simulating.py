"""`qungong simulate`, for the person who runs it: a progress bar, and how far it came."""

import asyncio
import signal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from app.clock import SHANGHAI
from qungong.simulation.playing import Progress, require_local, simulate

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
    return done


def _report(done: Progress, console: Console) -> None:
    a_second = done.steps / max(done.seconds, 0.001)
    said = f"{done.ended}/{done.cases} 件走完，{done.steps} 步，用时 {done.seconds:.0f} 秒（每秒 {a_second:.0f} 步）"
    if done.interrupted:
        console.print(
            f"[yellow]·[/] 已中断 · interrupted：到 {_day(done)} 为止，{said}；其余没有登记，或再没有人办理"
        )
    else:
        console.print(f"[green]✓[/] {said}")


def _day(done: Progress) -> str:
    return "" if done.at is None else f"{done.at.astimezone(SHANGHAI):%Y-%m-%d}"

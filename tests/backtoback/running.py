"""`make backtoback`: 500 pairs of worlds that differ in one answer. A line for each difference; exit 1 if there is any.

BACKTOBACK_PAIRS says how many, BACKTOBACK_SEED the chance by which they are drawn.
"""

import asyncio
import multiprocessing
import os
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.queues import Queue
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.settings import settings
from app.usage import UNBOUNDED
from tests.backtoback import comparing, county, surfaces
from tests.backtoback.comparing import Compared, Pair
from tests.backtoback.serving import DOCUMENTS, served
from tests.backtoback.worlds import Ground
from tests.services import Addresses, Run

PAIRS: Final = int(os.environ.get("BACKTOBACK_PAIRS", "500"))
SEED: Final = os.environ.get("BACKTOBACK_SEED", str(random.SystemRandom().randrange(10**6)))
PROCESSES: Final = os.cpu_count() or 1
_SHOWN: Final = 5

console = Console(highlight=False)


def main() -> None:
    console.print(f"seed {SEED}, {PAIRS} pairs")
    with _servers() as addresses:
        os.environ["REDIS_URL"] = addresses.redis
        os.environ.update(UNBOUNDED)
        name = f"{addresses.prefix}ground"
        ground = asyncio.run(county.prepare(addresses.server, addresses.template, name, served))
        failed = _compared(ground, addresses.redis)
    console.print(f"[red]✗[/] {failed} pairs differ" if failed else "[green]✓[/] nothing differs")
    sys.exit(1 if failed else 0)


@contextmanager
def _servers() -> Iterator[Addresses]:
    run = Run()
    try:
        yield run.start()
    finally:
        run.stop()


def _compared(ground: Ground, redis: str) -> int:
    """How many pairs differ."""
    method = multiprocessing.get_context("spawn")
    told: Queue[tuple[str, Compared] | str] = method.Queue()
    shares = [range(number, PAIRS, PROCESSES) for number in range(PROCESSES)]
    workers = [
        method.Process(target=_work, args=(ground, redis, share, number, told))
        for number, share in enumerate(shares)
    ]
    for worker in workers:
        worker.start()
    failed = looked_at = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("pairs", total=PAIRS)
        for _ in range(PAIRS):
            said = told.get(timeout=300)
            if isinstance(said, str):
                raise RuntimeError(said)
            name, found = said
            looked_at += found.looked_at
            failed += bool(found.differences)
            for one in found.differences[:_SHOWN]:
                console.print(f"[red]✗[/] {name}: {one.when} {one.where}", soft_wrap=True)
                console.print(f"    {one.first}\n    {one.second}", markup=False, soft_wrap=True)
            progress.advance(task)
    for worker in workers:
        worker.join(30)
    console.print(f"{looked_at:,} answers compared")
    return failed


def _work(
    ground: Ground, redis: str, share: Sequence[int], number: int, told: "Queue[Any]"
) -> None:
    os.environ["REDIS_URL"] = redis
    os.environ.update(UNBOUNDED)
    settings.cache_clear()
    try:
        asyncio.run(_pairs(ground.of_its_own(f"_{number}"), share, told))
    except Exception as failure:
        told.put(f"{type(failure).__name__}: {failure}")
        raise


async def _pairs(ground: Ground, share: Sequence[int], told: "Queue[Any]") -> None:
    asked = surfaces.operations(DOCUMENTS)
    for number in share:
        pair = Pair.drawn(f"{SEED}/{number}")
        found = await comparing.compare(ground, served, asked, pair)
        told.put((f"{pair.history.seed} {' / '.join(pair.ways)}", found))

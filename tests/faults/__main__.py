"""`make faults`: one scenario after the other, each in a fresh database; a line with its counts, exit 1 on any breach.

FAULTS_DUE says how many limits are due (20,000), FAULTS_TEXTS how many texts are owed (10,000), FAULTS_ONLY which scenarios
run (parts of their names: "cards:", "texts:", "http:"), FAULTS_SEED the chance.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.calendars.working_time import Limit
from app.clock import SHANGHAI
from qungong.dev import sample, serving
from qungong.dev.embedded import Postgres, Redis
from tests.faults.filling import fill
from tests.faults.http_scenarios import HTTP_SCENARIOS, HttpScenario, play_http
from tests.faults.message_scenarios import MESSAGE_SCENARIOS, TEXTS, MessageScenario, play
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.site import Outcome, Site, named

DUE = int(os.environ.get("FAULTS_DUE", "20000"))
ONLY = os.environ.get("FAULTS_ONLY", "").split(",")
SEED = int(os.environ.get("FAULTS_SEED", str(random.SystemRandom().randrange(10**6))))
# Due long ago, and the Friday before Spring Festival; years whose calendar is known.
AUTUMN = datetime(2025, 9, 22, 10, tzinfo=SHANGHAI)
JANUARY = datetime(2025, 1, 24, 10, tzinfo=SHANGHAI)

EMPTY, SAMPLE = "empty", "sample"
COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())

console = Console(highlight=False)


def main() -> None:
    console.print(f"seed {SEED}, {DUE:,} due, {TEXTS:,} texts")
    with tempfile.TemporaryDirectory(prefix="qungong-faults-") as folder, ExitStack() as stack:
        # Durable, as in production: the database is stopped as if the power had gone.
        postgres = Postgres(Path(folder) / "postgres", {}, mortal=True)
        redis = Redis(Path(folder) / "redis.json", mortal=True)
        for server in (postgres, redis):
            server.ensure()
            stack.callback(server.stop)
        chosen = [one for one in SCENARIOS if any(part in one.name for part in ONLY)]
        for filled in {one.filled for one in chosen}:
            _make(postgres, filled)
        held = [_run(one, postgres, redis) for one in chosen]
        texts = [one for one in MESSAGE_SCENARIOS if any(part in one.name for part in ONLY)]
        if texts:
            _make(postgres, EMPTY)
        held += [_deliver(one, postgres) for one in texts]
        asked = [one for one in HTTP_SCENARIOS if any(part in one.name for part in ONLY)]
        if asked:
            _make(postgres, SAMPLE)
        held += [_serve(one, postgres) for one in asked]
    sys.exit(0 if held and all(held) else 1)


def _make(postgres: Postgres, filled: str) -> None:
    postgres.ensure_database(filled)
    with named(postgres.url(filled)), console.status(f"loading {filled}"):
        serving.migrate()
        if filled != EMPTY:
            asyncio.run(_fill(filled))


async def _fill(filled: str) -> None:
    await sample.load()
    if filled == SAMPLE:
        return
    if filled == "festival":
        await fill(DUE // 10, received=JANUARY)
        return
    await fill(DUE, received=AUTUMN, red=False)
    # Not due yet, but by a clock two days ahead.
    await fill(DUE // 10, received=datetime.now(UTC), limit=Limit.parse("1d"), red=False)


def _fresh(postgres: Postgres, filled: str) -> str:
    name = "scenario"
    postgres.ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    postgres.ask(f'CREATE DATABASE "{name}" TEMPLATE "{filled}"')
    return name


def _deliver(scenario: MessageScenario, postgres: Postgres) -> bool:
    url = postgres.url(_fresh(postgres, EMPTY))
    with Progress(*COLUMNS, console=console, transient=True) as progress, named(url):
        task = progress.add_task(scenario.name, total=scenario.expected)

        def tell(done: int) -> None:
            progress.update(task, completed=done)

        try:
            held, told = asyncio.run(play(scenario, url, tell, SEED))
        except Exception:
            console.print(f"[red]✗[/] {scenario.name}\n{traceback.format_exc()}")
            return False
    mark = "[green]✓[/]" if held else "[red]✗[/]"
    console.print(f"{mark} {scenario.name}: {told}", soft_wrap=True)
    return held


def _serve(scenario: HttpScenario, postgres: Postgres) -> bool:
    url = postgres.url(_fresh(postgres, SAMPLE))
    with console.status(scenario.name):
        try:
            held, told = asyncio.run(play_http(scenario, url))
        except Exception:
            console.print(f"[red]✗[/] {scenario.name}\n{traceback.format_exc()}")
            return False
    mark = "[green]✓[/]" if held else "[red]✗[/]"
    console.print(f"{mark} {scenario.name}: {told}", soft_wrap=True)
    return held


def _run(scenario: Scenario, postgres: Postgres, redis: Redis) -> bool:
    name = _fresh(postgres, scenario.filled)
    expected = 2 * (DUE // 10) if scenario.filled == "festival" else DUE
    with Progress(*COLUMNS, console=console, transient=True) as progress:
        task = progress.add_task(scenario.name, total=expected)
        site = Site(
            postgres, redis, name, lambda done: progress.update(task, completed=done),
            chance=random.Random(SEED),  # noqa: S311 - reproducible, not secret
        )  # fmt: skip
        try:
            outcome = asyncio.run(_played(scenario, site))
        except Exception:
            console.print(f"[red]✗[/] {scenario.name}\n{traceback.format_exc()}")
            return False
        finally:
            site.end()
    return _told(scenario, outcome, expected)


async def _played(scenario: Scenario, site: Site) -> Outcome:
    began = time.monotonic()
    with named(site.url):
        told = await scenario.does(site)
        return await site.outcome(told, began)


def _told(scenario: Scenario, outcome: Outcome, expected: int) -> bool:
    doubled = outcome.cards - outcome.different
    if scenario.doubles:
        held = doubled > 0 and "no_card_doubled" in outcome.breaches
    else:
        held = outcome.holds(expected)
    mark = "[green]✓[/]" if held else "[red]✗[/]"
    counts = f"{outcome.cards:,} cards of {expected:,}, {doubled:,} doubled, {outcome.early} early, {outcome.due} left due"
    doctor = "doctor: nothing" if not outcome.breaches else f"doctor: {', '.join(outcome.breaches)}"
    console.print(f"{mark} {scenario.name}: {counts}; {doctor}; {outcome.told} ({outcome.seconds:.0f} s)", soft_wrap=True)  # fmt: skip
    return held


if __name__ == "__main__":
    main()

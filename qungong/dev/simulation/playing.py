"""Plays an invented year: one queue of moments, the product's own use cases, the clock moved to each moment in turn.

Each step is a transaction of its own, as in the product; between two steps happens what the workers would have done.
"""

import heapq
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from sqlalchemy import text

from app import clock, heartbeats
from app.clock import SHANGHAI
from app.db import OWNER, Database, Transaction, database, transaction
from app.settings import settings
from qungong.dev.simulation import people, planning
from qungong.dev.simulation.courses import course, set_scene
from qungong.dev.simulation.scene import Cast, Scene, Step, Story
from qungong.dev.simulation.wording import wording
from qungong.dev.simulation.workers import Workers

# Whoever has not been heard of for so long does not work.
_QUIET_SECONDS: Final = 60.0
# The units of the sample county and everybody in office are there from this year on.
FIRST_YEAR: Final = 2016
# In which the last step's texts are settled and its survey is asked.
_SETTLING: Final = timedelta(minutes=1)
_ANALYZE_AFTER: Final = frozenset({200, 1000, 4000, 16000, 64000})
_NOW: Final = text("SELECT now()")


class CannotSimulate(RuntimeError):
    """Where an invented year must not or cannot be played, in words for the person who asked."""


@dataclass(slots=True)
class Progress:
    """How far it has come. `ended` are cases with which nothing more is to happen."""

    cases: int
    ended: int = 0
    steps: int = 0
    at: datetime | None = None
    seconds: float = 0.0
    interrupted: bool = False


Tell = Callable[[Progress], None]


def _tell_nobody(_progress: Progress) -> None:
    """For who does not watch."""


async def simulate(
    cases: int,
    *,
    seed: int,
    year: int,
    tell: Tell = _tell_nobody,
    stopped: Callable[[], bool] = lambda: False,
) -> Progress:
    """Play a year into the sample county. Raises CannotSimulate where people's own data may be, or workers run."""
    require_local()
    # Losing the last second of an invented year to a power cut is no loss.
    on = Database(settings().database_url, pool_size=2, synchronous_commit="off")
    try:
        return await _Player(on, tell, stopped).play(cases, seed=seed, year=year)
    finally:
        await on.close()
        # Signing up goes through the application's own connections.
        await database().close()


def require_local() -> None:
    """Raise CannotSimulate where cases may be real."""
    if settings().environment != "local":
        raise CannotSimulate(
            "只能在本地样例库上模拟：生产环境（ENVIRONMENT=production）里的事件都是真的。"
        )


@dataclass(order=True, slots=True)
class _Next:
    at: datetime
    place: int
    step: Step = field(compare=False)
    story: Story[None] = field(compare=False)
    scene: Scene = field(compare=False)


class _Player:
    def __init__(self, on: Database, tell: Tell, stopped: Callable[[], bool]) -> None:
        self._on, self._tell, self._stopped = on, tell, stopped
        self._queue: list[_Next] = []
        self._place = 0
        # How many stories each case still has, and how many cases have one.
        self._stories: Counter[int] = Counter()
        self._open = 0
        # The database's clock at a moment of ours.
        self._database_now, self._then = datetime.now(SHANGHAI), time.monotonic()

    async def play(self, cases: int, *, seed: int, year: int) -> Progress:
        async with transaction(self._on) as tx:
            self._database_now, self._then = await tx.scalar(_NOW), time.monotonic()
            await self._refuse(tx, year)
            rng = Random(f"{seed}/people")  # noqa: S311 - invented people, no secret
            await people.staff_every_desk(tx, wording().names, rng)
            county = await people.read(tx)
        plans = planning.plan_year(cases, year, county, wording(), seed=seed)
        cast = Cast(repeaters=planning.repeaters(plans))
        for plan in plans:
            scene = set_scene(plan, county, wording(), cast, seed=seed)
            self._begin(scene, course(scene))
        return await self._play_all(Progress(len(plans)))

    async def _refuse(self, tx: Transaction, year: int) -> None:
        if not FIRST_YEAR <= year <= self._now().astimezone(SHANGHAI).year:
            raise CannotSimulate(f"年份须在 {FIRST_YEAR} 年至今年之间。")
        if any(age < _QUIET_SECONDS for age in (await heartbeats.ages(tx)).values()):
            raise CannotSimulate(
                "后台进程正在运行，它们会按现在的时间处理模拟的事件：请先停止 make run，一分钟后再试。"
            )

    async def _play_all(self, done: Progress) -> Progress:
        workers, began = Workers(self._at), time.monotonic()
        horizon = self._now()
        # What would lie in the future stays open: so does a year that is not over yet.
        while self._queue and self._queue[0].at < horizon and not done.interrupted:
            now = heapq.heappop(self._queue)
            await workers.catch_up(now.at)
            async with self._at(now.at) as tx:
                came_of_it = await now.step.do(tx, now=now.at)
            self._go_on(now.scene, now.story, came_of_it)
            done.at, done.steps, done.ended = now.at, done.steps + 1, done.cases - self._open
            done.seconds, done.interrupted = time.monotonic() - began, self._stopped()
            self._tell(done)
            if done.steps in _ANALYZE_AFTER:
                await self._analyze()
        if done.at is not None:
            await workers.catch_up(done.at + _SETTLING)
        await workers.run_out(self._now())
        done.seconds = time.monotonic() - began
        return done

    def _go_on(self, scene: Scene, story: Story[None], came_of_it: object = None) -> None:
        """Tell the story what came of its step, and put its next one into the queue; and those that begin beside it."""
        try:
            step = story.send(came_of_it)
        except StopIteration:
            self._stories[scene.plan.number] -= 1
            self._open -= not self._stories[scene.plan.number]
        else:
            self._place += 1
            heapq.heappush(self._queue, _Next(step.at, self._place, step, story, scene))
        while scene.beside:
            self._begin(scene, scene.beside.pop())

    def _begin(self, scene: Scene, story: Story[None]) -> None:
        self._open += not self._stories[scene.plan.number]
        self._stories[scene.plan.number] += 1
        self._go_on(scene, story)

    async def _analyze(self) -> None:
        """Tables grow from nothing within minutes: statements planned for empty ones would read all of them."""
        async with transaction(self._on) as tx:
            await tx.act_as(OWNER)
            await (await tx.driver()).execute("ANALYZE")

    def _now(self) -> datetime:
        """The database's clock, without asking it."""
        return self._database_now + timedelta(seconds=time.monotonic() - self._then)

    @asynccontextmanager
    async def _at(self, moment: datetime) -> AsyncIterator[Transaction]:
        """A transaction at that moment, to the microsecond."""
        with clock.moved(moment - self._now()):
            async with transaction(self._on) as tx:
                tx.began(moment - clock.shift())
                yield tx
                # No worker is to be woken: what it would do is done here.
                tx.after_commit.clear()

"""A case of the invented year while it is played: what was planned, where it stands, and how its next step is told.

A story is a generator: it yields what is to be done and when, and is sent what came of it. It touches no database.
"""

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, TypeAlias, TypeVar

from app.auth.actor import CitizenActor, StaffActor
from app.cases.dossier import Dossier
from app.cases.models import Channel
from qungong.dev.simulation import distributions
from qungong.dev.simulation.people import County, Office
from qungong.dev.simulation.planning import Plan
from qungong.dev.simulation.wording import Wording

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """Called with the transaction and, as `now`, the moment."""

    at: datetime
    do: Callable[..., Awaitable[Any]]


Story: TypeAlias = Generator[Step, Any, T]

_BETWEEN_STEPS = timedelta(minutes=1)


@dataclass(slots=True)
class Cast:
    """What the cases of a year share: who has signed up, and the cases themselves by number."""

    citizens: dict[int, CitizenActor] = field(default_factory=dict)
    scenes: dict[int, "Scene"] = field(default_factory=dict)
    # Who has several cases answers by text only: a text answers whichever was asked about first.
    repeaters: frozenset[int] = frozenset()


@dataclass(slots=True, eq=False)
class Scene:
    """`holder` is whose turn it is. `left` is what remains of the time before the work itself, in days."""

    plan: Plan
    county: County
    words: Wording
    cast: Cast
    rng: Random
    now: datetime
    left: float
    holder: Office
    ref: str = ""
    open: bool = False
    joined: list["Scene"] = field(default_factory=list)
    # Stories that begin beside this one.
    beside: list[Story[None]] = field(default_factory=list)

    @property
    def due(self) -> datetime:
        """When it is to be answered."""
        return self.plan.told_at + timedelta(days=self.plan.days)

    @property
    def place(self) -> str:
        return self.plan.village.short_name

    @property
    def reporter(self) -> StaffActor | CitizenActor:
        """Who speaks for the case: the person, or the desk that entered it."""
        if self.plan.channel is Channel.POSTER:
            return self.cast.citizens[self.plan.reporter.number]
        return self.taken_in_by.desk

    @property
    def taken_in_by(self) -> Office:
        match self.plan.channel:
            case Channel.HOTLINE:
                return self.county.center
            case Channel.CLERK:
                return self.county.township_of(self.plan.village)
            case _:
                return self.plan.village

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def say(self, what: str) -> str:
        return self.words.said(what, self.rng)

    def in_office(self, days: float) -> datetime:
        """So many days on, when the offices are open."""
        return self.office_at(self.now + timedelta(days=days))

    def office_at(self, moment: datetime) -> datetime:
        # What is urgent keeps nobody waiting for the next morning's post.
        hours = (0.05, 0.5) if self.plan.urgent else (0.1, 4.0)
        return distributions.in_office(moment, self.county.calendar, self.rng, hours)

    def office_nearest(self, moment: datetime) -> datetime:
        return distributions.nearest_office(moment, self.county.calendar, self.rng)

    def before_the_work(self, limit_days: float) -> datetime:
        """When a judge, an assignment or a signature is done that has so many days."""
        days = min(distributions.step_days(limit_days, self.rng), self.left * 0.6)
        self.left -= days
        return self.in_office(days)

    def step(self, at: datetime, do: Callable[..., Awaitable[Any]], **given: Any) -> Step:
        """Never before what was done last."""
        self.now = max(at, self.now + _BETWEEN_STEPS)
        return Step(self.now, partial(do, **given))

    def act(
        self, at: datetime, do: Callable[..., Awaitable[Any]], *, by: Any, **given: Any
    ) -> Step:
        """A step on the case itself."""
        return self.step(at, do, ref=self.ref, by=by, **given)

    def decider(self, dossier: Dossier) -> Office | None:
        """Who decides about what the holder asks for."""
        place = dossier.decider
        if place is None:
            return None
        return next(
            (
                one
                for one in self.county.offices.values()
                if one.posts and one.desk.unit_id == place.unit_id
            ),
            None,
        )

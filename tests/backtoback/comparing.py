"""Two worlds with one history and two answers, looked at from all sides again and again: where they differ."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text

from app.db import OWNER, transaction
from tests.backtoback import histories, surfaces
from tests.backtoback.histories import MONTH_RELEASED, WINDOW, Answering, History, Scene
from tests.backtoback.surfaces import Operation, Seen, Share
from tests.backtoback.worlds import Ground

_NOTHING_GETS_THROUGH: Final = text(
    "UPDATE outbox_message SET state = 'needs_human', why = 'tried_out', error = '30008' WHERE state = 'queued' AND kind <> 'survey_owed'"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens in both worlds alike, and how much later than their beginning, before they are looked at again."""

    name: str
    later: timedelta
    happens: Callable[[Scene, timedelta], Awaitable[None]]
    # The month is locked, and what may be told of it has been.
    released: bool = False


async def _time_passes(scene: Scene, later: timedelta) -> None:
    await scene.time_passes(later, seed=f"until {later}")


async def _nothing_gets_through(scene: Scene, later: timedelta) -> None:
    with scene.world.entered("fails", later=later):
        async with transaction() as tx:
            await tx.act_as(OWNER)
            await tx.execute(_NOTHING_GETS_THROUGH)


async def _nothing(_scene: Scene, _later: timedelta) -> None:
    """Only a look."""


JUST_ANSWERED: Final = Moment("just answered", timedelta(hours=4), _nothing)
LOOKED_AT: Final = Moment("looked at by a supervisor", timedelta(hours=5), histories.looked_at)
NOTHING_ARRIVED: Final = Moment(
    "no text got through", timedelta(days=3, hours=3), _nothing_gets_through
)
WINDOW_OVER: Final = Moment("after the window", WINDOW, _time_passes)
RELEASED: Final = Moment("the month is released", MONTH_RELEASED, _time_passes, released=True)
MOMENTS: Final = (
    JUST_ANSWERED,
    LOOKED_AT,
    Moment("within the window", timedelta(days=3, hours=2), _time_passes),
    NOTHING_ARRIVED,
    WINDOW_OVER,
    RELEASED,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that tells the worlds apart."""

    when: str
    where: tuple[str, ...]
    first: Any
    second: Any


@dataclass(frozen=True, slots=True)
class Pair:
    """One history with two answers of the same person."""

    history: History
    ways: tuple[str, str]
    answers: tuple[Answering, Answering]

    @classmethod
    def drawn(cls, seed: str) -> "Pair":
        history = histories.drawn(seed)
        known = histories.ways(history)
        first, second = random.Random(f"{seed}/ways").sample(sorted(known), 2)  # noqa: S311 - reproducible
        return cls(history, (first, second), (known[first], known[second]))


@dataclass(slots=True)
class Compared:
    """How much was looked at, what told the worlds apart, and which operations showed anybody anything."""

    looked_at: int = 0
    differences: list[Difference] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)


async def compare(
    ground: Ground,
    app: Any,
    asked: Sequence[Operation],
    pair: Pair,
    moments: Sequence[Moment] = MOMENTS,
) -> Compared:
    """Play the pair. The history is played in both, by the same chance and clock; only the answer differs."""
    found = Compared()
    async with ground.two_worlds() as worlds:
        scenes = [Scene(world, app, ground, pair.history) for world in worlds]
        for scene in scenes:
            await histories.played(scene)
        refs = {case.ref for case in pair.history.cases}
        known = await surfaces.objects(*scenes)
        assert set(known["ref"]) == refs, "chance has made two histories of one"
        for scene, answer in zip(scenes, pair.answers, strict=True):
            await answer(scene)
        for number, moment in enumerate(moments):
            # Everything is asked once a pair, at one moment or another; the reports once more when they are there.
            share = Share(pair.history.seed, number, len(moments), moment.released)
            for scene in scenes:
                await moment.happens(scene, moment.later)
            known = await surfaces.objects(*scenes)
            first, second = [
                await surfaces.seen(
                    scene, asked, known, share=share, later=moment.later, shown=found.shown
                )
                for scene in scenes
            ]
            found.looked_at += len(first)
            found.differences += _told_apart(moment.name, first, second)
        found.differences += _logged_apart(*(scene.world.logged for scene in scenes))
    return found


def _told_apart(when: str, first: Seen, second: Seen) -> list[Difference]:
    return [
        Difference(when, where, first.get(where), second.get(where))
        for where in first | second
        if first.get(where) != second.get(where)
    ]


def _logged_apart(first: Sequence[Any], second: Sequence[Any]) -> list[Difference]:
    one, other = _lines(first), _lines(second)
    return [] if one == other else [Difference("all the time", ("log",), one, other)]


def _lines(logged: Sequence[Any]) -> list[dict[str, Any]]:
    """Without what is of the machine: whether Redis was slow; and of everybody: how many kept answers were forgotten."""
    return [
        {name: value for name, value in entry.items() if name != "given_answer"}
        for entry in logged
        if not entry["event"].startswith("rate limits are counted")
    ]

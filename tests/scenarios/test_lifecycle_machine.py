"""Whatever people do in whatever order, whenever, and wherever it breaks off: a case does what a small model says.

So do its limits, and the cards that the sweep gives for them. MACHINE_TIMES makes the games so many times longer.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from app.auth.actor import StaffActor
from app.cards import sweep
from app.db import Database, transaction, transactions
from app.errors import Problem
from app.kinds.verification import verify
from app.settings import settings as app_settings
from qungong.dev import sample
from tests.cards import at
from tests.conftest import find_staff
from tests.scenarios.acts import ACTS, do, register
from tests.scenarios.model import Model
from tests.scenarios.standing import CENTER, HANDLING_SIDE, PEOPLE, START, TOWNSHIP, VILLAGE

TIMES = int(os.environ.get("MACHINE_TIMES", "1"))
_CASE = text("""
SELECT c.id, c.phase, c.waiting, c.stage_due_at, c.due_at, c.statutory_due_at, c.listed_at, u.code AS holder,
  c.stage, c.stage_started_at,
  (SELECT count(*) FROM record_entry e WHERE e.matter_id = c.id AND e.action <> 'remind') AS entries,
  (SELECT coalesce(json_agg(json_build_array(w.stage, v.code, w.due_at)), '[]')
    FROM clock w JOIN unit v ON v.id = w.unit_id WHERE w.matter_id = c.id AND w.ended_at IS NULL) AS running,
  (SELECT coalesce(json_agg(json_build_array(k.stage, v.code, k.level, k.effective_at)), '[]')
    FROM card k JOIN unit v ON v.id = k.unit_id WHERE k.matter_id = c.id) AS cards
FROM grievance c JOIN unit u ON u.id = c.holder_unit_id WHERE c.ref = :ref
""")
_COMES_UP = text("""
SELECT w.id FROM clock w JOIN grievance c ON c.id = w.matter_id WHERE c.ref = :ref AND w.next_at <= :now ORDER BY w.next_at
""")
# What hands a case on, stops a clock or starts one anew.
MOVING = {"escalate", "send_down", "dispatch", "dispatch_to_itself", "change_lead", "add_assistant", "handle", "decline", "object_refusal", "request_supplement", "supply", "extend", "wait", "grant_wait", "resume", "hand_back", "call_urgent", "call_question"}  # fmt: skip
_FEW = frozenset({"withdraw", "add", "progress", "decline", "list", "unlist", "supervise", "call_urgent"})  # fmt: skip


class BrokenOff(Exception):
    """The process dies in the middle of the work."""


class Machine(RuleBasedStateMachine):
    """One case, played against the model. `run` waits for a coroutine; `people` are the actors by account."""

    run: Callable[..., Any]
    people: dict[str, StaffActor]

    def __init__(self) -> None:
        super().__init__()
        self.model, self.now = Model(), START
        self.codes = {name: actor.unit_code for name, actor in self.people.items()}
        self.ref: str = self.run(register(self.people[VILLAGE], START))
        self.entries = 1
        self.last = ""

    async def _seen(self) -> Any:
        async with transaction() as tx:
            return await tx.one_or_none(_CASE, ref=self.ref)

    async def _try(self, action: str, who: str, *, breaks: bool = False) -> bool:
        by = self.people[who]
        try:
            async with transaction() as tx:
                await do(action, tx, self.ref, by, self.now, model=self.model, codes=self.codes)
                if breaks:
                    await tx.flush()
                    raise BrokenOff
        except (Problem, BrokenOff):
            return False
        return True

    async def _if(self, action: str, who: str) -> Any:
        """How the case would stand if this were done, or nothing where it may not be; it is not done."""
        seen: Any = None
        try:
            async with transaction() as tx:
                await do(action, tx, self.ref, self.people[who], self.now, model=self.model, codes=self.codes)  # fmt: skip
                await tx.flush()
                seen = await tx.one_or_none(_CASE, ref=self.ref)
                raise BrokenOff
        except (Problem, BrokenOff):
            return seen

    async def _sweep(self, *, breaks: bool = False) -> None:
        """As the worker does: what has come due on this case in one transaction, and each wait that is over in its own."""
        try:
            async with transaction() as tx:
                due = await tx.all(_COMES_UP, ref=self.ref, now=self.now)
                claimed = [one for row in due for one in await sweep.claim_one(tx, row.id)]
                swept = await sweep.issue(tx, claimed)
                if breaks:
                    await tx.flush()
                    raise BrokenOff
        except BrokenOff:
            return
        for wait in swept.waits_over:
            async with transaction() as tx:
                assert await sweep.resume(tx, wait)

    def open_to(self) -> list[tuple[str, str]]:
        """What the model says may be done now, and by whom."""
        return [
            (act, who) for act in ACTS for who in PEOPLE if self.model.allowed(act, who, self.now)
        ]

    @rule(hours=st.integers(1, 150), minutes=st.integers(0, 59))
    def time_passes(self, hours: int, minutes: int) -> None:
        self.now += timedelta(hours=hours, minutes=minutes)

    @rule()
    def the_sweep_comes(self) -> None:
        with at(self.now):
            self.run(self._sweep())
        cards, waits = len(self.model.cards), self.model.resumed_by_itself
        self.model.sweep(self.now)
        self.entries += len(self.model.cards) - cards + self.model.resumed_by_itself - waits
        # The sweep's own moment lies a little after the model's; nothing is done before it.
        self.now += timedelta(minutes=1)

    @rule()
    def the_sweep_is_killed(self) -> None:
        with at(self.now):
            self.run(self._sweep(breaks=True))

    @precondition(lambda self: self.open_to())
    @rule(chosen=st.integers(0, 10**6), hours=st.integers(0, 30), times=st.integers(1, 3))
    def something_allowed_is_done(self, chosen: int, hours: int, times: int) -> None:
        for _ in range(times):
            self.does_one(chosen, hours)

    def does_one(self, chosen: int, hours: int) -> None:
        self.now += timedelta(hours=hours, minutes=1)
        # What ends it all, and what can always be done, is done seldom, or little else would be seen.
        choices = self.open_to()
        if chosen % 7:
            choices = [one for one in choices if one[0] not in _FEW] or choices
        if not choices:
            return
        action, who = choices[chosen % len(choices)]
        assert self.run(self._try(action, who)), (action, who)
        self.last = action
        self.model.does(action, who, self.now)
        self.entries += 1

    @rule(action=st.sampled_from(ACTS), who=st.sampled_from(PEOPLE))
    def anybody_tries_anything(self, action: str, who: str) -> None:
        expected = self.model.allowed(action, who, self.now)
        assert self.run(self._try(action, who)) is expected, (action, who)
        if expected:
            self.model.does(action, who, self.now)
            self.entries += 1

    @precondition(lambda self: self.open_to())
    @rule(data=st.data())
    def it_breaks_off_before_the_commit(self, data: st.DataObject) -> None:
        action, who = data.draw(st.sampled_from(self.open_to()))
        assert not self.run(self._try(action, who, breaks=True))

    @invariant()
    def the_case_is_what_the_model_says(self) -> None:
        case, model = self.run(self._seen()), self.model
        assert case.entries == self.entries
        assert case.phase == model.phase
        assert case.holder == self.codes[model.holder]
        assert (case.waiting is not None, case.listed_at is not None) == (
            model.waiting is not None,
            model.listed,
        )
        assert (case.due_at, case.statutory_due_at) == (model.whole_due(), model.law_due())
        running = Counter((stage, code, read(due)) for stage, code, due in case.running)
        assert running == Counter(
            (stage, self.codes[unit], due) for stage, unit, due in model.now_running().elements()
        )
        if model.phase in ("pending", "handling") and model.waiting is None:
            assert case.stage_due_at == model.stage.due()
        cards = Counter((stage, code, level, read(at)) for stage, code, level, at in case.cards)
        assert cards == Counter(
            (stage, self.codes[unit], level, moment) for stage, unit, level, moment in model.cards
        )


def read(moment: str | None) -> datetime | None:
    return None if moment is None else datetime.fromisoformat(moment)


@pytest.fixture
def played(
    fresh_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[Machine]]:
    """The machine on a database of its own, with the sample county in it."""
    assert redis_url
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    app_settings.cache_clear()
    own = Database(fresh_database_url, pool_size=2)
    monkeypatch.setattr(transactions, "database", lambda: own)
    with asyncio.Runner() as runner:

        async def people() -> dict[str, StaffActor]:
            await sample.load()
            return {account: await find_staff(account) for account in PEOPLE}

        class Played(Machine):
            run = staticmethod(runner.run)

        Played.people = runner.run(people())
        yield Played
        runner.run(own.close())
    app_settings.cache_clear()


async def every_fault() -> list[Any]:
    async with transaction() as tx:
        return [fault async for _, found in verify(tx) for fault in found]


def walk(machine: Machine, seed: int, steps: int) -> Iterator[str]:
    """One step of the case after the other, drawn at random; the sweep comes in between."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    for _ in range(steps):
        if not machine.open_to():
            return
        if chance.random() < 0.3:
            machine.now += timedelta(hours=chance.choice((5, 30, 120)))
            machine.the_sweep_comes()
        before = machine.entries
        machine.does_one(chance.randrange(10**6), chance.choice((0, 0, 3, 30)))
        if machine.entries > before:
            yield machine.last


def test_case_does_what_the_model_says(played: type[Machine]) -> None:
    run_state_machine_as_test(
        played,
        settings=settings(
            max_examples=10 * TIMES,
            stateful_step_count=25,
            deadline=None,
            derandomize=TIMES == 1,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert played.run(every_fault()) == []


def test_it_does_so_on_long_ways_too(played: type[Machine]) -> None:
    """What is drawn at random step by step seldom gets far; these walks do, and each act has been done once."""
    done, cards, resumed = Counter[str](), Counter[str](), 0
    for seed in range(60 * TIMES):
        game = played()
        for act in walk(game, seed, 30):
            done[act] += 1
            game.the_case_is_what_the_model_says()
        cards += Counter(level for _, _, level, _ in game.model.cards)
        resumed += game.model.resumed_by_itself
    assert set(done) == set(ACTS)
    assert cards.keys() == {"yellow", "red"}
    assert resumed
    assert played.run(every_fault()) == []


def test_nothing_that_handling_side_does_alone_moves_whole_cases_time_later(
    played: type[Machine],
) -> None:
    """Whatever its units do or try to do, in whatever order: more time comes from somebody else's decision alone."""
    tried, done = Counter[str](), Counter[str]()
    for seed in range(35 * TIMES):
        game = played()
        promised = game.run(game._seen())
        chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
        for _ in range(25):
            game.now += timedelta(hours=chance.choice((0, 0, 3, 30)), minutes=1)
            act, who = one_of_the_handling_side(game, chance)
            tried[act] += 1
            if game.run(game._try(act, who)):
                done[act] += 1
                game.model.does(act, who, game.now)
                game.entries += 1
            seen = game.run(game._seen())
            assert seen.due_at <= promised.due_at, (act, who)
            assert seen.statutory_due_at <= promised.statutory_due_at, (act, who)
    assert set(tried) == set(ACTS)
    assert not {"grant_extension", "list", "unlist"} & set(done)
    assert set(done) >= MOVING


def test_nobody_who_keeps_a_case_begins_its_stage_anew(played: type[Machine]) -> None:
    """Wherever a case stands, whoever holds it tries all that moves one: the stage goes on from where it began, or ends."""
    kept = Counter[tuple[str, str]]()
    for seed in range(10 * TIMES):
        game = played()
        for _ in walk(game, seed, 20):
            stands = game.run(game._seen())
            for act in sorted(MOVING):
                would = game.run(game._if(act, game.model.holder))
                if would is not None and (would.holder, would.stage) == (
                    stands.holder,
                    stands.stage,
                ):
                    assert would.stage_started_at == stands.stage_started_at, act
            kept[game.model.holder, stands.stage] += 1
    assert kept.keys() >= {
        (who, stage) for who in (VILLAGE, TOWNSHIP, CENTER) for stage in ("judge", "handle")
    }, "each was seen in each of its stages"


def one_of_the_handling_side(game: Machine, chance: random.Random) -> tuple[str, str]:
    """Mostly what is open to them, sometimes anything; but no extension is granted by another unit than the one that has it."""
    open_to = [
        (act, who)
        for act, who in game.open_to()
        if who in HANDLING_SIDE and act not in ("grant_extension", "withdraw")
    ]
    if open_to and chance.random() < 0.8:
        return chance.choice(open_to)
    act = chance.choice(ACTS)
    return act, game.model.holder if act == "grant_extension" else chance.choice(HANDLING_SIDE)

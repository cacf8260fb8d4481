"""Whatever people do in whatever order, whenever, and wherever it breaks off: a case does what a small model says.

The model knows the tiers, the phases and the days by itself, from nothing but a list of holidays.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from chinese_calendar import is_workday
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

from app import db
from app.auth.actor import StaffActor
from app.cases.actions import dispatching, filing, handling, judging
from app.cases.actions.dispatching import Part
from app.cases.actions.filing import Intake, PersonHelped
from app.cases.models import Channel, Outcome
from app.cases.verification import verify
from app.clock import SHANGHAI
from app.db import Database, Transaction, transaction
from app.errors import Problem
from app.limits.terms import Kind
from app.settings import settings as app_settings
from qungong import sample
from tests.conftest import find_staff

VILLAGE, TOWNSHIP, CENTER, LEAD, HELPER = "gongnong", "guangshun", "zhihui", "ronglong", "shuiwu"
PEOPLE = (VILLAGE, TOWNSHIP, CENTER, LEAD, HELPER)
UP = {VILLAGE: TOWNSHIP, TOWNSHIP: CENTER}
JUDGE_DAYS = {VILLAGE: 2, TOWNSHIP: 3, CENTER: 1}
HANDLE_DAYS, WHOLE_DAYS, WINDOW_DAYS = 10, 30, 5
START = datetime(2025, 1, 6, 9, tzinfo=SHANGHAI)
CLOSES = time(18)
INTAKE = Intake(
    title="路灯不亮",
    body="村口的路灯坏了。",
    kind=Kind.HELP,
    channel=Channel.CADRE,
    person=PersonHelped("王大爷", None),
)
_CASE = text("""
SELECT c.id, c.phase, c.waiting, c.stage_due_at, c.due_at, u.code AS holder, (SELECT count(*) FROM case_event e WHERE e.case_id = c.id) AS entries,
  (SELECT array_agg(w.stage) FROM clock w WHERE w.case_id = c.id AND w.ended_at IS NULL) AS running
FROM grievance c JOIN unit u ON u.id = c.holder_unit_id WHERE c.ref = :ref
""")

Call = Callable[[Transaction, str, StaffActor, datetime], Awaitable[Any]]


class BrokenOff(Exception):
    """The process dies in the middle of the work."""


def end_after(moment: datetime, days: int, still: list[date]) -> datetime:
    """The end of the so-manieth working day after receipt, Asia/Shanghai; the days in `still` do not count."""
    day, late = moment.date(), moment.time() > CLOSES
    while late or not is_workday(day):
        day, late = day + timedelta(days=1), False
    while days:
        day += timedelta(days=1)
        days -= is_workday(day) and day not in still
    return datetime.combine(day, time(23, 59, 59), tzinfo=SHANGHAI)


@dataclass
class Model:
    """A case as somebody with a notebook would follow it. `parts` are open ones of the round, by who has them."""

    holder: str = VILLAGE
    phase: str = "pending"
    waiting_since: datetime | None = None
    last_asked: str | None = None
    since: datetime = START
    days: int = JUDGE_DAYS[VILLAGE]
    still: list[date] = field(default_factory=list)
    own: bool = False
    parts: dict[str, bool] = field(default_factory=dict)  # whether signed
    assigned_at: datetime = START
    objected: set[str] = field(default_factory=set)
    undecided: set[str] = field(default_factory=set)
    to_sign: set[str] = field(default_factory=set)
    objected_to_refusal: bool = False

    def allowed(self, action: str, who: str, now: datetime) -> bool:
        may: bool = getattr(self, f"may_{action}")(who, now)
        return may

    def does(self, action: str, who: str, now: datetime) -> None:
        getattr(self, f"_{action}")(who, now)

    def _turn(self, who: str) -> bool:
        return self.phase == "pending" and who == self.holder and self.waiting_since is None

    def _has_part(self, who: str) -> bool:
        return self.phase == "handling" and who in self.parts

    def may_escalate(self, who: str, _now: datetime) -> bool:
        own = self.phase == "handling" and self.own and who == self.holder
        return (self._turn(who) or own) and who in UP

    def may_send_down(self, who: str, _now: datetime) -> bool:
        return self._turn(who) and who in (TOWNSHIP, CENTER)

    def may_handle(self, who: str, _now: datetime) -> bool:
        return self._turn(who)

    def may_dispatch(self, who: str, _now: datetime) -> bool:
        return self._turn(who) and who == CENTER

    def may_request_supplement(self, who: str, _now: datetime) -> bool:
        return self._turn(who) and self.last_asked != who

    def may_supply(self, who: str, _now: datetime) -> bool:
        return self.phase == "pending" and who == VILLAGE and self.waiting_since is not None

    def may_decline(self, who: str, _now: datetime) -> bool:
        return self.phase == "pending" and who == self.holder and who != VILLAGE

    def may_object_refusal(self, who: str, _now: datetime) -> bool:
        above = self.holder in UP and not self.objected_to_refusal
        return self.phase == "declined" and who == VILLAGE and above

    def may_sign(self, who: str, _now: datetime) -> bool:
        return self._has_part(who) and not self.parts[who]

    def may_hand_back(self, who: str, now: datetime) -> bool:
        in_time = now <= end_after(self.assigned_at, WINDOW_DAYS, [])
        return self._has_part(who) and not self.own and who not in self.objected and in_time

    def may_agree(self, who: str, _now: datetime) -> bool:
        return self.phase == "handling" and who == CENTER and bool(self.undecided)

    may_refuse = may_agree

    def may_progress(self, who: str, _now: datetime) -> bool:
        return self._has_part(who)

    def may_assist_answer(self, who: str, _now: datetime) -> bool:
        return self._has_part(who) and who != self.holder and self.parts[who]

    def may_answer(self, who: str, _now: datetime) -> bool:
        leads = self._has_part(who) and who == self.holder and self.parts[who]
        return leads and len(self.parts) == 1 and not self.undecided

    def may_withdraw(self, who: str, _now: datetime) -> bool:
        return self.phase in ("pending", "handling") and who == VILLAGE

    def _escalate(self, who: str, now: datetime) -> None:
        self._hand_on(UP[who], now)

    def _send_down(self, _who: str, now: datetime) -> None:
        self._hand_on(VILLAGE, now)

    def _handle(self, who: str, now: datetime) -> None:
        self._begin_handling({who: True}, now, own=True)

    def _dispatch(self, _who: str, now: datetime) -> None:
        self._begin_handling({LEAD: False, HELPER: False}, now, own=False)

    def _request_supplement(self, who: str, now: datetime) -> None:
        self.waiting_since, self.last_asked = now, who

    def _supply(self, _who: str, now: datetime) -> None:
        assert self.waiting_since is not None
        day = self.waiting_since.date()
        while day < now.date():
            self.still.append(day)
            day += timedelta(days=1)
        self.waiting_since = None

    def _decline(self, _who: str, _now: datetime) -> None:
        self.phase, self.waiting_since = "declined", None

    def _object_refusal(self, _who: str, now: datetime) -> None:
        self.objected_to_refusal = True
        self._hand_on(UP[self.holder], now)

    def _sign(self, who: str, _now: datetime) -> None:
        self.parts[who] = True
        self.to_sign.discard(who)

    def _hand_back(self, who: str, _now: datetime) -> None:
        self.objected.add(who)
        self.undecided.add(who)
        self.to_sign.discard(who)

    def _agree(self, _who: str, now: datetime) -> None:
        unit = min(self.undecided)
        self.undecided.discard(unit)
        if unit == self.holder:
            self._hand_on(CENTER, now)
        else:
            self.parts.pop(unit)

    def _refuse(self, _who: str, _now: datetime) -> None:
        unit = min(self.undecided)
        self.undecided.discard(unit)
        if not self.parts[unit]:
            self.to_sign.add(unit)

    def _progress(self, _who: str, _now: datetime) -> None:
        """Nothing but an entry."""

    def _assist_answer(self, who: str, _now: datetime) -> None:
        self.parts.pop(who)
        self.undecided.discard(who)

    def _answer(self, _who: str, _now: datetime) -> None:
        self._over("answered")

    def _withdraw(self, _who: str, _now: datetime) -> None:
        self._over("withdrawn")

    def _over(self, phase: str) -> None:
        self.phase, self.parts, self.waiting_since = phase, {}, None

    def running(self) -> Counter[str]:
        """The clocks that must run, and no others."""
        if self.phase not in ("pending", "handling"):
            return Counter()
        expected = Counter(["whole", "judge" if self.phase == "pending" else "handle"])
        expected["supplement"] += self.waiting_since is not None
        expected["sign"] += len(self.to_sign)
        expected["assist"] += HELPER in self.parts and not self.own
        expected["hand_back_decision"] += len(self.undecided)
        return +expected

    def due(self) -> datetime:
        return end_after(self.since, self.days, self.still)

    def _hand_on(self, holder: str, now: datetime) -> None:
        self.phase, self.holder, self.since = "pending", holder, now
        self.days, self.still, self.parts, self.own = JUDGE_DAYS[holder], [], {}, False
        self.undecided.clear()
        self.to_sign.clear()

    def _begin_handling(self, parts: dict[str, bool], now: datetime, *, own: bool) -> None:
        self.phase, self.parts, self.own, self.assigned_at = "handling", parts, own, now
        self.holder = next(iter(parts))
        self.since, self.days, self.still = now, HANDLE_DAYS, []
        self.objected, self.undecided = set(), set()
        self.to_sign = set() if own else set(parts)


def calls(model: Model, codes: dict[str, str]) -> dict[str, Call]:
    """How each action is asked of the application."""
    undecided = codes[min(model.undecided)] if model.undecided else codes[LEAD]
    parts = (Part(codes[LEAD]), [Part(codes[HELPER], "查管网")])
    return {
        "escalate": lambda tx, ref, by, now: judging.escalate(tx, ref, by=by, finding="修不了", now=now),
        "send_down": lambda tx, ref, by, now: judging.send_down(tx, ref, by=by, to_code=codes[VILLAGE], reason="先核实", now=now),
        "handle": lambda tx, ref, by, now: judging.handle(tx, ref, by=by, now=now),
        "dispatch": lambda tx, ref, by, now: dispatching.dispatch(tx, ref, by=by, lead=parts[0], assistants=parts[1], note="", now=now),
        "request_supplement": lambda tx, ref, by, now: judging.request_supplement(tx, ref, by=by, missing="哪一盏", now=now),
        "supply": lambda tx, ref, by, now: filing.supply(tx, ref, by=by, supplement="第三盏", now=now),
        "decline": lambda tx, ref, by, now: judging.decline(tx, ref, by=by, reason="不属实", basis="条例", now=now),
        "object_refusal": lambda tx, ref, by, now: filing.object_refusal(tx, ref, by=by, reason="属实", now=now),
        "sign": lambda tx, ref, by, now: handling.sign(tx, ref, by=by, now=now),
        "hand_back": lambda tx, ref, by, now: handling.hand_back(tx, ref, by=by, reason="不归我管", now=now),
        "agree": lambda tx, ref, by, now: dispatching.settle(tx, ref, by=by, unit_code=undecided, agreed=True, reason="对", now=now),
        "refuse": lambda tx, ref, by, now: dispatching.settle(tx, ref, by=by, unit_code=undecided, agreed=False, reason="不对", now=now),
        "progress": lambda tx, ref, by, now: handling.progress(tx, ref, by=by, report="在办", tell_reporter=False, now=now),
        "assist_answer": lambda tx, ref, by, now: handling.assist_answer(tx, ref, by=by, answer="查过了", now=now),
        "answer": lambda tx, ref, by, now: handling.answer(tx, ref, by=by, outcome=Outcome.SOLVED, answer="修好了", basis="", now=now),
        "withdraw": lambda tx, ref, by, now: filing.withdraw(tx, ref, by=by, reason="不反映了", now=now),
    }  # fmt: skip


_LAST = frozenset({"withdraw", "progress", "decline"})
ACTIONS = sorted(calls(Model(), dict.fromkeys(PEOPLE, "")))


class Machine(RuleBasedStateMachine):
    """One case, played against the model. `run` waits for a coroutine; `people` are the actors by account."""

    run: Callable[..., Any]
    people: dict[str, StaffActor]

    def __init__(self) -> None:
        super().__init__()
        self.model, self.now = Model(), START
        self.codes = {name: actor.unit_code for name, actor in self.people.items()}
        self.ref: str = self.run(self._register())
        self.promised: datetime = self.run(self._seen()).due_at
        self.entries = 1
        self.last = ""

    async def _register(self) -> str:
        async with transaction() as tx:
            told = await filing.register(tx, INTAKE, by=self.people[VILLAGE], now=self.now)
        return told.case.ref

    async def _seen(self) -> Any:
        async with transaction() as tx:
            return await tx.one_or_none(_CASE, ref=self.ref)

    async def _try(self, action: str, who: str, *, breaks: bool = False) -> bool:
        try:
            async with transaction() as tx:
                await calls(self.model, self.codes)[action](
                    tx, self.ref, self.people[who], self.now
                )
                if breaks:
                    await tx.flush()
                    raise BrokenOff
        except (Problem, BrokenOff):
            return False
        return True

    def open_to(self) -> list[tuple[str, str]]:
        """What the model says may be done now, and by whom."""
        return [
            (action, who)
            for action in ACTIONS
            for who in PEOPLE
            if self.model.allowed(action, who, self.now)
        ]

    @rule(hours=st.integers(1, 150), minutes=st.integers(0, 59))
    def time_passes(self, hours: int, minutes: int) -> None:
        self.now += timedelta(hours=hours, minutes=minutes)

    @precondition(lambda self: self.open_to())
    @rule(chosen=st.integers(0, 10**6), hours=st.integers(0, 30), times=st.integers(1, 3))
    def something_allowed_is_done(self, chosen: int, hours: int, times: int) -> None:
        for _ in range(times):
            self._does_one(chosen, hours)

    def _does_one(self, chosen: int, hours: int) -> None:
        # What ends it all is done seldom, or little else would be seen.
        choices = self.open_to()
        if chosen % 7:
            choices = [one for one in choices if one[0] not in _LAST] or choices
        if not choices:
            return
        action, who = choices[chosen % len(choices)]
        self.now += timedelta(hours=hours, minutes=1)
        assert self.run(self._try(action, who)), (action, who)
        self.last = action
        self.model.does(action, who, self.now)
        self.entries += 1

    @rule(action=st.sampled_from(ACTIONS), who=st.sampled_from(PEOPLE))
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
        assert (case.waiting is not None) is (model.waiting_since is not None)
        assert Counter(case.running) == model.running()
        # Nothing that the units do moves the whole case's time.
        assert case.due_at == self.promised
        if model.phase in ("pending", "handling") and model.waiting_since is None:
            assert case.stage_due_at == model.due()


@pytest.fixture
def played(
    fresh_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[Machine]]:
    """The machine on a database of its own, with the sample county in it."""
    assert redis_url
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    app_settings.cache_clear()
    own = Database(fresh_database_url, pool_size=2)
    monkeypatch.setattr(db, "database", lambda: own)
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


def test_a_case_does_what_the_model_says(played: type[Machine]) -> None:
    run_state_machine_as_test(
        played,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert played.run(every_fault()) == []


def test_it_does_so_on_long_ways_too(played: type[Machine]) -> None:
    """What is drawn at random step by step seldom gets far; these walks do, and each has been everywhere once."""
    done: Counter[str] = Counter()
    for seed in range(80):
        chance, walk = random.Random(seed), played()  # noqa: S311 - reproducible, not secret
        for _ in range(30):
            if not walk.open_to():
                break
            before = walk.entries
            walk.something_allowed_is_done(
                chance.randrange(10**6), chance.choice((0, 0, 3, 30)), times=1
            )
            done[walk.last] += walk.entries - before
            walk.the_case_is_what_the_model_says()
    assert set(done) == set(ACTIONS)
    assert played.run(every_fault()) == []

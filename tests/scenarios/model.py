"""A case as somebody with a notebook would follow it: the tiers, the phases, who may do what, and what then runs.

Imports nothing of the application: what is compared with it is not what it is made of.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from tests.scenarios.limits import (
    HEARD,
    RED_AFTER,
    SHANGHAI,
    URGENT_RED_AFTER,
    WITHOUT_CARDS,
    Card,
    Run,
    end_after,
)

VILLAGE, TOWNSHIP, CENTER, LEAD, HELPER = "gongnong", "guangshun", "zhihui", "ronglong", "shuiwu"
LEADER, SUPERVISOR = "lingdao", "ducha"
HANDLING_SIDE = (VILLAGE, TOWNSHIP, CENTER, LEAD, HELPER)
PEOPLE = (*HANDLING_SIDE, LEADER, SUPERVISOR)
UP = {VILLAGE: TOWNSHIP, TOWNSHIP: CENTER}
JUDGE_DAYS = {VILLAGE: 2, TOWNSHIP: 3, CENTER: 1}
WINDOW_DAYS, ASSIST_DAYS, SUPPLEMENT_DAYS = 5, 5, 15
HANDLE_DAYS, WHOLE_DAYS = {"help": 10, "question": 3}, {"help": 30, "question": 10}
URGENT_DAYS = {"judge": 0, "handle": 0, "whole": 5}
DECISION_DAYS, SIGN_DAYS = 1, 1
# By law, in calendar days: to inform the reporter, to handle it, and at most so many more.
INFORM_DAYS, LAW_DAYS, LAW_MORE = 15, 60, 30
# What is asked for and demanded in these games.
MORE_DAYS, WAIT_DAYS, REPLY_DAYS = 3, 6, 2
# At half a minute past, so that nothing is ever done at the very second at which a day ends.
START = datetime(2025, 1, 6, 9, 0, 30, tzinfo=SHANGHAI)


@dataclass
class Model:
    """The case itself. `parts` are open ones of the round, by who has them, and whether signed."""

    holder: str = VILLAGE
    phase: str = "pending"
    waiting: str | None = None
    last_asked: str | None = None
    own: bool = False
    parts: dict[str, bool] = field(default_factory=dict)
    assigned_at: datetime = START
    objected: set[str] = field(default_factory=set)
    # Objections, each with the limit for deciding about it.
    undecided: dict[str, Run] = field(default_factory=dict)
    objected_to_refusal: bool = False
    extension_asked: bool = False
    extended: bool = False
    wait_until: date | None = None
    listed: bool = False
    kind: str = "help"
    urgent: bool = False
    # Who changed last what it is called, and what it was called before they began to.
    renamed: tuple[str, tuple[str, bool]] | None = None
    runs: list[Run] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    resumed_by_itself: int = 0

    def __post_init__(self) -> None:
        self._run("whole", VILLAGE, START, self._days("whole"))
        self._run("inform", VILLAGE, START, INFORM_DAYS)
        self._run("statutory", VILLAGE, START, LAW_DAYS)
        self._run("judge", VILLAGE, START, self._days("judge"))

    # The limits.

    def _days(self, stage: str, called: tuple[str, bool] | None = None) -> int:
        kind, urgent = called or (self.kind, self.urgent)
        if urgent:
            return URGENT_DAYS[stage]
        return {
            "judge": JUDGE_DAYS.get(self.holder, 0),
            "handle": HANDLE_DAYS[kind],
            "whole": WHOLE_DAYS[kind],
        }[stage]

    def _run(self, stage: str, unit: str, now: datetime, days: int) -> Run:
        self.runs.append(Run(stage, unit, now, days))
        return self.runs[-1]

    def running(self, *stages: str, unit: str | None = None) -> list[Run]:
        return [
            one
            for one in self.runs
            if one.ended is None
            and (not stages or one.stage in stages)
            and (unit is None or one.unit == unit)
        ]

    def _end(self, now: datetime, *stages: str, unit: str | None = None) -> None:
        for one in self.running(*stages, unit=unit):
            one.ended = now

    def now_running(self) -> Counter[tuple[str, str, datetime | None]]:
        return Counter((one.stage, one.unit, one.due()) for one in self.running())

    @property
    def stage(self) -> Run:
        return self.running("judge", "handle")[0]

    def whole_due(self) -> datetime | None:
        return next(one for one in self.runs if one.stage == "whole").due()

    def law_due(self) -> datetime | None:
        return next(one for one in self.runs if one.stage == "statutory").due()

    def sweep(self, now: datetime) -> None:
        """What the system does by itself: cards, and an end to waits that are over."""
        for one in self.runs:
            if one.stage not in WITHOUT_CARDS:
                self.cards += one.cards(now)
        for wait in self.running("supplement", "waiting"):
            over = wait.card_at("yellow")
            if over is not None and over <= now - HEARD:
                self._go_on(now)
                self.resumed_by_itself += 1

    # What may be done.

    def allowed(self, action: str, who: str, now: datetime) -> bool:
        may: bool = getattr(self, f"may_{action}")(who, now)
        return may

    def does(self, action: str, who: str, now: datetime) -> None:
        getattr(self, f"_{action}")(who, now)

    def decider(self) -> str | None:
        """Who decides what the holder asks for: never the holder."""
        if self.phase == "handling" and not self.own:
            return CENTER
        return UP.get(self.holder)

    def _open(self) -> bool:
        return self.phase in ("pending", "handling")

    def _turn(self, who: str) -> bool:
        return self.phase == "pending" and who == self.holder and self.waiting is None

    def _has_part(self, who: str) -> bool:
        return self.phase == "handling" and who in self.parts

    def _at_it_itself(self, who: str) -> bool:
        handles = self.phase == "handling" and self.own and who == self.holder
        return handles and self.waiting is None

    def may_escalate(self, who: str, _now: datetime) -> bool:
        return (self._turn(who) or self._at_it_itself(who)) and who in UP

    def may_send_down(self, who: str, _now: datetime) -> bool:
        return self._turn(who) and who in (TOWNSHIP, CENTER)

    def may_handle(self, who: str, _now: datetime) -> bool:
        return self._turn(who)

    def may_dispatch(self, who: str, _now: datetime) -> bool:
        return who == CENTER and (self._turn(who) or self._at_it_itself(who))

    def may_request_supplement(self, who: str, _now: datetime) -> bool:
        return self._turn(who) and self.last_asked != who

    def may_supply(self, who: str, _now: datetime) -> bool:
        return self.phase == "pending" and who == VILLAGE and self.waiting == "supplement"

    def may_decline(self, who: str, _now: datetime) -> bool:
        return self.phase == "pending" and who == self.holder and who != VILLAGE

    def may_object_refusal(self, who: str, _now: datetime) -> bool:
        above = self.holder in UP and not self.objected_to_refusal
        return self.phase == "declined" and who == VILLAGE and above

    def may_sign(self, who: str, _now: datetime) -> bool:
        return self._has_part(who) and not self.parts[who]

    def may_hand_back(self, who: str, now: datetime) -> bool:
        last = end_after(self.assigned_at, WINDOW_DAYS, [])
        in_time = last is not None and now <= last
        return self._has_part(who) and not self.own and who not in self.objected and in_time

    def may_agree(self, who: str, _now: datetime) -> bool:
        return self.phase == "handling" and who == CENTER and bool(self.undecided)

    may_refuse = may_agree

    def may_progress(self, who: str, _now: datetime) -> bool:
        return self._has_part(who)

    def may_assist_answer(self, who: str, _now: datetime) -> bool:
        return self._has_part(who) and who != self.holder and self.parts[who]

    def _leads(self, who: str) -> bool:
        return self._has_part(who) and who == self.holder and self.parts[who]

    def may_answer(self, who: str, _now: datetime) -> bool:
        return self._leads(who) and len(self.parts) == 1 and not self.undecided

    def may_withdraw(self, who: str, _now: datetime) -> bool:
        return self._open() and who == VILLAGE

    def may_extend(self, who: str, now: datetime) -> bool:
        free = not self.extended and not self.extension_asked and self.waiting is None
        asks = self._leads(who) and free and self.decider() is not None
        return asks and not self.stage.overdue(now)

    def may_refuse_extension(self, who: str, _now: datetime) -> bool:
        return self.phase == "handling" and self.extension_asked and who == self.decider()

    def may_grant_extension(self, who: str, now: datetime) -> bool:
        return self.may_refuse_extension(who, now) and not self.stage.overdue(now)

    def may_wait(self, who: str, _now: datetime) -> bool:
        free = self.waiting is None and self.wait_until is None
        return self._open() and who == self.holder and free and self.decider() is not None

    def may_refuse_wait(self, who: str, _now: datetime) -> bool:
        asked = self.wait_until is not None and not self.extension_asked and self.waiting is None
        return self._open() and asked and who == self.decider()

    def may_grant_wait(self, who: str, now: datetime) -> bool:
        in_time = self.wait_until is not None and now.date() <= self.wait_until
        return self.may_refuse_wait(who, now) and in_time

    def may_resume(self, who: str, _now: datetime) -> bool:
        return self.waiting == "waiting" and who in (self.holder, self.decider())

    def may_supervise(self, who: str, _now: datetime) -> bool:
        asks = who in (LEADER, SUPERVISOR, CENTER)
        return self._open() and asks and not self.running("supervised_reply")

    def may_reply_supervision(self, who: str, _now: datetime) -> bool:
        return self._open() and bool(self.running("supervised_reply", unit=who))

    def may_list(self, who: str, _now: datetime) -> bool:
        return self._open() and who in (LEADER, SUPERVISOR) and not self.listed

    def may_unlist(self, who: str, _now: datetime) -> bool:
        return who in (LEADER, SUPERVISOR) and self.listed

    def may_call_urgent(self, who: str, _now: datetime) -> bool:
        given = self.phase == "handling" and not self.own
        return self._open() and (who == CENTER or (who == self.holder and not given))

    may_call_question = may_call_urgent

    # What it does.

    def _escalate(self, who: str, now: datetime) -> None:
        self._hand_on(UP[who], now)

    def _send_down(self, _who: str, now: datetime) -> None:
        self._hand_on(VILLAGE, now)

    def _handle(self, who: str, now: datetime) -> None:
        called = [(self.kind, self.urgent)]
        if self.renamed is not None and self.renamed[0] == who != CENTER:
            called.append(self.renamed[1])
        # By the name that gives less time, where it changed the name itself.
        kept = min(called, key=lambda one: self._days("handle", one))
        self._begin_handling({who: True}, now, own=True, called=kept)

    def _dispatch(self, _who: str, now: datetime) -> None:
        self._begin_handling({LEAD: False, HELPER: False}, now, own=False)
        self._run("sign", LEAD, now, SIGN_DAYS)
        self._run("sign", HELPER, now, SIGN_DAYS)
        self._run("assist", HELPER, now, ASSIST_DAYS)

    def _stand_still(self, why: str, now: datetime, days: int) -> None:
        self.waiting = why
        self.stage.still.append((now.date(), None))
        self._run(why, self.holder, now, days)

    def _go_on(self, now: datetime) -> None:
        since, _ = self.stage.still.pop()
        self.stage.still.append((since, now.date()))
        self._end(now, "supplement", "waiting")
        self.waiting = None

    def _request_supplement(self, who: str, now: datetime) -> None:
        self.last_asked = who
        self._stand_still("supplement", now, SUPPLEMENT_DAYS)

    def _supply(self, _who: str, now: datetime) -> None:
        self._go_on(now)

    def _decline(self, _who: str, now: datetime) -> None:
        self._over("declined", now)

    def _object_refusal(self, _who: str, now: datetime) -> None:
        self.objected_to_refusal = True
        # It goes on from where it began.
        for one in self.runs:
            if one.stage in ("whole", "statutory"):
                one.ended = None
        self._hand_on(UP[self.holder], now)

    def _sign(self, who: str, now: datetime) -> None:
        self.parts[who] = True
        self._end(now, "sign", unit=who)

    def _hand_back(self, who: str, now: datetime) -> None:
        self.objected.add(who)
        self._end(now, "sign", unit=who)
        self.undecided[who] = self._run("hand_back_decision", CENTER, now, DECISION_DAYS)

    def _settled(self, now: datetime) -> str:
        unit = min(self.undecided)
        self.undecided.pop(unit).ended = now
        return unit

    def _agree(self, _who: str, now: datetime) -> None:
        unit = self._settled(now)
        if unit == self.holder:
            self._hand_on(CENTER, now)
        else:
            self._part_over(unit, now)

    def _refuse(self, _who: str, now: datetime) -> None:
        unit = self._settled(now)
        if not self.parts[unit]:
            self._run("sign", unit, now, SIGN_DAYS)

    def _progress(self, _who: str, _now: datetime) -> None:
        """Nothing but an entry."""

    def _assist_answer(self, who: str, now: datetime) -> None:
        self._part_over(who, now)

    def _answer(self, _who: str, now: datetime) -> None:
        self._over("answered", now)

    def _withdraw(self, _who: str, now: datetime) -> None:
        self._over("withdrawn", now)

    def _extend(self, _who: str, now: datetime) -> None:
        self.extension_asked = True
        self._run("extension_decision", self.decider() or "", now, DECISION_DAYS)

    def _refuse_extension(self, _who: str, now: datetime) -> None:
        self.extension_asked, self.extended = False, True
        self._end(now, "extension_decision")

    def _grant_extension(self, who: str, now: datetime) -> None:
        for one in self.running("handle", "whole"):
            if not one.overdue(now):
                one.more = MORE_DAYS
        for law in self.running("statutory"):
            dues = [one.due() for one in [*self.running("handle", "whole"), law]]
            days = (max(due for due in dues if due) - (law.due() or now)).days
            if not law.overdue(now) and not law.more:
                law.more = min(days, LAW_MORE)
        self._refuse_extension(who, now)

    def _wait(self, _who: str, now: datetime) -> None:
        self.wait_until = now.date() + timedelta(days=WAIT_DAYS)
        self._run("wait_decision", self.decider() or "", now, DECISION_DAYS)

    def _refuse_wait(self, _who: str, now: datetime) -> None:
        self.wait_until = None
        self._end(now, "wait_decision")

    def _grant_wait(self, who: str, now: datetime) -> None:
        assert self.wait_until is not None
        self._stand_still("waiting", now, (self.wait_until - now.date()).days)
        self._refuse_wait(who, now)

    def _resume(self, _who: str, now: datetime) -> None:
        self._go_on(now)

    def _supervise(self, _who: str, now: datetime) -> None:
        self._run("supervised_reply", self.holder, now, REPLY_DAYS)

    def _reply_supervision(self, _who: str, now: datetime) -> None:
        self._end(now, "supervised_reply")

    def _list(self, _who: str, _now: datetime) -> None:
        self.listed = True

    def _unlist(self, _who: str, _now: datetime) -> None:
        self.listed = False

    def _call_urgent(self, who: str, now: datetime) -> None:
        self._call(self.kind, not self.urgent, who, now)

    def _call_question(self, who: str, now: datetime) -> None:
        self._call("help" if self.kind == "question" else "question", self.urgent, who, now)

    def _call(self, kind: str, urgent: bool, who: str, now: datetime) -> None:
        if self.renamed is None or self.renamed[0] != who:
            self.renamed = who, (self.kind, self.urgent)
        self.kind, self.urgent = kind, urgent
        least = end_after(now, 1, [])
        assert least is not None
        for one in self.running("judge", "handle", "whole"):
            may_be_later = who == CENTER and one.stage != "whole"
            if not one.overdue(now):
                self._remeasure(one, now, least, may_be_later=may_be_later)

    def _remeasure(self, one: Run, now: datetime, least: datetime, *, may_be_later: bool) -> None:
        days = self._days(one.stage)
        had, has = one.if_days_were(one.days, now), one.if_days_were(days, now)
        if has < min(had, least):
            days = next(more for more in range(1000) if one.if_days_were(more, now) >= least)
            has, may_be_later = one.if_days_were(days, now), False
        if has < had or may_be_later:
            one.days, one.red_after = days, URGENT_RED_AFTER if self.urgent else RED_AFTER

    # What comes with it.

    def _part_over(self, unit: str, now: datetime) -> None:
        self.parts.pop(unit)
        self._end(now, "sign", "assist", unit=unit)
        if unit in self.undecided:
            self.undecided.pop(unit).ended = now

    def _stage_over(self, now: datetime) -> None:
        """With the stage ends all that was asked for in it."""
        self._end(
            now, "judge", "handle", "supplement", "waiting", "extension_decision", "wait_decision"
        )
        self.waiting, self.wait_until, self.extension_asked = None, None, False

    def _hand_on(self, holder: str, now: datetime) -> None:
        for unit in list(self.parts):
            self._part_over(unit, now)
        self._stage_over(now)
        self.phase, self.holder, self.own = "pending", holder, False
        self._own_stage("judge", (self.kind, self.urgent), now)

    def _own_stage(self, stage: str, called: tuple[str, bool], now: datetime) -> None:
        run = self._run(stage, self.holder, now, self._days(stage, called))
        run.red_after = URGENT_RED_AFTER if called[1] else RED_AFTER

    def _begin_handling(
        self,
        parts: dict[str, bool],
        now: datetime,
        *,
        own: bool,
        called: tuple[str, bool] | None = None,
    ) -> None:
        self._stage_over(now)
        self._end(now, "inform")
        self.phase, self.parts, self.own, self.assigned_at = "handling", parts, own, now
        self.holder, self.objected = next(iter(parts)), set()
        self._own_stage("handle", called or (self.kind, self.urgent), now)

    def _over(self, phase: str, now: datetime) -> None:
        self._end(now)
        self.undecided.clear()
        self.phase, self.parts = phase, {}
        self.waiting, self.wait_until, self.extension_asked = None, None, False

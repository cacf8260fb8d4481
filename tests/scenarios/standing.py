"""How a case stands in the notebook that model.py keeps: what runs, who holds what, and who may do what next.

Imports nothing of the application: what is compared with it is not what it is made of.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.scenarios.limits import (
    SHANGHAI,
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
class Standing:
    """The case as it stands. `parts` are open ones of the round, by who has them, and whether signed."""

    holder: str = VILLAGE
    phase: str = "pending"
    waiting: str | None = None
    last_asked: str | None = None
    own: bool = False
    parts: dict[str, bool] = field(default_factory=dict)
    # When each had its part given, and who was given one by the center.
    assigned_at: dict[str, datetime] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    objected: set[str] = field(default_factory=set)
    # Objections, each with the limit for deciding about it.
    undecided: dict[str, Run] = field(default_factory=dict)
    objected_to_refusal: bool = False
    extension_asked: bool = False
    extended: bool = False
    wait_until: date | None = None
    listed: bool = False
    returns: int = 0
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

    # What may be done.

    def allowed(self, action: str, who: str, now: datetime) -> bool:
        may: bool = getattr(self, f"may_{action}")(who, now)
        return may

    def decider(self) -> str | None:
        """Who decides what the holder asks for: never the holder."""
        if self.phase == "handling" and not self.own and self.holder != CENTER:
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
        return who == CENTER == self.holder and self._open() and self.waiting is None

    def may_dispatch_to_itself(self, who: str, _now: datetime) -> bool:
        """What it leads already it does not give itself again: its time would begin anew."""
        return who == CENTER and self._turn(who)

    def may_request_supplement(self, who: str, _now: datetime) -> bool:
        return self._turn(who) and self.last_asked != who

    def may_supply(self, who: str, _now: datetime) -> bool:
        return self.phase == "pending" and who == VILLAGE and self.waiting == "supplement"

    def may_add(self, who: str, _now: datetime) -> bool:
        return self._open() and who == VILLAGE and self.waiting != "supplement"

    def may_decline(self, who: str, _now: datetime) -> bool:
        return self.phase == "pending" and who == self.holder and who != VILLAGE

    def may_object_refusal(self, who: str, _now: datetime) -> bool:
        above = self.holder in UP and not self.objected_to_refusal
        return self.phase == "declined" and who == VILLAGE and above

    def may_sign(self, who: str, _now: datetime) -> bool:
        return self._has_part(who) and not self.parts[who]

    def may_hand_back(self, who: str, now: datetime) -> bool:
        if not self._has_part(who) or who in self.objected:
            return False
        last = end_after(self.assigned_at[who], WINDOW_DAYS, [])
        return who in self.given and who != CENTER and last is not None and now <= last

    def _under_center(self) -> bool:
        return self.phase == "handling" and (not self.own or self.holder == CENTER)

    def next_lead(self) -> str:
        return LEAD if self.holder == HELPER else HELPER

    def next_assistant(self) -> str:
        free = (one for one in (HELPER, VILLAGE) if one not in self.parts)
        return next(free, VILLAGE)

    def may_change_lead(self, who: str, _now: datetime) -> bool:
        settled = self.holder not in self.undecided and self.next_lead() not in self.undecided
        return who == CENTER and self._under_center() and self.waiting is None and settled

    def may_add_assistant(self, who: str, _now: datetime) -> bool:
        return who == CENTER and self._under_center() and self.next_assistant() not in self.parts

    def may_excuse(self, who: str, _now: datetime) -> bool:
        return who == CENTER and self.phase == "handling" and bool(self.assistants())

    def assistants(self) -> list[str]:
        return sorted(one for one in self.parts if one != self.holder)

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

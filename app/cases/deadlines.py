"""How long each stage of a case has. Pure; counts from the hand-over, never from the signature."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from app.clock import SHANGHAI
from app.directory.terms import OFFICES, UnitKind


class Kind(StrEnum):
    """What a case is about; it decides how long handling may take. ACCUSATION (检举控告) is always sealed."""

    QUESTION = "question"
    SUGGESTION = "suggestion"
    HELP = "help"
    COMPLAINT = "complaint"
    ACCUSATION = "accusation"

    @property
    def chinese(self) -> str:
        return _KINDS[self]


class Stage(StrEnum):
    JUDGE = "judge"
    SUPPLEMENT = "supplement"
    SIGN = "sign"
    HANDLE = "handle"
    ASSIST = "assist"
    HAND_BACK_DECISION = "hand_back_decision"


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of calendar days; `name` says which rule it was, and is kept on the case."""

    days: int
    name: str


_JUDGE_DAYS = {UnitKind.VILLAGE: 2, UnitKind.TOWNSHIP: 3, UnitKind.COMMAND_CENTER: 1}
_JUDGE_DAYS_ELSE = 3
_HANDLE_DAYS = {
    Kind.QUESTION: 3,
    Kind.SUGGESTION: 5,
    Kind.HELP: 10,
    Kind.COMPLAINT: 10,
    Kind.ACCUSATION: 10,
}
_FIXED_DAYS = {Stage.SIGN: 1, Stage.ASSIST: 5, Stage.HAND_BACK_DECISION: 1, Stage.SUPPLEMENT: 15}
# Law: a unit may object to an assignment within 5 days (信访工作条例 asks for it within 5 working days).
HAND_BACK_WINDOW_DAYS = 5
# Law: 60 days to handle a petition (信访工作条例 art. 34), counted for the whole case.
WHOLE_CASE_DAYS = 60
PRESS_COOL_DOWN = timedelta(hours=24)


def stage_limit(stage: Stage, *, holder: UnitKind, kind: Kind, urgent: bool) -> Limit:
    """What a stage may take; an urgent case is judged and handled the same day it was handed over."""
    if stage is Stage.JUDGE:
        days = 0 if urgent else _JUDGE_DAYS.get(holder, _JUDGE_DAYS_ELSE)
    elif stage is Stage.HANDLE:
        days = 0 if urgent else _HANDLE_DAYS[kind]
    else:
        days = _FIXED_DAYS[stage]
    return Limit(days, f"default/{stage}/{holder}/{kind}{'/urgent' if urgent else ''}")


def due(received: datetime, limit_days: int) -> datetime:
    """The end of the last day, Asia/Shanghai. Day 1 is the day after receipt; 0 days ends the same day."""
    last: date = received.astimezone(SHANGHAI).date() + timedelta(days=limit_days)
    return datetime.combine(last, time(23, 59, 59), tzinfo=SHANGHAI)


def survey_window_ends(answered: datetime, days: int) -> datetime:
    """When an answered case is archived, whatever was or was not evaluated: always at a day's end."""
    return due(answered, days)


def may_refuse(holder: UnitKind) -> bool:
    """A village hears everybody out: only a township and up may decline."""
    return holder is not UnitKind.VILLAGE


def has_lower_tier(holder: UnitKind) -> bool:
    return holder is UnitKind.COMMAND_CENTER or (
        holder not in OFFICES and holder is not UnitKind.VILLAGE
    )


_KINDS = {
    Kind.QUESTION: "咨询",
    Kind.SUGGESTION: "建议",
    Kind.HELP: "求助",
    Kind.COMPLAINT: "投诉",
    Kind.ACCUSATION: "检举控告",
}

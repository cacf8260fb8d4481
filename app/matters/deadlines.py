"""When a clock's limit ends and what comes when. Pure: computed anew from what was recorded, never edited."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from itertools import count
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from app.calendars.working_time import Due, Limit, LimitUnit, Pause, WorkingCalendar
from app.directory.terms import OFFICES, UnitKind
from app.limits.rules import REVIEW_ASKED_WITHIN, Rule, RuleSet
from app.limits.terms import WITHOUT_CARDS, Kind, Stage

# 23:59:59 stands for the end of the day: what is late is late from midnight on.
_END = timedelta(seconds=1)
_ONE_DAY: Final = Limit(1, LimitUnit.WORKING_DAYS)
# How a clock's rule is called where the command center gave the limit for this one matter.
_GIVEN: Final = "given"
# The stages of the matter itself, one after the other; all others run beside them.
OF_THE_CASE = frozenset({Stage.JUDGE, Stage.HANDLE})
# Limits of the matter as a whole: they run from its receipt and do not stop when it changes hands. Only WHOLE starts again,
# with a new round.
WHOLE_CASE_STAGES = (Stage.WHOLE, Stage.INFORM, Stage.STATUTORY)

# Stages that limit a wait; the stage of the matter stands still meanwhile.
WAITS = frozenset({Stage.SUPPLEMENT, Stage.WAITING})


class Step(IntEnum):
    """What comes of a clock, in this order; of a stage without cards YELLOW is only that it is over."""

    REMIND = 0
    YELLOW = 1
    RED = 2


class Timing(Struct, frozen=True):
    """What a county's limits are computed by. `categories`: the matter's, and those above it, nearest first."""

    calendar: WorkingCalendar
    rules: RuleSet
    categories: tuple[int, ...] = ()

    def rule(self, stage: Stage, *, tier: UnitKind, kind: Kind, urgent: bool) -> Rule:
        """The rule for a stage of this matter at a unit of that tier."""
        return self.rules.of(stage, tier=tier, kind=kind, categories=self.categories, urgent=urgent)


class Running(Protocol):
    """A clock, as far as its moments go."""

    stage: Stage
    rule: str
    started_at: datetime
    limit: str
    remind_before: int
    yellow_after: str
    red_after: str | None
    calendar_version: int
    pauses: str
    extension: str | None
    due_at: datetime | None
    provisional: bool
    certain_steps: int
    remind_at: datetime | None
    yellow_at: datetime | None
    red_at: datetime | None
    ended_at: datetime | None
    held_at: datetime | None
    steps: int
    next_at: datetime | None


def measured(rule: Rule, stage: Stage, given: Limit | None, by: str = _GIVEN) -> dict[str, Any]:
    """What a clock keeps of its rule; or of the limit that holds instead of the rule's, and `by` what."""
    limit = rule.limit if given is None else given
    reminded = given is None or given.amount > rule.remind_before
    carded = rule.red_after is not None and stage not in WITHOUT_CARDS
    return {
        "limit": str(limit),
        "remind_before": rule.remind_before if reminded else 0,
        "yellow_after": str(rule.yellow_after),
        "red_after": str(rule.red_after) if carded else None,
        "rule": rule.name if given is None else f"{by}/{given}",
    }


def remeasure(
    clock: Running, rule: Rule, calendar: WorkingCalendar, now: datetime, *, may_be_later: bool
) -> None:
    """What the matter is about was put right: from where it began the clock counts by the rule that now holds.

    It ends later only where that may be, and never where the limit was given for this one matter. Who gets less time keeps
    one full working day from now, or what they had, if that is less: nobody is late for time that was not over. What was
    missed stays missed.
    """
    if overdue(clock, now):
        return
    had, has = (
        _ends(clock, clock.limit, calendar, now),
        _ends(clock, str(rule.limit), calendar, now),
    )
    least = calendar.due(now, _ONE_DAY).at
    assert least is not None, "nothing pauses it"
    if has >= had and not (may_be_later and not clock.rule.startswith(f"{_GIVEN}/")):
        return
    given = None if has >= min(had, least) else _shortest(clock, calendar, now, least)
    if given is not None and _ends(clock, str(given), calendar, now) >= had:
        return
    for name, value in measured(rule, clock.stage, given, "recategorised").items():
        setattr(clock, name, value)
    retime(clock, calendar)


def _shortest(clock: Running, calendar: WorkingCalendar, now: datetime, until: datetime) -> Limit:
    """The limit in working days that brings the clock to that moment."""
    limits = (Limit(days, LimitUnit.WORKING_DAYS) for days in count())
    return next(one for one in limits if _ends(clock, str(one), calendar, now) >= until)


def _ends(clock: Running, limit: str, calendar: WorkingCalendar, now: datetime) -> datetime:
    """When the clock would be due by this limit; while it stands still, as if it went on now."""
    pauses = [(since, now if to is None else to) for since, to in read_pauses(clock)]
    due = calendar.due(clock.started_at, Limit.parse(limit), pauses)
    if clock.extension is not None:
        due = _further(calendar, due, clock.extension, pauses)
    assert due.at is not None, "it does not stand still"
    return due.at


def retime(clock: Running, calendar: WorkingCalendar) -> None:
    """Compute the clock's moments from its start, limit, pauses and extension, and when the sweep is to look next."""
    pauses = read_pauses(clock)
    due = calendar.due(clock.started_at, Limit.parse(clock.limit), pauses)
    if due.at is not None and clock.extension is not None:
        due = _further(calendar, due, clock.extension, pauses)
    clock.calendar_version, clock.due_at = calendar.version, due.at
    clock.provisional, clock.certain_steps = False, len(Step)
    clock.remind_at = clock.yellow_at = clock.red_at = None
    if due.at is not None:
        yellow = _further(calendar, due, clock.yellow_after, pauses)
        red = None if clock.red_after is None else _further(calendar, due, clock.red_after, pauses)
        # None is certain after one that is not: each is further on than the one before.
        steps = (due, yellow, red or yellow)
        clock.certain_steps = sum(not one.provisional for one in steps)
        clock.provisional = clock.certain_steps < len(steps)
        clock.remind_at = _reminder(clock, calendar, due.at)
        clock.yellow_at = None if yellow.at is None else yellow.at + _END
        clock.red_at = None if red is None or red.at is None else red.at + _END
    set_next(clock)


def set_next(clock: Running) -> None:
    """When the sweep looks again: at the first moment not yet dealt with that the clock was still running at.

    Never at one that rests on a year whose calendar is not published.
    """
    clock.next_at = None
    for step, moment in _moments(clock)[clock.steps : clock.certain_steps]:
        if moment is not None and not _ended_before(clock, step, moment):
            clock.next_at = moment
            return


def is_wait_over(clock: Running, now: datetime) -> bool:
    """Whether the clock limits a wait, still runs, and its time is over."""
    return (
        clock.stage in WAITS
        and clock.ended_at is None
        and any(step is Step.YELLOW for step, _ in due_steps(clock, now))
    )


def due_steps(clock: Running, now: datetime) -> list[tuple[Step, datetime]]:
    """What is to be done with the clock now, each with the moment it takes effect; a reminder only if nothing worse is."""
    due = [
        (step, moment)
        for step, moment in _moments(clock)[clock.steps : clock.certain_steps]
        if moment is not None and moment <= now and not _ended_before(clock, step, moment)
    ]
    return due[1:] if len(due) > 1 and due[0][0] is Step.REMIND else due


def pause(clock: Running, now: datetime) -> None:
    pauses = read_pauses(clock)
    if not pauses or pauses[-1][1] is not None:
        _write_pauses(clock, [*pauses, (now, None)])


def resume(clock: Running, now: datetime) -> None:
    pauses = read_pauses(clock)
    if pauses and pauses[-1][1] is None:
        _write_pauses(clock, [*pauses[:-1], (pauses[-1][0], now)])


def hold(clock: Running, now: datetime) -> None:
    """Nothing comes of the clock from now on, though it goes on: whether the stage is the unit's at all is being decided."""
    clock.held_at = now
    set_next(clock)


def release(clock: Running) -> None:
    """The stage is the unit's: what was held back comes now, each for its own moment."""
    clock.held_at = None
    set_next(clock)


def overdue(clock: Running, now: datetime) -> bool:
    """Whether its due time has been missed; never while it stands still with time left."""
    return clock.due_at is not None and now >= clock.due_at + _END


def read_pauses(clock: Running) -> list[Pause]:
    return msgspec.json.decode(clock.pauses, type=list[Pause])


def paused_time(clock: Running, now: datetime) -> timedelta:
    """How long the clock has stood still so far, by the clock on the wall; once it has ended, until then."""
    until = now if clock.ended_at is None else clock.ended_at
    return sum(((end or until) - start for start, end in read_pauses(clock)), timedelta())


def survey_window_ends(answered: datetime, days: int) -> datetime:
    """When an answered case is archived, whatever was or was not evaluated: always at a day's end, Asia/Shanghai."""
    ends = WorkingCalendar(0).due(answered, Limit(days, LimitUnit.CALENDAR_DAYS)).at
    assert ends is not None, "nothing pauses it"
    return ends


def review_until(told: datetime) -> datetime:
    """Until when a review may be asked of what was answered, or a re-examination of what was reviewed: the end of that day."""
    return survey_window_ends(told, REVIEW_ASKED_WITHIN)


def may_refuse(holder: UnitKind) -> bool:
    """A village hears everybody out: only a township and up may decline."""
    return holder is not UnitKind.VILLAGE


def has_lower_tier(holder: UnitKind) -> bool:
    return holder is UnitKind.COMMAND_CENTER or (
        holder not in OFFICES and holder is not UnitKind.VILLAGE
    )


def _further(calendar: WorkingCalendar, due: Due, limit: str, pauses: Sequence[Pause]) -> Due:
    assert due.at is not None
    later = calendar.after(due.at, Limit.parse(limit), pauses)
    return Due(later.at, due.provisional or later.provisional)


def _reminder(clock: Running, calendar: WorkingCalendar, due_at: datetime) -> datetime | None:
    if clock.remind_before == 0:
        return None
    at = calendar.remind_at(due_at, clock.remind_before)
    return at if at > clock.started_at else None


def _moments(clock: Running) -> list[tuple[Step, datetime | None]]:
    return [
        (Step.REMIND, clock.remind_at),
        (Step.YELLOW, clock.yellow_at),
        (Step.RED, clock.red_at),
    ]


def _ended_before(clock: Running, step: Step, moment: datetime) -> bool:
    """What ended in time, or was held by then, earns no card; what has ended needs no reminder."""
    if step is Step.REMIND and clock.ended_at is not None:
        return True
    return any(until is not None and until < moment for until in (clock.ended_at, clock.held_at))


def _write_pauses(clock: Running, pauses: list[Pause]) -> None:
    in_utc = [
        (start.astimezone(UTC), None if end is None else end.astimezone(UTC))
        for start, end in pauses
    ]
    clock.pauses = msgspec.json.encode(in_utc).decode()

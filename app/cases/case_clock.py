"""The clocks that run from end to end of a case: begun with it, opened again with it, and those of cases that are joined.

Reads and writes nothing; a stage's clocks are the dossier's.
"""

from datetime import datetime

from app.cases.dossier import Dossier
from app.identifiers import uuid7
from app.limits.terms import Stage
from app.matters import deadlines
from app.matters.clocks import Clock

# What a clock keeps when it goes on at another case.
_GIVEN_ON = (
    "county_id", "stage", "started_at", "limit", "remind_before", "yellow_after", "red_after", "rule", "extension", "steps",
)  # fmt: skip


def begin(dossier: Dossier, now: datetime) -> None:
    """Start the clock of the whole case, for a new round."""
    dossier.show(dossier.begin(Stage.WHOLE, dossier.case.first_unit_id, dossier.holder.kind, now))


def reopen(dossier: Dossier) -> None:
    """What had ended goes on: the clocks of the whole case count from where they began.

    Of two the later: the other one ended when a case was joined that was to be done sooner. What the reporter has
    been told, they have been told.
    """
    for stage in (Stage.WHOLE, Stage.STATUTORY):
        ended = [
            (one.ended_at, one)
            for one in dossier.clocks
            if one.stage is stage and one.round == dossier.case.round and one.ended_at
        ]
        if not ended:
            continue
        _, clock = max(ended, key=lambda one: one[0])
        clock.ended_at = None
        deadlines.retime(clock, dossier.timing.calendar)
        dossier.show(clock)


def join(dossier: Dossier, other: Dossier, now: datetime) -> None:
    """Another case becomes part of this one: of what runs from end to end on both, what is due sooner goes on.

    With the extension it had, if any: that was the one extension of the whole case.
    """
    for stage in deadlines.WHOLE_CASE_STAGES:
        mine, theirs = dossier.running(stage), other.running(stage)
        if mine is None or theirs is None or not _sooner(theirs, mine):
            continue
        dossier.end(mine, now)
        given = {name: getattr(theirs, name) for name in _GIVEN_ON}
        whose = {"matter_id": dossier.case.id, "round": dossier.case.round, "unit_id": mine.unit_id}
        calendar = dossier.timing.calendar
        clock = Clock(id=uuid7(now), calendar_version=calendar.version, **given | whose)
        deadlines.retime(clock, calendar)
        dossier.clocks.append(clock)
        dossier.show(clock)
        if stage is Stage.WHOLE and clock.extension is not None:
            dossier.case.extended = True


def _sooner(one: Clock, other: Clock) -> bool:
    """Neither ever stands still, so both have a due time."""
    return one.due_at is not None and other.due_at is not None and one.due_at < other.due_at

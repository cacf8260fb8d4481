"""Notices of an action on a case: texts for the units concerned (app/matters/notices.py), and news for the holder's lists.

A sealed case causes no text.
"""

from datetime import datetime
from typing import Final

from app.auth.actor import SYSTEM, Actor, CitizenActor, StaffActor
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Phase
from app.db import Transaction
from app.limits.terms import OF_REVIEWS, OF_THE_LAW, Stage
from app.matters.clocks import Clock
from app.matters.notices import NOBODY, owe
from app.settings import NoticeKind

# Limits that tell of work at a unit: to judge, to sign, whatever comes to be. The others run for nobody, go on where the unit
# is at it already, or come with a notice of their own.
_NO_WORK: Final = frozenset({
    Stage.SUPPLEMENT, Stage.WAITING, Stage.WHOLE, Stage.HANDLE, Stage.ASSIST, Stage.SUPERVISED_REPLY,
}) | (OF_THE_LAW - OF_REVIEWS)  # fmt: skip
_DECISIONS: Final = OF_REVIEWS | {
    Stage.HAND_BACK_DECISION,
    Stage.EXTENSION_DECISION,
    Stage.WAIT_DECISION,
}
# A unit that has none of these running any more has nothing left to do about a case.
_WORK: Final = frozenset({Stage.JUDGE, Stage.SIGN, Stage.HANDLE, Stage.ASSIST})
_REMINDERS: Final = {Action.PRESS: "pressed", Action.INSTRUCT: "instructed"}
# News in lists alone: what a resident adds is worth no text to the unit.
_ADDITIONS: Final = {Action.ADD: "added"}
_OPEN: Final = frozenset({Phase.PENDING, Phase.HANDLING, Phase.ANSWERED})


def pass_on(tx: Transaction, dossier: Dossier, action: Action, *, by: Actor, now: datetime) -> None:
    """Tell the units that an action concerns. history.record() calls it, so no action needs to.

    A unit is told of each limit that somebody else began for it or passed to it, and that somebody else ended all its work on
    the case; the holder when pressed or instructed.
    The case itself tells its holder in lists (`news`), until the holder acts on it.
    """
    _write_news(dossier, action, by=by, now=now)
    if dossier.case.sealed:
        return
    owed = {
        (one.unit_id, NoticeKind.DECISION if one.stage in _DECISIONS else NoticeKind.WORK, NOBODY)
        for one in _given(dossier, by)
    }
    owed |= {(unit_id, NoticeKind.RELIEVED, NOBODY) for unit_id in _relieved(dossier, by)}
    holder = dossier.case.holder_unit_id
    if action in _REMINDERS and _unit(by) != holder:
        handling = dossier.running(Stage.HANDLE)
        person = None if handling is None else handling.staff_id
        owed.add((holder, NoticeKind.PRESSED, person or NOBODY))
    owe(tx, owed, now=now)


def _given(dossier: Dossier, by: Actor) -> list[Clock]:
    """The limits of work that are new, or another unit's than before, and not of the actor's own unit."""
    own, before = _unit(by), dossier.clocks_before
    return [
        one
        for one in dossier.clocks
        if one.ended_at is None
        and one.stage not in _NO_WORK
        and one.unit_id != own
        and (one.id not in before or before[one.id]["unit_id"] != one.unit_id)
    ]


def _relieved(dossier: Dossier, by: Actor) -> set[int]:
    """Units whose work on the case another actor ended. Empty for the system: it hands the work over to a successor unit."""
    if by is SYSTEM:
        return set()
    before = dossier.clocks_before
    work = [one for one in dossier.clocks if one.stage in _WORK]
    ended = {
        one.unit_id
        for one in work
        if one.ended_at is not None and one.id in before and before[one.id]["ended_at"] is None
    }
    return ended - {one.unit_id for one in work if one.ended_at is None} - {_unit(by)}


def _write_news(dossier: Dossier, action: Action, *, by: Actor, now: datetime) -> None:
    case = dossier.case
    if case.phase not in _OPEN:
        case.news = None
    elif any(
        one.unit_id == case.holder_unit_id and one.stage not in _DECISIONS
        for one in _given(dossier, by)
    ):
        case.news = [_news("given", by, now)]
    elif action in _REMINDERS or (action in _ADDITIONS and _unit(by) != case.holder_unit_id):
        what = (_REMINDERS | _ADDITIONS)[action]
        case.news = [one for one in case.news or () if one["what"] != what] + [_news(what, by, now)]
    elif case.news is not None and _unit(by) == case.holder_unit_id:
        case.news = None


def _news(what: str, by: Actor, now: datetime) -> dict[str, str]:
    who = by.role.value if isinstance(by, StaffActor) else "reporter" if isinstance(by, CitizenActor) else "system"  # fmt: skip
    return {"what": what, "by": who, "at": now.isoformat()}


def _unit(by: Actor) -> int | None:
    return by.unit_id if isinstance(by, StaffActor) else None

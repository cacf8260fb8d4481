"""What the command center decides: who leads and assists, whether a hand-back is right, who is excused, what is one case."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from app.auth.actor import StaffActor
from app.calendars.working_time import Limit, LimitUnit
from app.cases import access, deadlines, history, lifecycle, papers, whole_case
from app.cases.actions.filing import release_open
from app.cases.actions.telling import tell, tell_all
from app.cases.dossier import Dossier, hand_back_undecided
from app.cases.lifecycle import Action, Condition, Phase
from app.cases.models import OPEN_ASSIGNMENT, Assignment, AssignmentRole, AssignmentState
from app.cases.papers import PaperKind
from app.cases.routing import Place
from app.db import Transaction
from app.directory.terms import UnitKind
from app.errors import ActionNotAllowed, InvalidInput, NotFound
from app.identifiers import uuid7
from app.limits.terms import Stage
from app.outbox import MessageKind

# Any unit of the county that can be given work: departments, townships, villages, the center itself.
_UNITS = text("""
SELECT id, code, name, kind, head_approves FROM unit
WHERE code = ANY(:codes) AND county_id = :county_id AND kind NOT IN ('county', 'city', 'province')
  AND (valid_to IS NULL OR valid_to >= CURRENT_DATE)
""")


@dataclass(frozen=True, slots=True)
class Part:
    """A unit's part as the dispatcher names it; `days` are working days, None takes the rule's limit."""

    unit_code: str
    task: str = ""
    days: int | None = None

    @property
    def limit(self) -> Limit | None:
        return None if self.days is None else Limit(self.days, LimitUnit.WORKING_DAYS)


async def dispatch(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    lead: Part,
    assistants: list[Part],
    note: str,
    now: datetime,
) -> Dossier:
    """Name exactly one lead, any unit of the county, and any assistants, each with a deadline (交办).

    Where the command center was at it itself, its own part and those of its assistants end. Then it names another unit:
    what it leads already it cannot give itself, or its time would begin anew as often as it likes.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.DISPATCH, by=by, now=now)
    _require_another(dossier, lead, by, now)
    units = await _named_units(tx, dossier, [lead, *assistants])
    await _release(tx, dossier, now)
    leading = units[lead.unit_code]
    dossier.holder = Place(leading.id, leading.name, UnitKind(leading.kind))
    dossier.case.holder_unit_id = leading.id
    dossier.start(Stage.HANDLE, now, limit=lead.limit)
    given = [_given(dossier, lead, leading, AssignmentRole.LEAD, by, now)]
    given += [
        _given(dossier, part, units[part.unit_code], AssignmentRole.ASSIST, by, now)
        for part in assistants
    ]
    dossier.assignments += given
    for part in given:
        access.admit(tx, dossier.case, part.unit_id, now)
    tasks = {
        f"task_{part.unit_id}": named.task
        for part, named in zip(given, [lead, *assistants], strict=True)
        if named.task
    }
    paper = await papers.on_record(tx, dossier, PaperKind.DISPATCH, now)
    history.record(
        tx,
        dossier,
        Action.DISPATCH,
        by=by,
        now=now,
        public=True,
        texts=tasks | ({"note": note} if note else {}),
        lead=leading.id,
        assistants=[part.unit_id for part in given[1:]],
        until=dossier.case.stage_due_at,
        **paper,
    )
    await tell_all(tx, dossier, MessageKind.MOVED, now=now, unit=leading.name)
    return dossier


async def settle(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    unit_code: str,
    agreed: bool,
    reason: str,
    now: datetime,
) -> Dossier:
    """Decide a unit's objection. Agreed: its part ends, and where it led the case is the command center's again."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.SETTLE, by=by, now=now)
    part, kind = await _part_of(tx, dossier, unit_code)
    if not hand_back_undecided(part):
        raise ActionNotAllowed("该单位没有待裁定的退回申请。", action=Action.SETTLE)
    if dossier.asked_back_himself(part, by):
        what = Condition.HAND_BACK_ASKED_BY_ANOTHER.chinese
        raise ActionNotAllowed(f"不能裁定：{what}。", action=Action.SETTLE)
    part.hand_back_settled_at = now
    dossier.end(dossier.running(Stage.HAND_BACK_DECISION, part), now)
    if not agreed and (theirs := dossier.working(part)) is not None:
        deadlines.release(theirs)
    if not agreed and part.state is AssignmentState.OFFERED:
        sign = dossier.begin(Stage.SIGN, part.unit_id, kind, now, part=part)
        part.sign_due_at = sign.due_at or part.sign_due_at
    if agreed:
        part.state, part.done_at = AssignmentState.HANDED_BACK, now
        dossier.end_part(part, now)
        dossier.case.returns += 1
        if part.role is AssignmentRole.LEAD:
            release_open(dossier, now)
            lifecycle.settle_agreed(dossier.case)
            dossier.give_to(Place(by.unit_id, by.unit_name, by.unit_kind), Stage.JUDGE, now)
    history.record(
        tx,
        dossier,
        Action.SETTLE,
        by=by,
        now=now,
        public=False,
        texts={"reason": reason},
        agreed=agreed,
        unit=part.unit_id,
    )
    return dossier


async def excuse(
    tx: Transaction, ref: str, *, by: StaffActor, unit_code: str, reason: str, now: datetime
) -> Dossier:
    """An assistant is no longer needed; the lead can close without its answer."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.EXCUSE, by=by, now=now)
    part, _ = await _part_of(tx, dossier, unit_code)
    if part.role is not AssignmentRole.ASSIST or part.state not in OPEN_ASSIGNMENT:
        raise ActionNotAllowed("该单位不是尚未答复的协办单位。", action=Action.EXCUSE)
    part.state, part.done_at = AssignmentState.EXCUSED, now
    dossier.end_part(part, now)
    history.record(
        tx,
        dossier,
        Action.EXCUSE,
        by=by,
        now=now,
        public=False,
        texts={"reason": reason},
        unit=part.unit_id,
    )
    return dossier


async def merge(
    tx: Transaction, ref: str, *, by: StaffActor, primary_ref: str, reason: str, now: datetime
) -> Dossier:
    """The same grievance told twice: it joins the primary case, whose answer its reporter is told and asked about too.

    Whichever of the two is to be done sooner sets the time for both. What is listed, or owes a supervised reply, joins
    nothing: with it a leader's demand would end, and whom it was made of may have no part in the other case. That one
    joins it instead, and the demand stays as it was made.
    """
    if primary_ref == ref:
        raise InvalidInput(mistakes=[{"where": "body.primary_ref", "what": "不能并入自身"}])
    # In one order whoever merges what into what: two merges the other way round cannot wait for each other.
    locked = {one: await access.lock_case(tx, one, by=by) for one in sorted((ref, primary_ref))}
    dossier, primary = locked[ref], locked[primary_ref]
    access.take(dossier, Action.MERGE, by=by, now=now)
    if (
        primary.case.phase not in (Phase.PENDING, Phase.HANDLING)
        or primary.case.sealed != dossier.case.sealed
    ):
        raise ActionNotAllowed(
            "只能并入一件待研判或办理中的事件。", action=Action.MERGE, phase=primary.case.phase
        )
    whole_case.join(primary, dossier, now)
    release_open(dossier, now)
    dossier.end_all(now)
    dossier.case.primary_id = primary.case.id
    history.record(
        tx,
        dossier,
        Action.MERGE,
        by=by,
        now=now,
        public=True,
        texts={"reason": reason},
        primary=primary.case.ref,
    )
    history.record(tx, primary, Action.MERGE, by=by, now=now, public=False, joined=dossier.case.ref)
    tell(tx, dossier.case, MessageKind.MERGED, now=now, primary=primary.case.ref)
    return dossier


def _require_another(dossier: Dossier, lead: Part, by: StaffActor, now: datetime) -> None:
    leads = dossier.lead is not None and dossier.lead.unit_id == by.unit_id
    if leads and lead.unit_code == by.unit_code:
        raise ActionNotAllowed(
            "这件事已经由本单位主办，不能再交办给自己。请继续办理，或交办给别的单位。",
            action=Action.DISPATCH,
            phase=dossier.case.phase,
            allowed=access.actions(dossier, by, now),
        )


async def _release(tx: Transaction, dossier: Dossier, now: datetime) -> None:
    """Written at once: a unit that has a part may get another one only when the first has ended."""
    for part in release_open(dossier, now):
        tx.change(part)
    await tx.flush()


async def _named_units(tx: Transaction, dossier: Dossier, parts: list[Part]) -> dict[str, Any]:
    codes = [part.unit_code for part in parts]
    if len(set(codes)) < len(codes):
        raise InvalidInput(
            mistakes=[
                {"where": "body.assistants", "what": "同一单位不能重复，主办单位不能同时协办"}
            ]
        )
    found = {
        row.code: row for row in await tx.all(_UNITS, codes=codes, county_id=dossier.case.county_id)
    }
    missing = [code for code in codes if code not in found]
    if missing:
        raise InvalidInput(
            mistakes=[{"where": "body", "what": "没有这个单位，或它已撤并", "codes": missing}]
        )
    dossier.unit_names |= {row.id: row.name for row in found.values()}
    return found


async def _part_of(
    tx: Transaction, dossier: Dossier, unit_code: str
) -> tuple[Assignment, UnitKind]:
    """A unit's open part, and what kind of unit it is: its limits are those of its own tier, not of the holder's."""
    rows = await tx.all(_UNITS, codes=[unit_code], county_id=dossier.case.county_id)
    kinds = {row.id: UnitKind(row.kind) for row in rows}
    for part in dossier.assignments:
        if part.unit_id in kinds and part.state in OPEN_ASSIGNMENT:
            return part, kinds[part.unit_id]
    raise NotFound("该单位没有参与办理这件事。")


def _given(
    dossier: Dossier, part: Part, unit: Any, role: AssignmentRole, by: StaffActor, now: datetime
) -> Assignment:
    case = dossier.case
    given = Assignment(
        id=uuid7(now),
        case_id=case.id,
        round=case.round,
        role=role,
        unit_id=unit.id,
        given_by_unit_id=by.unit_id,
        state=AssignmentState.OFFERED,
        due_at=now if case.stage_due_at is None else case.stage_due_at,
        sign_due_at=now,
        assigned_at=now,
    )
    kind = UnitKind(unit.kind)
    sign = dossier.begin(Stage.SIGN, unit.id, kind, now, part=given)
    given.sign_due_at = sign.due_at or now
    if role is AssignmentRole.ASSIST:
        answer = dossier.begin(Stage.ASSIST, unit.id, kind, now, part=given, limit=part.limit)
        given.due_at = answer.due_at or now
    return given

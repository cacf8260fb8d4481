"""The command center's actions: choose lead and assistants, settle hand-backs, excuse units, merge cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn

from msgspec import Struct

from app.auth.actor import StaffActor
from app.calendars.working_time import Limit, LimitUnit
from app.cases import access, case_clock, history
from app.cases.actions.telling import tell_all
from app.cases.dossier import Dossier, hand_back_undecided
from app.cases.lifecycle import Action, Condition, Decision, Phase
from app.cases.routing import Place
from app.db import Transaction
from app.db.query import Query
from app.directory.terms import UnitKind
from app.errors import InvalidInput, NotFound
from app.identifiers import uuid7
from app.limits.terms import Stage
from app.matters import deadlines, papers
from app.matters.papers import PaperKind
from app.matters.parts import Assignment, AssignmentRole, AssignmentState
from app.matters.telling import tell
from app.texts.outbox import MessageKind

MOST_ASSISTANTS: Final = 20


class _UnitRow(Struct, frozen=True):
    id: int
    code: str
    name: str
    kind: UnitKind


# Any unit of the county that can be given work: departments, townships, villages, the center itself. The parts that end
# are written at once: a unit may get another one only when its first has ended.
_UNITS = Query(
    _UnitRow,
    """
WITH ended AS (
  UPDATE assignment SET state = 'released', done_at = CAST(:now AS timestamptz) WHERE id = ANY(CAST(:ended AS uuid[]))
)
SELECT id, code, name, kind FROM unit
WHERE code = ANY(:codes) AND county_id = :county_id AND kind NOT IN ('county', 'city', 'province')
  AND (valid_to IS NULL OR valid_to >= CAST(:today AS date))
""",
)


class _Place(Struct, frozen=True):
    id: int
    kind: UnitKind


_PLACE = Query(_Place, "SELECT id, kind FROM unit WHERE code = :code AND county_id = :county_id")


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
    leads = dossier.lead is not None and dossier.lead.unit_id == by.unit_id
    named = {Condition.ANOTHER_UNIT_LEADS: not leads or lead.unit_code != by.unit_code}
    access.take(dossier, Action.DISPATCH, by=by, now=now, named=named)
    ended = dossier.release_open(now)
    units = await named_units(tx, dossier, [lead, *assistants], now, ended=ended)
    leading = units[lead.unit_code]
    begin_at(dossier, leading, now, limit=lead.limit)
    texts = give(tx, dossier, units, lead, assistants, by=by, now=now)
    paper = await papers.on_record(tx, dossier.matter, PaperKind.DISPATCH, now)
    history.record(
        tx,
        dossier,
        Action.DISPATCH,
        by=by,
        now=now,
        public=True,
        texts=texts | ({"note": note} if note else {}),
        lead=leading.unit_id,
        assistants=[units[part.unit_code].unit_id for part in assistants],
        until=dossier.case.stage_due_at,
        **paper,
    )
    await tell_all(tx, dossier, MessageKind.MOVED, now=now, unit=leading.name)
    return dossier


async def change_lead(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    lead: Part,
    reason: str,
    note: str,
    now: datetime,
) -> Dossier:
    """Give the lead to another unit in the same round (改派主办): no return, and the clocks of the whole case go on.

    The former lead's stage ends with what it used; a card it earned by then it still gets. What it asked for lapses. The
    assistants go on, but for one that leads now.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    own = dossier.open_part(lead.unit_code)
    named = {Condition.NEW_LEAD_SETTLED: own is None or not hand_back_undecided(own)}
    access.take(dossier, Action.CHANGE_LEAD, by=by, now=now, named=named)
    former = dossier.lead
    assert former is not None, "the lifecycle allows it only where somebody leads"
    if own is former:
        _refuse("body.lead", "这个单位已经是主办单位")
    ended = [former] if own is None else [former, own]
    for part in ended:
        dossier.release(part, now)
    units = await named_units(tx, dossier, [lead], now, ended=ended)
    leading = units[lead.unit_code]
    begin_at(dossier, leading, now, limit=lead.limit)
    texts = give(tx, dossier, units, lead, (), by=by, now=now)
    paper = await papers.on_record(tx, dossier.matter, PaperKind.DISPATCH, now)
    history.record(
        tx,
        dossier,
        Action.CHANGE_LEAD,
        by=by,
        now=now,
        public=True,
        texts=texts | {"reason": reason} | ({"note": note} if note else {}),
        from_unit=former.unit_id,
        lead=leading.unit_id,
        assistants=[part.unit_id for part in dossier.open_assistants],
        until=dossier.case.stage_due_at,
        **paper,
    )
    await tell_all(tx, dossier, MessageKind.MOVED, now=now, unit=leading.name)
    return dossier


async def add_assistants(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    assistants: list[Part],
    note: str,
    now: datetime,
) -> Dossier:
    """Name further units that assist, each with its task and its limit, also where the command center leads itself."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.ADD_ASSISTANTS, by=by, now=now)
    busy = [part.unit_code for part in assistants if dossier.open_part(part.unit_code)]
    if busy:
        _refuse("body.assistants", "这个单位已经在办理这件事", codes=busy)
    if len(dossier.open_assistants) + len(assistants) > MOST_ASSISTANTS:
        _refuse("body.assistants", f"协办单位最多 {MOST_ASSISTANTS} 个")
    units = await named_units(tx, dossier, assistants, now)
    texts = give(tx, dossier, units, None, assistants, by=by, now=now)
    paper = await papers.on_record(tx, dossier.matter, PaperKind.DISPATCH, now)
    history.record(
        tx,
        dossier,
        Action.ADD_ASSISTANTS,
        by=by,
        now=now,
        public=False,
        texts=texts | ({"note": note} if note else {}),
        assistants=[units[part.unit_code].unit_id for part in assistants],
        **paper,
    )
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
    own = dossier.open_part(unit_code)
    returned = agreed and own is not None and own.role is AssignmentRole.LEAD
    named = {
        Condition.PART_ASKED_BACK: own is None or hand_back_undecided(own),
        Condition.PART_ASKED_BACK_BY_ANOTHER: own is None
        or not dossier.asked_back_himself(own, by),
    }
    decision = Decision.RETURN_AGREED if returned else None
    access.take(dossier, Action.SETTLE, by=by, now=now, named=named, decision=decision)
    part, kind = await _part_of(tx, dossier, unit_code)
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
        if returned:
            dossier.release_open(now)
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
    """An assistant is no longer needed; the lead can close without its answer.

    Who asked that the part be handed back does not decide it so in another post.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    own = dossier.open_part(unit_code)
    named = {
        Condition.PART_ASSISTS: own is None or own.role is AssignmentRole.ASSIST,
        Condition.PART_ASKED_BACK_BY_ANOTHER: own is None
        or not dossier.asked_back_himself(own, by),
    }
    access.take(dossier, Action.EXCUSE, by=by, now=now, named=named)
    part, _ = await _part_of(tx, dossier, unit_code)
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
    under_way = primary.case.phase in (Phase.PENDING, Phase.HANDLING)
    named = {Condition.PRIMARY_OPEN: under_way and primary.case.sealed == dossier.case.sealed}
    access.take(dossier, Action.MERGE, by=by, now=now, named=named)
    case_clock.join(primary, dossier, now)
    dossier.release_open(now)
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


def begin_at(dossier: Dossier, leading: Place, now: datetime, *, limit: Limit | None) -> None:
    """The handling stage begins at another holder."""
    dossier.holder = leading
    dossier.case.holder_unit_id = leading.unit_id
    dossier.start(Stage.HANDLE, now, limit=limit)


def give(
    tx: Transaction,
    dossier: Dossier,
    units: Mapping[str, Place],
    lead: Part | None,
    assistants: Sequence[Part],
    *,
    by: StaffActor,
    now: datetime,
) -> dict[str, str]:
    """Give the units their parts and let them see the case. Returns the tasks, for the record."""
    roles = [(part, AssignmentRole.ASSIST) for part in assistants]
    if lead is not None:
        roles.insert(0, (lead, AssignmentRole.LEAD))
    tasks = {}
    for part, role in roles:
        unit = units[part.unit_code]
        dossier.assignments.append(given(dossier, unit, role, by, now, limit=part.limit))
        access.admit(tx, dossier.case, unit.unit_id, now)
        if part.task:
            tasks[f"task_{unit.unit_id}"] = part.task
    return tasks


async def named_units(
    tx: Transaction,
    dossier: Dossier,
    parts: Sequence[Part],
    now: datetime,
    *,
    ended: Sequence[Assignment] = (),
) -> dict[str, Place]:
    """The units named, by their codes; the assignments that have `ended` are written with the look-up.

    Raises InvalidInput for a unit that is named twice, is not there or has ended.
    """
    codes = [part.unit_code for part in parts]
    if len(set(codes)) < len(codes):
        _refuse("body.assistants", "同一单位不能重复，主办单位不能同时协办")
    rows = await _UNITS.all(
        tx,
        codes=codes,
        county_id=dossier.case.county_id,
        now=now,
        ended=[part.id for part in ended],
    )
    found = {row.code: Place(row.id, row.name, UnitKind(row.kind)) for row in rows}
    missing = [code for code in codes if code not in found]
    if missing:
        _refuse("body", "没有这个单位，或它已撤并", codes=missing)
    dossier.unit_names |= {one.unit_id: one.name for one in found.values()}
    return found


def given(
    dossier: Dossier,
    unit: Place,
    role: AssignmentRole,
    by: StaffActor,
    now: datetime,
    *,
    limit: Limit | None = None,
) -> Assignment:
    """A new part in the present round. `limit` is an assistant's; the lead's is that of the handling stage."""
    case = dossier.case
    part = Assignment(
        id=uuid7(now),
        matter_id=case.id,
        round=case.round,
        role=role,
        unit_id=unit.unit_id,
        given_by_unit_id=by.unit_id,
        state=AssignmentState.OFFERED,
        due_at=now if case.stage_due_at is None else case.stage_due_at,
        sign_due_at=now,
        assigned_at=now,
    )
    sign = dossier.begin(Stage.SIGN, unit.unit_id, unit.kind, now, part=part)
    part.sign_due_at = sign.due_at or now
    if role is AssignmentRole.ASSIST:
        answer = dossier.begin(Stage.ASSIST, unit.unit_id, unit.kind, now, part=part, limit=limit)
        part.due_at = answer.due_at or now
    return part


async def _part_of(
    tx: Transaction, dossier: Dossier, unit_code: str
) -> tuple[Assignment, UnitKind]:
    """A unit's open part, and what kind of unit it is: its limits are those of its own tier, not of the holder's."""
    row = await _PLACE.one_or_none(tx, code=unit_code, county_id=dossier.case.county_id)
    part = dossier.open_part(unit_code)
    if row is None or part is None:
        raise NotFound("该单位没有参与办理这件事。")
    return part, UnitKind(row.kind)


def _refuse(where: str, what: str, *, codes: list[str] | None = None) -> NoReturn:
    facts = {} if codes is None else {"codes": codes}
    raise InvalidInput(mistakes=[{"where": where, "what": what, **facts}])

"""Return calls (回访): whom to call, what came of it, and the new round that may follow.

They are the command center's; those about a sealed case are made by the supervisors of the unit that holds it, and are
there for nobody else. Nor for who had a part in what they are about (app/matters/conflict_of_interest.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app import keys
from app.auth.actor import StaffActor
from app.cases import access
from app.cases.actions import closing
from app.cases.actions.dispatching import Part
from app.cases.dossier import Dossier
from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query, columns
from app.directory.terms import Role, UnitKind
from app.errors import ActionNotAllowed, InvalidInput, NotFound, NotPermitted
from app.evaluation import answers, privacy_role, withdrawal
from app.evaluation.locking import one_at_a_time
from app.evaluation.models import CallTry, ReturnCall
from app.evaluation.number_owners import binds
from app.evaluation.terms import AnswerChannel, CallCause, CallResult, CallState, Value
from app.identifiers import uuid7
from app.matters import conflict_of_interest
from app.matters.visibility import VISIBLE_TO_STAFF
from app.settings import settings

_SELECT = f"""
SELECT {columns("r", ReturnCall, "call")}, c.ref, c.title, s.round, holder.name AS unit_name, handled.ref AS handled_ref,
  a.id AS answer_id, a.value, a.remark_sealed, given.name_sealed, p.phone_sealed, p.phone_key,
  c.id AS matter_id, p.id AS citizen_id,
  (SELECT f.value FROM surveys.answer f WHERE f.survey_id = s.id AND f.discounted = 'corrected'
    ORDER BY f.answered_at LIMIT 1) AS first_value,
  ARRAY(SELECT DISTINCT CAST(t.at AT TIME ZONE 'Asia/Shanghai' AS date) FROM surveys.call_try t
    WHERE t.call_id = r.id AND t.result = 'not_reached' AND (a.answered_at IS NULL OR t.at >= a.answered_at)) AS vain_days
FROM surveys.return_call r
JOIN surveys.survey s ON s.id = r.survey_id
JOIN matter_facts c ON c.id = s.matter_id
-- A case that was joined to another was handled where the other was, and is done again there.
CROSS JOIN LATERAL (
  WITH RECURSIVE upward AS (
    SELECT c.ref, c.holder_unit_id, c.primary_id
    UNION
    SELECT above.ref, above.holder_unit_id, above.primary_id FROM upward u JOIN matter_facts above ON above.id = u.primary_id
  )
  SELECT ref, holder_unit_id FROM upward WHERE primary_id IS NULL
) handled
JOIN unit holder ON holder.id = handled.holder_unit_id
JOIN citizen p ON p.id = s.citizen_id
-- The name given with this case, and no other case's: several people may stand behind one number.
LEFT JOIN person_as_given given ON given.matter_id = c.id
LEFT JOIN surveys.answer a ON a.survey_id = s.id AND a.discounted IS NULL
WHERE {VISIBLE_TO_STAFF} AND (:of_center OR c.sealed) AND NOT {conflict_of_interest.KEPT_FROM} AND """  # noqa: S608 - columns of our own tables


class _CallRow(Struct, frozen=True):
    """A call, with what the caller needs to know."""

    call: ReturnCall
    ref: str
    title: str
    round: int
    unit_name: str
    handled_ref: str
    answer_id: UUID | None
    value: Value | None
    remark_sealed: bytes | None
    name_sealed: bytes | None
    phone_sealed: bytes | None
    phone_key: bytes | None
    matter_id: UUID
    citizen_id: UUID
    first_value: Value | None
    vain_days: list[date]


_OPEN = Query(
    _CallRow, _SELECT + "r.state = 'open' AND r.id > CAST(:after AS uuid) ORDER BY r.id LIMIT :most"
)
_ONE = Query(_CallRow, _SELECT + "r.id = :id")
_LOCK_ONE = Query(_CallRow, _SELECT + "r.id = :id FOR UPDATE OF r")
# Of the case itself or of one that was joined to it, or to one that was.
_FOUND_VALID = text("""
WITH RECURSIVE about AS (
  SELECT CAST(:matter_id AS uuid) AS id
  UNION
  SELECT g.id FROM about a JOIN matter_facts g ON g.primary_id = a.id
)
SELECT EXISTS (
  SELECT 1 FROM about a JOIN surveys.survey s ON s.matter_id = a.id JOIN surveys.return_call r ON r.survey_id = s.id
  WHERE s.round = :round AND r.result = 'valid' AND r.consent
)
""")
_STANDING = Query(
    answers.StandingRow,
    f"""
SELECT {answers.STANDING}
FROM surveys.survey s JOIN matter_facts g ON g.id = s.matter_id JOIN citizen p ON p.id = s.citizen_id {answers.JOINS}
WHERE s.id = :survey_id
""",  # noqa: S608 - constants of our own
)
_FIRST = UUID(int=0)
_REFUSED = "只有县指挥中心可以查看和记录回访；检举控告的，只有承办单位的督查员可以。"
_OWN_WORK = "本人参与办理的，由他人决定重办；指挥中心办理的，由其督查员决定。"


@dataclass(frozen=True, slots=True)
class CallToMake:
    """A return call with what the caller needs to know; who it is and what they said never show in a log line."""

    id: UUID
    ref: str
    # Where it was handled: the case itself, or the one it was joined to.
    handled_ref: str
    title: str
    round: int
    unit_name: str
    cause: CallCause
    state: CallState
    result: CallResult | None
    consent: bool
    tries: int
    created_at: datetime
    called_at: datetime | None
    value: Value | None = field(repr=False)
    # What was said first, where it was put right since.
    first_value: Value | None = field(repr=False)
    remark: str | None = field(repr=False)
    name: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    note: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a call. `evaluation`: for people who could not be texted, what they answered when asked."""

    result: CallResult
    consent: bool = False
    note: str = ""
    evaluation: Value | None = None


async def open_calls(
    tx: Transaction, *, by: StaffActor, after: UUID | None, most: int
) -> list[CallToMake]:
    """Calls still to be made, the oldest first, from behind `after` on."""
    await privacy_role.enter(tx)
    rows = await _OPEN.all(tx, after=after or _FIRST, most=most, **caller(by))
    return [_call(row) for row in rows]


async def get_call(tx: Transaction, call_id: UUID, *, by: StaffActor) -> CallToMake:
    await privacy_role.enter(tx)
    row = await _ONE.one_or_none(tx, id=call_id, **caller(by))
    if row is None:
        raise NotFound
    return _call(row)


async def record_finding(
    tx: Transaction, call_id: UUID, finding: Finding, *, by: StaffActor, now: datetime
) -> CallToMake:
    """Record what came of the call. Not reached leaves it open until that was so on enough days; anything else ends it.

    Who was given up and calls back themselves is heard all the same.
    """
    await privacy_role.enter(tx)
    found = await _ONE.one_or_none(tx, id=call_id, **caller(by))
    if found is None:
        raise NotFound
    await one_at_a_time(tx, found.phone_key)
    row = await _LOCK_ONE.one_or_none(tx, id=call_id, **caller(by))
    if row is None:
        raise NotFound
    given_up = (
        row.call.result is CallResult.NOT_REACHED and finding.result is not CallResult.NOT_REACHED
    )
    if row.call.state is CallState.DONE and not given_up:
        raise ActionNotAllowed("这次回访已经有结论。")
    _check(finding, row.call.cause, row.value)
    if finding.evaluation is not None:
        of = await _STANDING.one(tx, survey_id=row.call.survey_id, **binds(now))
        answers.take(tx, of.standing, finding.evaluation, "", AnswerChannel.RETURN_CALL, now)
        await withdrawal.withdraw(tx, [row.call.survey_id], now)
    call, try_id = row.call, uuid7(now)
    call.result, call.consent = finding.result, finding.consent
    call.note_sealed = answers.sealed(finding.note, _note_place(call.id))
    call.state = _state_after(finding, row.vain_days, now)
    call.tries += 1
    call.called_at, call.called_by_staff_id = now, by.staff_id
    tx.change(call)
    tx.add(
        CallTry(
            id=try_id,
            call_id=call.id,
            result=finding.result,
            note_sealed=answers.sealed(finding.note, keys.at("call_try.note_sealed", try_id)),
            at=now,
            by_staff_id=by.staff_id,
        )
    )
    await tx.flush()
    return await get_call(tx, call_id, by=by)


async def rework(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    reason: str,
    lead: Part | None = None,
    assistants: Sequence[Part] = (),
    note: str = "",
    now: datetime,
) -> Dossier:
    """A new round, where a return call about this round found the complaint valid and the citizen agreed."""
    await privacy_role.enter(tx)
    # First: what they were told otherwise would differ by whether such a call has been made.
    _require_caller(by)
    dossier = await access.lock_case(tx, ref, by=by)
    case = dossier.case
    if not (case.sealed or _of_center(by)):
        raise NotPermitted(_REFUSED)
    if await conflict_of_interest.keeps_from(tx, by, matter_id=case.id, round_=case.round):
        raise NotPermitted(_OWN_WORK)
    found = await tx.scalar(_FOUND_VALID, matter_id=case.id, round=case.round)
    return await closing.rework(
        tx,
        ref,
        by=by,
        reason=reason,
        lead=lead,
        assistants=assistants,
        note=note,
        found_valid=bool(found),
        now=now,
    )


def caller(by: StaffActor) -> dict[str, Any]:
    """The binds of who calls or reads what was answered: conflict_of_interest.asking and :of_center. Raises NotPermitted for those who never do."""
    _require_caller(by)
    return {**conflict_of_interest.asking(by), "of_center": _of_center(by)}


def _require_caller(by: StaffActor) -> None:
    if not (by.role is Role.SUPERVISOR or (by.dispatches and _of_center(by))):
        raise NotPermitted(_REFUSED)


def _of_center(by: StaffActor) -> bool:
    return by.unit_kind is UnitKind.COMMAND_CENTER


def _state_after(finding: Finding, vain_days: list[date], now: datetime) -> CallState:
    """Three times in one afternoon is one day on which nobody was at home."""
    if finding.result is not CallResult.NOT_REACHED:
        return CallState.DONE
    days = {*vain_days, now.astimezone(SHANGHAI).date()}
    return CallState.DONE if len(days) >= settings().return_call_tries else CallState.OPEN


def _check(finding: Finding, cause: CallCause, known: Value | None) -> None:
    """Raise InvalidInput where the parts of a finding do not go together. `known`: what the citizen answered before."""
    handler = finding.result is CallResult.HANDLER
    reached = finding.result is not CallResult.NOT_REACHED and not handler
    must_evaluate = reached and known is None
    dissatisfied = (known or finding.evaluation) is Value.DISSATISFIED
    # Said to be dissatisfied, and otherwise since: the call finds out which it is.
    put_right = cause is CallCause.DISSATISFIED and not dissatisfied
    rules = (
        (handler and cause is not CallCause.OWN_CASE, "result", "只有登记为经办人员本人的号码，才可记为经办人员本人"),
        (finding.consent and finding.result is not CallResult.VALID, "consent", "只有反映属实时才征求重办意见"),
        (must_evaluate and finding.evaluation is None, "evaluation", "请记录群众的评价"),
        (not must_evaluate and finding.evaluation is not None, "evaluation", "群众已经评价过，或尚未联系上，不能代为评价"),
        (
            reached and not put_right and dissatisfied == (finding.result is CallResult.EVALUATED),
            "result",
            "评价为不满意的，须核实是否属实；其余的记为已评价",
        ),
    )  # fmt: skip
    mistakes = [{"where": f"body.{where}", "what": what} for wrong, where, what in rules if wrong]
    if mistakes:
        raise InvalidInput(mistakes=mistakes)


def _call(row: _CallRow) -> CallToMake:
    return CallToMake(
        id=row.call.id,
        ref=row.ref,
        handled_ref=row.handled_ref,
        title=row.title,
        round=row.round,
        unit_name=row.unit_name,
        cause=row.call.cause,
        state=row.call.state,
        result=row.call.result,
        consent=row.call.consent,
        tries=row.call.tries,
        created_at=row.call.created_at,
        called_at=row.call.called_at,
        value=row.value,
        first_value=row.first_value,
        remark=None
        if row.answer_id is None
        else keys.shown(row.remark_sealed, answers.remark_place(row.answer_id)),
        name=keys.shown(row.name_sealed, keys.at("person_as_given.name_sealed", row.matter_id)),
        phone=keys.shown(row.phone_sealed, keys.at("citizen.phone_sealed", row.citizen_id)),
        note=keys.shown(row.call.note_sealed, _note_place(row.call.id)),
    )


def _note_place(call_id: UUID) -> keys.Place:
    return keys.at("return_call.note_sealed", call_id)

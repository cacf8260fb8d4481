"""Exclusions (剔除): the command center decides, with its reason and before the month is cut off, that an evaluation does not count.

How many there were is published beside the satisfaction. Handling units learn of none.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app import keys
from app.auth.actor import StaffActor
from app.db import Transaction
from app.directory.terms import Role, UnitKind
from app.errors import ActionNotAllowed, NotFound, NotPermitted
from app.evaluation import return_calls
from app.evaluation.terms import CallResult
from app.reports import closing, reading, satisfaction
from app.reports.models import Exclusion
from app.reports.months import Month
from app.settings import settings


def _reason_place(survey_id: UUID) -> keys.Place:
    return keys.at("exclusion.reason_sealed", survey_id)


@dataclass(frozen=True, slots=True)
class Excluded:
    """An exclusion as supervisors see it: what the unit answered in that round. What was evaluated is not told."""

    call_id: UUID
    ref: str
    round: int
    unit_name: str
    decided_at: datetime
    decided_by: str = field(repr=False)
    reason: str = field(repr=False)


async def exclude(
    tx: Transaction, call_id: UUID, *, by: StaffActor, reason: str, now: datetime
) -> Month:
    """The evaluation that this return call was about does not count; returns the month it would have counted in.

    Raises NotPermitted, NotFound, or ActionNotAllowed where the call found nothing of the kind or the month is cut off.
    """
    if (
        by.unit_kind is not UnitKind.COMMAND_CENTER
        or not (by.dispatches or by.role is Role.SUPERVISOR)
        or by.county_id is None
    ):
        raise NotPermitted("只有县指挥中心的调度员和督查员可以决定剔除评价。")
    call = await return_calls.get_call(tx, call_id, by=by)
    await closing.one_at_a_time(tx, by.county_id)
    found = await satisfaction.to_exclude(tx, call_id)
    if found.sealed:
        raise NotFound
    if call.result is not CallResult.UNREASONABLE:
        raise ActionNotAllowed("须经回访核实诉求不合理，才能剔除评价。")
    if found.excluded:
        raise ActionNotAllowed("这次评价已经剔除。")
    month = Month.of(found.window_ends_at)
    if now >= month.cutoff(settings().month_closing_day) or await closing.locked(
        tx, by.county_id, month
    ):
        raise ActionNotAllowed(f"{month.chinese}的评价已截止，不能再剔除。")
    satisfaction.exclude(
        tx,
        Exclusion(
            survey_id=found.survey_id,
            reason_sealed=keys.encrypt(reason, _reason_place(found.survey_id)),
            decided_by_staff_id=by.staff_id,
            decided_at=now,
        ),
    )
    return month


async def of_month(
    tx: Transaction, month: Month, *, by: StaffActor, after: UUID | None, most: int
) -> list[Excluded]:
    """For supervisors who sit in no handling unit: they see to it that nobody polishes the figures.

    What somebody had a part in is left out for them.
    """
    if not await reading.oversees_evaluations(tx, by) or by.county_id is None:
        raise NotPermitted("只有督查员可以查看剔除的评价，部门、镇街和村(社区)的除外。")
    rows = await satisfaction.excluded(tx, month.begins, month.ends, by=by, after=after, most=most)
    return [
        Excluded(
            row.call_id,
            row.ref,
            row.round,
            row.unit_name,
            row.decided_at,
            row.by_name,
            keys.shown(row.reason_sealed, _reason_place(row.survey_id)) or "",
        )
        for row in rows
    ]

"""Who takes a step on a case at a desk."""

from typing import Annotated

from fastapi import Depends, Response

from app.http.case_step import CaseRef, IfMatch, StaffStep
from app.http.transaction import Tx
from app.http.who import ByStaff


async def step_at_desk(
    ref: CaseRef, tx: Tx, by: ByStaff, response: Response, seen: IfMatch = None
) -> StaffStep:
    return await StaffStep.begin(tx, ref, by, response, seen)


Step = Annotated[StaffStep, Depends(step_at_desk)]

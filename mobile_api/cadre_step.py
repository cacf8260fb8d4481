"""Who takes a step on a case on a phone."""

from typing import Annotated

from fastapi import Depends, Response

from app.http.case_step import CaseRef, IfMatch, StaffStep
from app.http.transaction import Tx
from mobile_api.cadre_sessions import ByCadre


async def step_on_phone(
    ref: CaseRef, tx: Tx, by: ByCadre, response: Response, seen: IfMatch = None
) -> StaffStep:
    return await StaffStep.begin(tx, ref, by, response, seen)


Step = Annotated[StaffStep, Depends(step_on_phone)]

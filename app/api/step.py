"""A staff member's step on a case at a desk."""

from typing import Annotated

from fastapi import Depends, Request, Response

from app.http.case_step import CaseRef, IfMatch, StaffStep
from app.http.transaction import transaction_of
from app.http.who import reads_key_and_post, staff


@reads_key_and_post
async def step_at_desk(
    request: Request, ref: CaseRef, response: Response, seen: IfMatch = None
) -> StaffStep:
    by = await staff(request)
    return await StaffStep.begin(transaction_of(request), ref, by, response, seen)


Step = Annotated[StaffStep, Depends(step_at_desk)]

"""Over HTTP: all that staff do to a case at a desk. What an action is stands in app/http/case_actions.py."""

from typing import Final

from fastapi import APIRouter

from app.api.step import step_at_desk
from app.errors import Changed
from app.http import case_actions
from app.http.case_actions import Face
from app.http.case_step import CASE_AFTER_ACTION, StaffStep
from app.http.cases import CaseStateOut
from app.http.transaction import OneTransaction

DESK: Final = Face(
    words=lambda one: one.desk,
    step=step_at_desk,
    respond=StaffStep.respond,
    model=CaseStateOut,
    problems=(Changed,),
    answer=CASE_AFTER_ACTION,
)
router = APIRouter(prefix="/cases", route_class=OneTransaction)
case_actions.mount(router, DESK)

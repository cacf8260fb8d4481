"""What is known of a number before somebody is registered with it, for both faces. The number travels in the body and is not kept."""

from pydantic import BaseModel, ConfigDict, Field

from app.auth.actor import StaffActor, owner_of
from app.cases import number_given
from app.cases.number_given import AskedBy
from app.db import Transaction
from app.http.case_inputs import PersonIn
from app.usage import Counted, Purpose

SUMMARY = "所填号码能不能发短信、请群众评价"
DESCRIPTION = "登记之前查看：号码收不到短信，是单位、工作人员的，或已登记过多人时，说明办结后怎样请群众评价。与登记后的回执所说的一样；不保存所填内容。"


class NumberGivenOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    asked_by: AskedBy = Field(
        description="办结后怎样请群众评价：text 短信、return_call 电话回访",
        examples=["return_call"],
    )
    notice: str | None = Field(
        description="登记人须知；没有则为空",
        examples=["这个号码已登记过多人，办结后由电话回访请群众评价。请尽量登记群众本人的号码。"],
    )


async def look_up(given: PersonIn, tx: Transaction, by: StaffActor) -> NumberGivenOut:
    counted = Counted(Purpose.NUMBERS_OF_STAFF, owner_of(by))
    found = await number_given.look_up(
        tx, given.person(), by=by, now=await tx.now(), counted=(counted,)
    )
    return NumberGivenOut.model_validate(found)

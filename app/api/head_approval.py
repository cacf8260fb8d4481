"""Over HTTP: the administrator sets for which units only the head may give the answer (单位负责人把关)."""

from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import Field, StrictBool

from app.directory import head_approval
from app.directory.head_approval import Setting
from app.directory.terms import Role
from app.errors import KeyReused, NotFound, NotPermitted, SignInRequired
from app.http.inputs import Input, ShortText, UnitCode
from app.http.moments import At
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/units/{code}/head-approval", tags=["目录"], route_class=OneTransaction)

Code = Annotated[UnitCode, Path(description="单位代码", examples=["500153100"])]


class HeadApprovalIn(Input):
    required: StrictBool = Field(description="是否只有单位负责人才能作出办结答复", examples=[True])
    reason: ShortText = Field(description="为什么这样设定，记录在案", examples=["镇党委会决定"])


class HeadApprovalChange(Output):
    required: bool
    reason: str = Field(examples=["镇党委会决定"])
    decided_at: At
    decided_by: str = Field(examples=["谢文静"])


class HeadApprovalOut(Output):
    code: str = Field(examples=["500153100"])
    name: str = Field(examples=["荣隆镇"])
    required: bool = Field(description="现在是否只有单位负责人才能作出办结答复")
    changes: list[HeadApprovalChange] = Field(description="历次设定，新的在前，最多一百条")

    @classmethod
    def of(cls, setting: Setting) -> Self:
        return cls(
            code=setting.unit.code,
            name=setting.unit.name,
            required=setting.unit.head_approves,
            changes=[
                HeadApprovalChange(
                    required=one.required,
                    reason=one.reason,
                    decided_at=one.decided_at,
                    decided_by=one.decided_by,
                )
                for one in setting.changes
            ],
        )


@router.get(
    "",
    summary="答复由谁作出",
    description="该单位的办结答复是否须由单位负责人作出，以及历次设定。限系统管理员和全县岗位。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def show_head_approval(code: Code, tx: Tx, by: ByStaff) -> HeadApprovalOut:
    if not (by.role is Role.ADMINISTRATOR or by.sees_county) or by.county_id is None:
        raise NotPermitted
    found = await head_approval.show(tx, code, county_id=by.county_id, now=await tx.now())
    return HeadApprovalOut.of(found)


@router.post(
    "",
    summary="设定答复由谁作出",
    description="系统管理员设定该单位的办结答复是否须由单位负责人作出，写明理由，记录在案；立即生效。没有在任负责人的单位不能设定。",
    responses=problems(SignInRequired, NotPermitted, NotFound, KeyReused),
)
async def set_head_approval(
    code: Code, given: HeadApprovalIn, tx: Tx, by: ByStaff
) -> HeadApprovalOut:
    if by.role is not Role.ADMINISTRATOR or by.county_id is None:
        raise NotPermitted
    decided = await head_approval.decide(
        tx,
        code,
        required=given.required,
        reason=given.reason,
        county_id=by.county_id,
        staff_id=by.staff_id,
        now=await tx.now(),
    )
    return HeadApprovalOut.of(decided)

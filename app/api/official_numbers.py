"""Over HTTP: the numbers of units and of staff, for the administrator alone, and the log of changes, for supervisors.

The rules are in app/directory.
"""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.auth.actor import StaffActor
from app.directory import official_numbers
from app.directory.models import OfficialNumberChange
from app.directory.official_numbers import Entered
from app.directory.terms import NumberChange, Role, UnitKind
from app.errors import KeyReused, NotFound, NothingChanged, NotPermitted, SignInRequired
from app.http.inputs import Input, UnitCode, plain
from app.http.moments import At
from app.http.outputs import Output
from app.http.paging import page_of
from app.http.phone import Phone
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/official-numbers", tags=["目录"], route_class=OneTransaction)

Account = Annotated[
    str, BeforeValidator(plain), StringConstraints(pattern=r"^[0-9A-Za-z_.-]{1,40}$", max_length=40)
]
NumberId = Annotated[UUID, Path(description="编号，见号码列表")]
_WHOSE = "仅系统管理员。"
_WATCH = frozenset({UnitKind.COMMAND_CENTER, UnitKind.DISCIPLINE})


class NumbersQuery(Input):
    after: UUID | None = Field(default=None, description="上一页的 next；不填为第一页")
    size: int = Field(default=50, ge=1, le=200, description="每页几个")


class NewNumber(Input):
    phone: Phone
    unit_code: UnitCode | None = Field(
        default=None, description="属于哪个单位；工作人员个人的号码不填", examples=["500153003007"]
    )
    account: Account | None = Field(
        default=None, description="属于哪个工作人员；单位的号码不填", examples=[None]
    )

    @model_validator(mode="after")
    def _one_owner(self) -> Self:
        if (self.unit_code is None) is (self.account is None):
            reason = {"reason": "单位代码和账号须填一项，且只填一项"}
            raise PydanticCustomError("text", "{reason}", reason)
        return self


class OfficialNumberOut(Output):
    id: UUID
    phone: str = Field(examples=["+8613896001122"])
    unit_code: str | None = Field(examples=["500153003007"])
    unit: str | None = Field(examples=["工农茶叶产业社区"])
    account: str | None = Field(examples=[None])
    staff: str | None = Field(examples=[None])
    entered_at: At

    @classmethod
    def of(cls, number: Entered) -> Self:
        return cls(
            id=number.id,
            phone=number.phone,
            unit_code=number.unit_code,
            unit=number.unit_name,
            account=number.account,
            staff=number.staff_name,
            entered_at=number.entered_at,
        )


class OfficialNumbers(Output):
    items: list[OfficialNumberOut]
    next: UUID | None = Field(description="下一页的 after；没有下一页则为空")


class RemovedOut(Output):
    id: UUID


@router.get(
    "",
    summary="单位和工作人员的号码",
    description=f"这些号码不代表群众：用它们登记的，由电话回访评价。{_WHOSE}",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_numbers(
    asked: Annotated[NumbersQuery, Query()], tx: Tx, by: ByStaff
) -> OfficialNumbers:
    _require_administrator(by)
    found = await official_numbers.page(
        tx, county_id=by.county_id, after=asked.after, most=asked.size + 1
    )
    shown, last = page_of(found, asked.size)
    return OfficialNumbers(
        items=[OfficialNumberOut.of(one) for one in shown],
        next=None if last is None else last.id,
    )


class ChangesQuery(Input):
    before: UUID | None = Field(default=None, description="上一页的 next；不填为第一页")
    size: int = Field(default=50, ge=1, le=200, description="每页几条")


class NumberChangeOut(Output):
    id: UUID
    change: NumberChange
    change_label: str = Field(examples=["登记"])
    number: str = Field(description="号码末四位", examples=["****1122"])
    unit_code: str | None = Field(examples=["500153003007"])
    unit: str | None = Field(examples=["工农茶叶产业社区"])
    account: str | None = Field(examples=[None])
    staff: str | None = Field(examples=[None])
    at: At
    by: str | None = Field(description="谁办的；在服务器上成批导入的为空", examples=["系统管理员"])

    @classmethod
    def of(cls, one: OfficialNumberChange) -> Self:
        return cls(
            id=one.id,
            change=one.change,
            change_label=one.change.chinese,
            number=f"****{one.last_four}",
            unit_code=one.unit_code,
            unit=one.unit_name,
            account=one.account,
            staff=one.staff_name,
            at=one.at,
            by=one.by_name,
        )


class NumberChanges(Output):
    items: list[NumberChangeOut]
    next: UUID | None = Field(description="下一页的 before；没有下一页则为空")


@router.get(
    "/changes",
    summary="号码登记记录",
    description="谁在何时为哪个单位或工作人员登记、撤下了号码，新的在前，只增不改。登记为经办人员号码的，不发评价短信，改为回访："
    "有疑问的，请向系统管理员核对。仅县指挥中心和纪检监察机关的督查员。",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_changes(
    asked: Annotated[ChangesQuery, Query()], tx: Tx, by: ByStaff
) -> NumberChanges:
    if by.role is not Role.SUPERVISOR or by.unit_kind not in _WATCH:
        raise NotPermitted("只有县指挥中心和纪检监察机关的督查员可以查阅号码登记记录。")
    found = await official_numbers.changes(
        tx, county_id=by.county_id, before=asked.before, most=asked.size + 1
    )
    shown, last = page_of(found, asked.size)
    return NumberChanges(
        items=[NumberChangeOut.of(one) for one in shown],
        next=None if last is None else last.id,
    )


@router.post(
    "",
    status_code=201,
    summary="登记号码",
    description=f"登记一个属于单位或工作人员的手机号码，对此后办结的事生效；登记留有记录，供督查员查阅。成批的用 qungong import-phones。{_WHOSE}",
    responses=problems(SignInRequired, NotPermitted, NothingChanged, KeyReused),
)
async def enter_number(given: NewNumber, tx: Tx, by: ByStaff) -> OfficialNumberOut:
    _require_administrator(by)
    entered = await official_numbers.enter(
        tx,
        given.phone,
        unit_code=given.unit_code,
        account=given.account,
        county_id=by.county_id,
        staff_id=by.staff_id,
        now=await tx.now(),
    )
    return OfficialNumberOut.of(entered)


@router.post(
    "/{number_id}/remove",
    summary="撤下号码",
    description=f"对此后办结的事，它与群众的号码一样。由谁、何时撤下，留有记录，供督查员查阅。{_WHOSE}",
    responses=problems(SignInRequired, NotPermitted, NotFound, KeyReused),
)
async def remove_number(number_id: NumberId, tx: Tx, by: ByStaff) -> RemovedOut:
    _require_administrator(by)
    await official_numbers.remove(
        tx, number_id, county_id=by.county_id, staff_id=by.staff_id, now=await tx.now()
    )
    return RemovedOut(id=number_id)


def _require_administrator(by: StaffActor) -> None:
    if by.role is not Role.ADMINISTRATOR:
        raise NotPermitted

"""How both faces show cards to staff: in a list and in full; and appeals."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final, Self
from uuid import UUID

from fastapi import Path
from pydantic import Field, StrictBool, StringConstraints
from typing_extensions import override

from app.auth.actor import StaffActor
from app.calendars.working_time import FIRST_YEAR, LAST_YEAR
from app.cards import appeals, card_lists
from app.cards.card_lists import PAGE, AppealState, Filter, InFull, Page, SeenCard, Whose
from app.cards.models import CardCause, CardLevel
from app.clock import SHANGHAI
from app.db import Transaction
from app.errors import InvalidInput
from app.http.inputs import INT4_MAX, Input, Line, ShortText, UnitCode
from app.http.moments import At
from app.http.outputs import Output
from app.limits.terms import Stage

CardId = Annotated[UUID, Path(description="牌的编号，见红黄牌列表")]
AnyDay = Annotated[date, Field(ge=date(FIRST_YEAR, 1, 1), le=date(LAST_YEAR - 1, 12, 31))]
ONE_DAY: Final = timedelta(days=1)


class Period(Input):
    """Days of Shanghai, both counted."""

    first: AnyDay | None = Field(
        default=None, alias="from", description="从哪一天起（含）", examples=["2026-11-01"]
    )
    last: AnyDay | None = Field(
        default=None, alias="to", description="到哪一天止（含）", examples=["2026-11-30"]
    )


class OwnCards(Period):
    """What of one's own cards is asked for."""

    level: CardLevel | None = Field(default=None, description="yellow 黄牌、red 红牌")
    cause: CardCause | None = Field(default=None, description="overdue 超期、irregular 违规办理")
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="上一页的 next；不填为第一页"
    )
    size: int = Field(default=PAGE, ge=1, le=100, description="每页几张")

    def filter(self) -> Filter:
        return Filter(
            level=self.level,
            cause=self.cause,
            since=None if self.first is None else begin(self.first),
            until=None if self.last is None else begin(self.last + ONE_DAY),
        )


class CardsQuery(OwnCards):
    whose: Whose = Field(
        default=Whose.UNIT,
        description="unit 本单位的、me 本人的、county 全县的、appealed 申诉待裁定的、review 发牌后工作日历有变、待复核的",
        examples=["unit"],
    )
    unit: UnitCode | None = Field(default=None, description="哪个单位的，填单位代码")
    person: int | None = Field(
        default=None, ge=1, le=INT4_MAX, description="哪个人的，填 person_id；须查全县"
    )

    @override
    def filter(self) -> Filter:
        return replace(super().filter(), unit_code=self.unit, person_id=self.person)

    async def page(self, tx: Transaction, *, by: StaffActor) -> "Cards":
        """Raises InvalidInput for a person outside the county's list, NotPermitted."""
        if self.person is not None and self.whose is not Whose.COUNTY:
            raise InvalidInput(
                mistakes=[{"where": "query.person", "what": "须查全县（whose=county）"}]
            )
        return Cards.of(
            await card_lists.page(
                tx, self.whose, self.filter(), by=by, cursor=self.cursor, size=self.size
            )
        )


class CardItem(Output):
    """A card in a list. `unit`, `person` and `post` are as they were when it was issued."""

    id: UUID
    ref: str = Field(description="事件编号", examples=["500153-261122-48392017"])
    title: str | None = Field(
        description="事件的标题；已看不到该事件的人为空", examples=["13至17栋没有饮用水"]
    )
    level: CardLevel
    level_label: str = Field(examples=["黄牌"])
    cause: CardCause
    cause_label: str = Field(examples=["超期"])
    stage: Stage | None = Field(description="超期的环节")
    stage_label: str | None = Field(examples=["研判"])
    unit_code: str = Field(examples=["500153003"])
    unit: str = Field(examples=["广顺街道"])
    person_id: int | None = Field(description="个人的编号，用于查其全部的牌", examples=[12])
    person: str | None = Field(examples=["周启明"])
    post: str | None = Field(examples=["群工办干事"])
    due_at: At | None = Field(description="错过的期限")
    effective_at: At = Field(description="生效的时间，即超期的时刻")
    issued_at: At
    standing: bool = Field(description="是否有效：撤销的牌不计入净数")
    revoked_at: At | None
    appeal: AppealState
    appeal_label: str = Field(examples=["未申诉"])

    @classmethod
    def of(cls, seen: SeenCard) -> Self:
        return cls(**shown(seen))


class Cards(Output):
    items: list[CardItem]
    next: str | None = Field(description="下一页的 cursor；没有下一页则为空")

    @classmethod
    def of(cls, page: Page) -> Self:
        return cls(items=[CardItem.of(one) for one in page.cards], next=page.next)


class AppealOut(Output):
    asked_at: At
    by: str | None = Field(description="申诉人", examples=["周启明"])
    by_unit: str | None = Field(examples=["广顺街道"])
    ground: str = Field(examples=["期间系统停电，无法操作。"])
    decided_at: At | None
    decided_by: str | None = Field(description="裁定人", examples=["贺敏"])
    decided_by_unit: str | None = Field(examples=["荣昌区群工系统指挥中心"])
    upheld: bool | None = Field(description="是否成立；成立的，牌即撤销")
    reason: str | None = Field(description="裁定的理由", examples=["停电属实。"])


class CardDetail(CardItem):
    reason: str | None = Field(
        description="违规办理的情形；超期的为空", examples=["未核实即答复办结。"]
    )
    issued_by: str | None = Field(description="发牌人；系统发的为空", examples=["贺敏"])
    appeal_until: At | None = Field(description="可以申诉到何时；不能申诉的为空")
    may_appeal: bool = Field(description="您现在可否申诉")
    may_decide: bool = Field(description="您现在可否裁定")
    appealed: AppealOut | None = Field(description="申诉及其裁定")

    @classmethod
    def in_full(cls, known: InFull, *, by: StaffActor, now: datetime) -> Self:
        seen, asked = known.seen, known.seen.appeal
        return cls(
            **shown(seen),
            reason=seen.card.reason,
            issued_by=known.issued_by,
            appeal_until=known.appeal_until,
            may_appeal=appeals.may_appeal(known, by, now),
            may_decide=appeals.may_decide(known, by) and appeals.undecided(seen),
            appealed=None
            if asked is None
            else AppealOut(
                asked_at=asked.asked_at,
                by=known.appealed_by,
                by_unit=known.appealed_by_unit,
                ground=asked.ground,
                decided_at=asked.decided_at,
                decided_by=known.decided_by,
                decided_by_unit=known.decided_by_unit,
                upheld=asked.upheld,
                reason=asked.reason,
            ),
        )


class NewAppeal(Input):
    ground: ShortText = Field(description="申诉的理由", examples=["期间系统停电，无法操作。"])


class NewCard(Input):
    level: CardLevel = Field(description="yellow 黄牌、red 红牌", examples=["yellow"])
    unit_code: UnitCode = Field(
        description="给哪个单位发牌，须参与或曾参与办理", examples=["500153003"]
    )
    person: Annotated[Line, StringConstraints(max_length=40)] | None = Field(
        default=None,
        description="给该单位的哪个人：姓名，有同名的填账号；不填则只记在单位",
        examples=["周启明"],
    )
    reason: ShortText = Field(description="违规办理的情形", examples=["未核实即答复办结。"])


class Decision(Input):
    upheld: StrictBool = Field(description="申诉是否成立；成立的，牌即撤销", examples=[True])
    reason: ShortText = Field(description="裁定的理由", examples=["停电属实。"])


def shown(seen: SeenCard) -> dict[str, Any]:
    """The fields of a CardItem."""
    card = seen.card
    return {
        "id": card.id,
        "ref": seen.ref,
        "title": seen.title,
        "level": card.level,
        "level_label": card.level.chinese,
        "cause": card.cause,
        "cause_label": card.cause.chinese,
        "stage": card.stage,
        "stage_label": None if card.stage is None else card.stage.chinese,
        "unit_code": seen.unit_code,
        "unit": card.unit_name,
        "person_id": card.staff_id,
        "person": card.person_name,
        "post": card.post_title,
        "due_at": card.due_at,
        "effective_at": card.effective_at,
        "issued_at": card.issued_at,
        "standing": card.revoked_at is None,
        "revoked_at": card.revoked_at,
        "appeal": seen.state,
        "appeal_label": seen.state.chinese,
    }


def begin(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)

"""Over HTTP: cards: seen, counted, issued for irregular handling, appealed against; and the signals of buck-passing."""

from datetime import date, datetime, timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import Field

from app.api.step import Step
from app.cards import appeals, card_lists, irregular_cards, signals
from app.cards.card_lists import UnitCount
from app.cards.signals import Fact, Signal, UnitSignals
from app.clock import SHANGHAI
from app.errors import (
    ActionNotAllowed,
    Changed,
    InvalidInput,
    KeyReused,
    NotFound,
    NotPermitted,
    SignInRequired,
)
from app.http.cards import (
    ONE_DAY,
    CardDetail,
    CardId,
    Cards,
    CardsQuery,
    Decision,
    NewAppeal,
    NewCard,
    Period,
    begin,
)
from app.http.case_step import ETAG, CaseRef
from app.http.inputs import UnitCode
from app.http.moments import At
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(tags=["红黄牌"], route_class=OneTransaction)

_LONGEST = timedelta(days=366)
_LONGEST_OF_ALL = timedelta(days=92)


class MonthByDefault(Period):
    def days(self, now: datetime, *, most: timedelta = _LONGEST) -> tuple[date, date]:
        """What was asked for, by default this month until today. Raises InvalidInput for what is no period, or too long."""
        today = now.astimezone(SHANGHAI).date()
        last = self.last or max(today, self.first or today)
        first = self.first or last.replace(day=1)
        if not first <= last < first + most:
            what = f"须在 to 之前，最多查{'一年' if most == _LONGEST else '三个月'}"
            raise InvalidInput(mistakes=[{"where": "query.from", "what": what}])
        return first, last


class CountOut(Output):
    """Cards that took effect in the period: gross all there were, net those not revoked."""

    gross: int = Field(description="发牌总数", examples=[3])
    net: int = Field(description="有效的牌：总数减去撤销的", examples=[2])
    yellow_gross: int = Field(examples=[2])
    yellow_net: int = Field(examples=[1])
    red_gross: int = Field(examples=[1])
    red_net: int = Field(examples=[1])
    appeals_open: int = Field(description="尚待裁定的申诉", examples=[0])


class UnitCountOut(CountOut):
    unit_code: str = Field(examples=["500153003"])
    unit: str = Field(examples=["广顺街道"])

    @classmethod
    def of(cls, count: UnitCount) -> Self:
        return cls(unit_code=count.unit_code, unit=count.unit_name, **_counted([count]))


class Summary(Output):
    first: date = Field(serialization_alias="from", description="从哪一天起（含）")
    last: date = Field(serialization_alias="to", description="到哪一天止（含）")
    total: CountOut
    units: list[UnitCountOut] = Field(description="有牌的单位，净数多的在前")


class FactOut(Output):
    """Which entry of the record shows what."""

    signal: Signal
    label: str = Field(examples=["反复推转"])
    seq: int = Field(description="办理过程中的第几条", examples=[4])
    at: At
    unit_code: str = Field(examples=["500153003"])
    unit: str = Field(examples=["广顺街道"])
    to: str | None = Field(description="转给了谁", examples=["荣昌区群工系统指挥中心"])

    @classmethod
    def of(cls, fact: Fact) -> Self:
        entry = fact.entry
        return cls(
            signal=fact.signal,
            label=fact.signal.chinese,
            seq=entry.seq,
            at=entry.at,
            unit_code=entry.unit_code,
            unit=entry.unit_name,
            to=entry.to_unit_name,
        )


class SignalCounts(Output):
    returned: int = Field(description="退回的次数：退回下级、同意退回", examples=[1])
    ping_pong: int = Field(description="在同样两个单位之间再次推转的次数", examples=[1])
    empty_finding: int = Field(
        description="上报理由不足二十字，或与先前的相同，的次数", examples=[0]
    )
    late_escalation: int = Field(
        description="研判或本级办理期限的最后十分之一内（按上班时间计）或逾期后才上报的次数",
        examples=[0],
    )
    repeated_extension: int = Field(description="第二次起的延期申请", examples=[0])
    withdrawn: int = Field(description="替反映人撤回的事件", examples=[0])


class CaseSignals(Output):
    counts: SignalCounts
    facts: list[FactOut]


class SignalsOfAUnit(Output):
    unit_code: str = Field(examples=["500153003"])
    unit: str = Field(examples=["广顺街道"])
    cases: int = Field(description="有这些情形的事件有几件", examples=[2])
    counts: SignalCounts

    @classmethod
    def of(cls, found: UnitSignals, **days: date) -> Self:
        return cls(
            unit_code=found.unit_code,
            unit=found.unit_name,
            cases=found.cases,
            counts=SignalCounts(**found.counts),
            **days,
        )


class SignalsOfUnit(SignalsOfAUnit):
    first: date = Field(serialization_alias="from", description="从哪一天起（含）")
    last: date = Field(serialization_alias="to", description="到哪一天止（含）")


class SignalsOfCounty(Output):
    first: date = Field(serialization_alias="from", description="从哪一天起（含）")
    last: date = Field(serialization_alias="to", description="到哪一天止（含）")
    units: list[SignalsOfAUnit] = Field(description="有这些情形的单位，多的在前")


_LISTED = problems(SignInRequired, NotPermitted)
_ACTED = problems(SignInRequired, NotPermitted, NotFound, ActionNotAllowed, KeyReused)


@router.get(
    "/cards",
    summary="红黄牌列表",
    description="按生效时间，新的在前；不计总数，按 next 翻页。全县的，限县领导、指挥中心调度员和督查员。",
    responses=_LISTED,
)
async def list_cards(asked: Annotated[CardsQuery, Query()], tx: Tx, by: ByStaff) -> Cards:
    return await asked.page(tx, by=by)


@router.get(
    "/cards/summary",
    summary="红黄牌统计",
    description="按单位统计期间生效的牌：总数，和扣除申诉成立后的净数。限全县岗位；其他人只有本单位的。不填日期为本月。",
    responses=problems(SignInRequired),
)
async def count_cards(asked: Annotated[MonthByDefault, Query()], tx: Tx, by: ByStaff) -> Summary:
    first, last = asked.days(await tx.now())
    counts = await card_lists.count_by_unit(
        tx, by=by, since=begin(first), until=begin(last + ONE_DAY)
    )
    return Summary(
        first=first,
        last=last,
        total=CountOut(**_counted(counts)),
        units=[UnitCountOut.of(one) for one in counts],
    )


@router.get(
    "/cards/{card_id}",
    summary="一张牌",
    description="牌的缘由、申诉及裁定。无权查看的牌与不存在的一样。",
    responses=problems(SignInRequired, NotFound),
)
async def show_card(card_id: CardId, tx: Tx, by: ByStaff) -> CardDetail:
    known = await card_lists.get_card(tx, card_id, by=by)
    return CardDetail.in_full(known, by=by, now=await tx.now())


@router.post(
    "/cases/{ref}/card",
    status_code=201,
    summary="发牌",
    description="督查员对违规办理的单位（和个人）发牌，写明情形，记录在案。不能给本人或本人任职的单位发。",
    responses={
        201: {"headers": ETAG},
        **problems(SignInRequired, NotPermitted, NotFound, ActionNotAllowed, Changed, KeyReused),
    },
)
async def issue_card(ref: CaseRef, given: NewCard, step: Step) -> CardDetail:
    dossier, known = await irregular_cards.issue(
        step.tx, ref, by=step.by, **given.model_dump(), now=step.now
    )
    step.respond(dossier)
    return CardDetail.in_full(known, by=step.by, now=step.now)


@router.post(
    "/cards/{card_id}/appeal",
    summary="申诉",
    description="被发牌的单位或本人在发牌后 5 个工作日内申诉，只有一次，记录在案。",
    responses=_ACTED,
)
async def appeal(card_id: CardId, given: NewAppeal, tx: Tx, by: ByStaff) -> CardDetail:
    now = await tx.now()
    known = await appeals.appeal(tx, card_id, by=by, ground=given.ground, now=now)
    return CardDetail.in_full(known, by=by, now=now)


@router.post(
    "/cards/{card_id}/decide-appeal",
    summary="裁定申诉",
    description="由与这张牌无关的督查员裁定：不是被发牌人、发牌人或申诉人，也不在被发牌或申诉的单位任职（生效时在被发牌单位任职的也不行）。写明理由，记录在案；成立的，牌即撤销。",
    responses=_ACTED,
)
async def decide_appeal(card_id: CardId, given: Decision, tx: Tx, by: ByStaff) -> CardDetail:
    now = await tx.now()
    known = await appeals.decide(
        tx, card_id, by=by, upheld=given.upheld, reason=given.reason, now=now
    )
    return CardDetail.in_full(known, by=by, now=now)


@router.get(
    "/cases/{ref}/signals",
    summary="推诿迹象",
    description="一件事的退回、反复推转、空泛或临期的上报、多次延期：从记录中算出的事实。限县领导、指挥中心调度员和督查员。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def show_case_signals(ref: CaseRef, tx: Tx, by: ByStaff) -> CaseSignals:
    card_lists.require_county_wide(by)
    found = await signals.of_case(tx, ref, by=by)
    counts = {signal: sum(fact.signal is signal for fact in found) for signal in Signal}
    return CaseSignals(counts=SignalCounts(**counts), facts=[FactOut.of(fact) for fact in found])


@router.get(
    "/signals",
    summary="全县的推诿迹象",
    description="各单位在期间内的同类事实，只计数，多的在前；最多查三个月，不填日期为本月。限县领导、指挥中心调度员和督查员。",
    responses=problems(SignInRequired, NotPermitted),
)
async def show_county_signals(
    asked: Annotated[MonthByDefault, Query()], tx: Tx, by: ByStaff
) -> SignalsOfCounty:
    card_lists.require_county_wide(by)
    first, last = asked.days(await tx.now(), most=_LONGEST_OF_ALL)
    found = await signals.of_county(tx, by=by, since=begin(first), until=begin(last + ONE_DAY))
    return SignalsOfCounty(first=first, last=last, units=[SignalsOfAUnit.of(one) for one in found])


@router.get(
    "/units/{code}/signals",
    summary="单位的推诿迹象",
    description="一个单位在期间内的同类事实，只计数。不填日期为本月。限县领导、指挥中心调度员和督查员。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def show_unit_signals(
    code: Annotated[UnitCode, Path(description="单位代码", examples=["500153100"])],
    asked: Annotated[MonthByDefault, Query()],
    tx: Tx,
    by: ByStaff,
) -> SignalsOfUnit:
    card_lists.require_county_wide(by)
    first, last = asked.days(await tx.now())
    found = await signals.of_unit(tx, code, by=by, since=begin(first), until=begin(last + ONE_DAY))
    return SignalsOfUnit.of(found, first=first, last=last)


def _counted(counts: list[UnitCount]) -> dict[str, int]:
    return {
        "gross": sum(one.gross for one in counts),
        "net": sum(one.net for one in counts),
        "yellow_gross": sum(one.yellow for one in counts),
        "yellow_net": sum(one.yellow_standing for one in counts),
        "red_gross": sum(one.red for one in counts),
        "red_net": sum(one.red_standing for one in counts),
        "appeals_open": sum(one.appeals_open for one in counts),
    }

"""Over HTTP: staff register a case for the person who reports."""

from fastapi import APIRouter
from pydantic import Field, StrictBool

from app.auth.actor import StaffActor
from app.cases.actions import filing
from app.cases.actions.filing import Intake, Registered
from app.cases.lifecycle import Phase
from app.cases.number_given import AskedBy
from app.errors import (
    AccusationOfOwnLine,
    AccusationUnconfirmed,
    KeyReused,
    NobodyMaySee,
    NotPermitted,
    SignInRequired,
    TooMany,
)
from app.http import usage
from app.http.accusations import AccusationConfirmed, AccusationTakenOut, require_confirmation
from app.http.attached import Confidential, Photos, PositionIn, Voices
from app.http.case_inputs import PersonIn
from app.http.cases import SimilarOpen, SimilarOut
from app.http.inputs import (
    Identifier,
    Input,
    Line,
    Moment,
    OptionalLine,
    OptionalParagraphs,
    UnitCode,
)
from app.http.moments import At
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff
from app.limits.terms import Kind

router = APIRouter(prefix="/cases", tags=["登记"], route_class=OneTransaction)


class Report(Input):
    """What somebody told a member of staff."""

    title: Line = Field(description="一句话说明", examples=["13至17栋没有饮用水"])
    body: OptionalParagraphs = Field(
        default="",
        description="反映的内容；附上照片或语音的可不填",
        examples=["我们小区13栋到17栋已经三天没有自来水。"],
    )
    kind: Kind = Field(
        description="类别；检举控告自动密封，只有纪检监察机关可见", examples=["help"]
    )
    place: OptionalLine = Field(
        default="", description="事发地点", examples=["工农茶叶产业社区13栋"]
    )
    village_code: UnitCode | None = Field(
        default=None,
        description="事情所在的村(社区)；由本村登记的可不填",
        examples=["500153003007"],
    )
    category_id: Identifier | None = Field(
        default=None, description="分类，见分类目录", examples=[None]
    )
    urgent: StrictBool = Field(default=False, description="是否紧急，当日办理", examples=[False])
    accused_code: UnitCode | None = Field(
        default=None,
        description="被检举控告的单位，只用于检举控告；不能是登记人任职的单位或其上下级",
        examples=[None],
    )
    accusation_confirmed: AccusationConfirmed = False
    occurred_at: Moment | None = Field(
        default=None,
        description="群众反映的时间，若早于登记；期限一律从登记时起算",
        examples=["2026-11-22T08:30:00+08:00"],
    )
    person: PersonIn | None = Field(default=None, description="反映人；匿名反映的不填")
    photos: Photos = Field(default_factory=list)
    voices: Voices = Field(default_factory=list)
    position: PositionIn | None = Field(default=None, description="位置，可不填")
    confidential: Confidential = False

    def intake(self, by: StaffActor) -> Intake:
        person = self.person
        return Intake(
            title=self.title,
            body=self.body,
            kind=self.kind,
            channel=filing.channel_of(by),
            place=self.place,
            village_code=self.village_code,
            category_id=self.category_id,
            urgent=self.urgent,
            accused_code=self.accused_code,
            occurred_at=self.occurred_at,
            person=None if person is None else person.person(),
            photos=tuple(self.photos),
            voices=tuple(self.voices),
            position=None if self.position is None else self.position.position(),
            confidential=self.confidential,
        )


class RegisteredOut(Output):
    ref: str = Field(description="事件编号", examples=["500153-261122-48392017"])
    tracking_code: str = Field(
        description="查询码，只给这一次，请交给反映人：凭编号和查询码可以查看进度",
        examples=["K7MP3XWZ"],
    )
    title: str
    phase: Phase
    phase_label: str = Field(examples=["待研判"])
    holder: str = Field(description="由谁研判", examples=["工农茶叶产业社区"])
    received_at: At
    stage_due_at: At | None
    due_at: At
    textable: bool = Field(description="能否给反映人发短信")
    notice: str | None = Field(
        description="所填号码收不到短信，或不能用于短信评价时，登记人须知；没有则为空",
        examples=[None],
    )
    version: int = Field(description="记录的条数，用于 If-Match")
    evaluation_by: AskedBy = Field(
        description="办结后怎样请群众评价：text 短信、return_call 电话回访、nobody 匿名反映不评价",
        examples=["text"],
    )
    similar_open: SimilarOpen

    @classmethod
    def of(cls, registered: Registered) -> "RegisteredOut":
        case = registered.case
        return cls(
            ref=case.ref,
            tracking_code=registered.tracking_code,
            title=case.title,
            phase=case.phase,
            phase_label=case.phase.chinese,
            holder=registered.holder.name,
            received_at=case.received_at,
            stage_due_at=case.stage_due_at,
            due_at=case.due_at,
            textable=case.textable,
            notice=registered.notice,
            version=registered.matter.head_seq,
            evaluation_by=registered.number.asked_by,
            similar_open=[SimilarOut.model_validate(one) for one in registered.similar_open],
        )


@router.post(
    "",
    status_code=201,
    summary="代为登记",
    description="村(社区)、镇街和指挥中心把群众口头反映的事登记下来，由本单位研判。检举控告直接交纪检监察机关："
    "登记前须确认，答复中没有编号和查询码，只由短信发给反映人本人。"
    "请带上 Idempotency-Key，网络不好时可放心重发。",
    responses=problems(
        SignInRequired,
        NotPermitted,
        KeyReused,
        AccusationUnconfirmed,
        AccusationOfOwnLine,
        NobodyMaySee,
        TooMany,
    ),
)
async def register(given: Report, tx: Tx, by: ByStaff) -> RegisteredOut | AccusationTakenOut:
    require_confirmation(given.kind, confirmed=given.accusation_confirmed)
    intake = given.intake(by)
    phone = None if intake.person is None else intake.person.phone
    counted = usage.by_staff(by, phone, given.kind)
    registered = await filing.register(tx, intake, by=by, now=await tx.now(), counted=counted)
    if registered.case.sealed:
        return AccusationTakenOut.of(registered)
    return RegisteredOut.of(registered)

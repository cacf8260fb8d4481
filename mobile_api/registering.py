"""The input and answer that citizens and cadres share when they register."""

from typing import Self

from pydantic import Field

from app.cases.actions.filing import Registered
from app.cases.position import Position
from app.http.attached import Confidential, Photos, PositionIn, Voices
from app.http.cases import SimilarOpen, SimilarOut
from app.http.inputs import Identifier, Input, OptionalLine, OptionalParagraphs, UnitCode
from app.http.outputs import Output
from app.limits.terms import Kind
from mobile_api.wording import Title, title_of, untitled


class Told(Input):
    """One text and what goes with it; photos or voice messages may go without a word."""

    body: OptionalParagraphs = Field(
        default="",
        description="要反映的事，一段话即可；附上照片或语音的可不填",
        examples=["我们小区13栋到17栋已经三天没有自来水，老人小孩都要到外面提水。"],
    )
    title: Title = None
    place: OptionalLine | None = Field(
        default=None, description="地点，可不填", examples=["13至17栋"]
    )
    kind: Kind = Field(
        default=Kind.HELP,
        description="question 咨询，suggestion 建议，help 求助，complaint 投诉，accusation 检举控告（保密办理）",
        examples=["help"],
    )
    category_id: Identifier | None = Field(
        default=None, description="分类编号，见“分类目录”，可不选"
    )
    photos: Photos = Field(default_factory=list)
    voices: Voices = Field(default_factory=list)
    position: PositionIn | None = Field(default=None, description="位置，可不填")
    confidential: Confidential = False
    accused_code: UnitCode | None = Field(
        default=None, description="被检举控告的单位代码，见“单位”目录，只用于检举控告"
    )

    def heading(self) -> str:
        if self.title or self.body:
            return self.title or title_of(self.body)
        return untitled(self.place or "", photos=bool(self.photos))

    def place_on_map(self) -> Position | None:
        return None if self.position is None else self.position.position()


class ReceiptOut(Output):
    """回执: with the number and the code anybody can follow the case without signing in."""

    ref: str = Field(description="事件编号", examples=["500153-261122-48392017"])
    tracking_code: str = Field(description="查询码，只给这一次，请保存", examples=["7KQ2MXWA"])
    title: str = Field(examples=["13至17栋三天没有自来水"])
    holder: str = Field(description="受理单位", examples=["工农茶叶产业社区"])
    textable: bool = Field(description="能否给反映人发短信")
    notice: str | None = Field(
        description="所填号码收不到短信，或不能用于短信评价时，登记人须知；没有则为空",
        examples=[None],
    )
    similar_open: SimilarOpen

    @classmethod
    def of(cls, registered: Registered) -> Self:
        return cls(
            ref=registered.case.ref,
            tracking_code=registered.tracking_code,
            title=registered.case.title,
            holder=registered.holder.name,
            textable=registered.case.textable,
            notice=registered.notice,
            similar_open=[SimilarOut.model_validate(one) for one in registered.similar_open],
        )

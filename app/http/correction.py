"""What whoever puts right what a case is about may send, on both faces. Knows no rule."""

from pydantic import Field, StrictBool

from app.cases.actions.recategorising import Correction
from app.http.inputs import Identifier, Input, ShortText
from app.limits.terms import Kind


class CorrectionIn(Input):
    kind: Kind | None = Field(
        default=None,
        description="改成什么性质：question 咨询，suggestion 建议，help 求助，complaint 投诉；不填则不变。检举控告不能改成，也不能改掉",
        examples=["complaint"],
    )
    category_id: Identifier | None = Field(
        default=None, description="改成哪个分类；不填则不变", examples=[101]
    )
    urgent: StrictBool | None = Field(
        default=None, description="改为紧急或不紧急；不填则不变", examples=[True]
    )
    reason: ShortText = Field(
        description="为什么要改，仅办理各方可见", examples=["群众反映的是物业服务，不是供水"]
    )

    def correction(self) -> Correction:
        return Correction(self.kind, self.category_id, self.urgent)

"""What both faces say to staff who type an accusation for a citizen: a warning before, and afterwards nothing to follow it by."""

from typing import Annotated, Self

from pydantic import Field, StrictBool

from app.cases.actions.filing import Registered
from app.errors import AccusationUnconfirmed
from app.http.outputs import Output
from app.limits.terms import Kind

AccusationConfirmed = Annotated[
    StrictBool,
    Field(
        description="仅用于检举控告：登记人已知悉须保密、登记后本单位看不到，且被检举控告的不是本单位或其上下级",
        examples=[False],
    ),
]
_TAKEN = "检举控告已保密转交有权受理的机关。本单位看不到它，请勿外传。"
_BY_TEXT = "编号和查询码已由短信发给反映人本人。"
_IN_PERSON = "反映人没有能收短信的本人手机号码，进展由受理机关当面或打电话告知。"
_NOBODY = "匿名反映的不提供编号和查询码；需要查询进展的，请反映人用自己的手机扫海报上的二维码反映。"


class AccusationTakenOut(Output):
    """No reference, code, holder or limit: whoever typed it must not be able to follow it."""

    title: str
    told: str = Field(
        description="登记人须知；检举控告的编号和查询码只给反映人本人", examples=[_TAKEN + _BY_TEXT]
    )

    @classmethod
    def of(cls, registered: Registered) -> Self:
        case = registered.case
        rest = _BY_TEXT if case.textable else _NOBODY if case.citizen_id is None else _IN_PERSON
        return cls(title=case.title, told=_TAKEN + rest)


def require_confirmation(kind: Kind, *, confirmed: bool) -> None:
    """Raises AccusationUnconfirmed, whose words are the warning."""
    if kind is Kind.ACCUSATION and not confirmed:
        raise AccusationUnconfirmed

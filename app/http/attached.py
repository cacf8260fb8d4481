"""Attachments that go with an action on both faces: photos, voice messages, a place on the map."""

from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from app.cases.position import Position
from app.http.inputs import Input, not_a_number_in_words
from app.http.outputs import Output
from app.matters.attachments import MAX_PHOTOS, MAX_VOICES

# Everything that may be a place in China, its islands among it.
_SOUTH, _NORTH, _WEST, _EAST = 3.0, 54.0, 73.0, 136.0
_ABROAD: Final = "这个位置不在国内，请重新定位，或者不填位置、用文字说明地点"


def _each_once(what: str) -> AfterValidator:
    def check(ids: list[UUID]) -> list[UUID]:
        if len(set(ids)) != len(ids):
            raise PydanticCustomError("text", "{reason}", {"reason": f"同一{what}只能使用一次"})
        return ids

    return AfterValidator(check)


Photos = Annotated[
    list[UUID],
    Field(
        max_length=MAX_PHOTOS,
        description="照片编号，先逐张上传；最多 9 张，按此顺序显示",
        examples=[[]],
    ),
    _each_once("张照片"),
]
Voices = Annotated[
    list[UUID],
    Field(
        max_length=MAX_VOICES,
        description="语音编号，先逐段上传；最多 3 段，按此顺序显示",
        examples=[[]],
    ),
    _each_once("段语音"),
]
Confidential = Annotated[
    StrictBool,
    Field(
        description="保密：承办单位看得到事情，看不到是谁反映的；只有首问单位、登记单位和指挥中心知道",
        examples=[False],
    ),
]
Degrees = Annotated[float, BeforeValidator(not_a_number_in_words)]


class PositionIn(Input):
    """Where it is, as the phone measured it."""

    latitude: Degrees = Field(ge=-90, le=90, description="纬度，度", examples=[29.4046])
    longitude: Degrees = Field(ge=-180, le=180, description="经度，度", examples=[105.5943])
    accuracy_m: Degrees = Field(ge=0, le=100_000, description="误差，米", examples=[25])
    datum: Literal["wgs84", "gcj02"] = Field(
        description="坐标系：wgs84 手机定位，gcj02 国内地图选点", examples=["wgs84"]
    )

    @model_validator(mode="after")
    def _is_in_china(self) -> Self:
        if not (_SOUTH <= self.latitude <= _NORTH and _WEST <= self.longitude <= _EAST):
            raise PydanticCustomError("text", "{reason}", {"reason": _ABROAD})
        return self

    def position(self) -> Position:
        return Position(
            round(self.latitude, 6), round(self.longitude, 6), round(self.accuracy_m), self.datum
        )


class PositionOut(Output):
    latitude: float = Field(description="纬度，度", examples=[29.4046])
    longitude: float = Field(description="经度，度", examples=[105.5943])
    accuracy_m: int = Field(description="误差，米", examples=[25])
    datum: Literal["wgs84", "gcj02"] = Field(description="坐标系", examples=["wgs84"])


class VoiceRef(Output):
    id: UUID = Field(description="语音编号")
    seconds: int = Field(description="多长", examples=[23])

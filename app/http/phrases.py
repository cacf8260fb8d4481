"""Phrases (常用语) as both faces take and show them."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from app import phrases
from app.auth.actor import StaffActor
from app.db import Transaction
from app.http.inputs import Input, storable
from app.http.outputs import Output
from app.phrases import Shown, Whose

PhraseId = Annotated[UUID, Path(description="编号，见“常用语”")]


class NewPhrase(Input):
    text: Annotated[
        str,
        BeforeValidator(storable),
        StringConstraints(min_length=1, max_length=phrases.LONGEST),
        Field(
            description="文字；可以含占位符，如 {事件编号}，使用时由页面填入",
            examples=["您反映的{事件编号}已转{承办单位}办理，请耐心等待。"],
        ),
    ]
    whose: Whose = Field(
        default=Whose.OWN, description="own 本人的、unit 本单位共用的", examples=["own"]
    )


class PhraseOut(Output):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    whose: Whose
    text: str = Field(examples=["您反映的{事件编号}已转{承办单位}办理，请耐心等待。"])


class Phrases(Output):
    items: list[PhraseOut] = Field(description="本人的在前，各自先加的在前；各最多 50 条")

    @classmethod
    async def of(cls, tx: Transaction, *, by: StaffActor) -> Self:
        return cls(items=[told(one) for one in await phrases.shown(tx, by=by)])


def told(phrase: Shown) -> PhraseOut:
    return PhraseOut.model_validate(phrase)

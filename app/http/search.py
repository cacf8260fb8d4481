"""Searching cases, for both faces. What is looked for travels in the body: an address lies in logs, and it may be a name."""

from datetime import date

import msgspec
from fastapi import Response
from pydantic import Field

from app.auth import phones
from app.auth.actor import StaffActor
from app.auth.phones import PhoneRefused
from app.cases import search
from app.cases.county_lists import Filter
from app.cases.search import MOST, Asked, FoundPage
from app.db import Transaction
from app.http.case_lists import day_begins, day_ends
from app.http.cases import CaseItem
from app.http.inputs import Identifier, Input, Line, UnitCode, as_ref
from app.http.outputs import Output
from app.limits.terms import Kind

SUMMARY = "查找事件"
DESCRIPTION = (
    "在本岗位可以查看的事件中，按标题、内容、地点中的字词（空格隔开的须都有，繁简、全半角、大小写不分），按事件编号，"
    "或按反映人的电话号码查找，新的在前。密封的事件不在其中。不保存所填内容。"
)


class SearchWanted(Input):
    words: Line = Field(
        description="字词，或事件编号，或反映人的电话号码（限指挥中心，以及首问、登记的单位）",
        examples=["自来水 13栋"],
        repr=False,
    )
    finished: bool | None = Field(
        default=None,
        description="true 只找已办结的、false 只找未办结的；不填都找",
        examples=[False],
    )
    holder: UnitCode | None = Field(
        default=None, description="现在由哪个单位承办", examples=["500153100"]
    )
    township: UnitCode | None = Field(
        default=None, description="事情发生在哪个镇街或村(社区)", examples=["500153003"]
    )
    category_id: Identifier | None = Field(
        default=None, description="分类，含其下全部分类", examples=[12]
    )
    kind: Kind | None = Field(default=None, description="性质", examples=["help"])
    received_from: date | None = Field(
        default=None, description="哪一天起收到（含）", examples=["2026-11-01"]
    )
    received_to: date | None = Field(
        default=None, description="到哪一天止收到（含）", examples=["2026-11-30"]
    )
    cursor: str | None = Field(
        default=None, max_length=100, description="上一页的 next", examples=[None]
    )
    size: int = Field(default=MOST, ge=1, le=MOST, description="每页最多几件", examples=[50])

    def asked(self) -> Asked:
        ref, phone = as_ref(self.words), _phone(self.words)
        return Asked(
            words=() if ref or phone else Asked.split(self.words),
            ref=ref,
            phone_key=phones.phone_key(phone) if phone else None,
            filter=Filter(
                holder=self.holder,
                township=self.township,
                category_id=self.category_id,
                kind=self.kind,
                received_since=day_begins(self.received_from),
                received_until=day_ends(self.received_to),
            ),
            finished=self.finished,
        )


def _phone(typed: str) -> str | None:
    try:
        return phones.contact(typed)
    except PhoneRefused:
        return None


class FoundItem(CaseItem):
    excerpt: str = Field(
        description="内容中找到字词的地方",
        examples=["…已经三天没有自来水，老人小孩都要到外面提水。"],
    )
    marked: list[str] = Field(
        description="标题和摘录中找到的字词，按原文", examples=[["自来水", "13栋"]]
    )


class FoundCases(Output):
    items: list[FoundItem]
    next: str | None = Field(
        description="下一页的 cursor；没有下一页则为空。有下一页时，一页也可能不满"
    )


def respond(found: FoundPage) -> Response:
    """FoundCases as JSON. The items are a list's, as the database made them: they are not read again."""
    items = [{**one.item, "excerpt": one.excerpt, "marked": one.marked} for one in found.items]
    made = msgspec.json.encode({"items": items, "next": found.next})
    return Response(made, media_type="application/json")


async def find(given: SearchWanted, tx: Transaction, by: StaffActor) -> Response:
    return respond(
        await search.search(tx, given.asked(), by=by, cursor=given.cursor, size=given.size)
    )

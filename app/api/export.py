"""Over HTTP: a list, or what a search found, as an XLSX file. Each file is counted and stands in the security log."""

import asyncio
from collections.abc import Sequence
from typing import Self

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, model_validator

from app import security_log, usage
from app.auth.actor import owner_of
from app.cases import exporting, search
from app.cases.exporting import Item
from app.errors import NotPermitted, SignInRequired, TooMany
from app.http.case_lists import InboxQuery, list_of
from app.http.inputs import Input, Line, refusal
from app.http.problems import problems
from app.http.search import SearchWanted
from app.http.transaction import OneTransaction, Tx
from app.http.visitor import shown_address
from app.http.who import ByStaff, not_kept
from app.security_log import What
from app.usage import Counted, Purpose

router = APIRouter(
    prefix="/cases", tags=["事件"], route_class=OneTransaction, dependencies=[Depends(not_kept)]
)
_AT_ONCE = 100
_FILE = {"schema": {"type": "string", "contentMediaType": exporting.MEDIA_TYPE}}


class ExportWanted(Input):
    title: Line = Field(description="写在表格上方的名称", examples=["全部未办结"])
    listed: InboxQuery | None = Field(
        default=None,
        description="导出列表：与“事件列表”同样的视图和筛选，不看 cursor 和 size",
        examples=[{"scope": "county", "view": "open"}],
    )
    found: SearchWanted | None = Field(
        default=None,
        description="导出查找结果：与“查找事件”同样的填写，不看 cursor 和 size",
        examples=[None],
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.listed is None) is (self.found is None):
            raise refusal("列表和查找结果须填其中一项")
        return self


@router.post(
    "/export",
    summary="导出 Excel",
    description=f"列表或查找结果的全部各页，最多 {exporting.MOST} 件，列出的与列表相同；没有反映的内容和反映人，不含密封的事件。每次导出都记入安全日志。",
    response_class=Response,
    responses={
        200: {"description": "XLSX 文件", "content": {exporting.MEDIA_TYPE: _FILE}},
        **problems(SignInRequired, NotPermitted, TooMany),
    },
)
async def export(given: ExportWanted, request: Request, tx: Tx, by: ByStaff) -> Response:
    now = await tx.now()
    await usage.count(tx, Counted(Purpose.EXPORTS_OF_STAFF, owner_of(by)), now=now)

    async def page(cursor: str | None) -> tuple[Sequence[Item], str | None]:
        if given.found is not None:
            found = await search.search(
                tx, given.found.asked(), by=by, cursor=cursor, size=search.MOST
            )
            return [one.item for one in found.items], found.next
        assert given.listed is not None, "one of both is given"
        asked = given.listed.model_copy(update={"cursor": cursor, "size": _AT_ONCE})
        listed = msgspec.json.decode((await list_of(tx, asked, by=by)).body)
        return listed["items"], listed["next"]

    items = await exporting.collect(page)
    made = await asyncio.to_thread(exporting.workbook, given.title, items, at=now)
    security_log.record(
        What.EXPORTED,
        address=shown_address(request),
        who=owner_of(by),
        post=by.post_id,
        rows=len(items),
    )
    return Response(
        made,
        media_type=exporting.MEDIA_TYPE,
        headers={
            "Content-Disposition": 'attachment; filename="qungong-cases.xlsx"',
            "Cache-Control": "no-store",
        },
    )

"""Over HTTP: suggested categories for a report under entry or under judgement."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from app.cases.suggested_categories import MOST, suggest_categories
from app.errors import SignInRequired
from app.http.inputs import Input, OptionalLine
from app.http.problems import problems
from app.http.similar import Typed
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff, not_kept

# What people type while they type it is not kept for another answer.
router = APIRouter(
    prefix="/cases", tags=["事件"], route_class=OneTransaction, dependencies=[Depends(not_kept)]
)


class CategoryWanted(Input):
    title: OptionalLine = Field(default="", description="标题，可不填", examples=["路灯不亮"])
    body: Typed


class SuggestedCategoryOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int = Field(description="分类编号", examples=[12])
    path: str = Field(examples=["城乡建设/城市建设和市政管理/供排水"])
    why: list[str] = Field(
        description="所填内容中最像这一类的字词，两字一组，简体", examples=[["来水", "停水"]]
    )


class SuggestedCategoriesOut(BaseModel):
    items: list[SuggestedCategoryOut] = Field(description="最像的在前", max_length=MOST)


@router.post(
    "/categories",
    summary="建议的分类",
    description="按所填内容建议分类，最多 3 个，供人选择，不自动归类：从本县已归类的事件和随系统提供的词频得来。不保存所填内容。",
    responses=problems(SignInRequired),
)
async def categories(given: CategoryWanted, tx: Tx, by: ByStaff) -> SuggestedCategoriesOut:
    found = await suggest_categories(tx, given.title, given.body, by=by)
    return SuggestedCategoriesOut(items=[SuggestedCategoryOut.model_validate(one) for one in found])

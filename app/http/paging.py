"""Lists a page at a time, by a place in their order and without counting: one more is looked for than is shown."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import Field

from app.http.inputs import INT4_MAX, Input

Item = TypeVar("Item")


class VersionsQuery(Input):
    """Which of what is only ever added to, the newest first."""

    before: int | None = Field(
        default=None, ge=1, le=INT4_MAX, description="上一页的 next；不填为第一页"
    )
    size: int = Field(default=50, ge=1, le=100, description="每页几条")


def page_of(found: Sequence[Item], size: int) -> tuple[Sequence[Item], Item | None]:
    """What is shown of `size` + 1 that were looked for; and, where there is a next page, the last that is shown."""
    shown = found[:size]
    return shown, shown[-1] if len(found) > size else None

"""Where a page of a list ended: the moment and the id of its last row. Lists are never counted."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from app.errors import InvalidInput

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_cursor(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    """What `next` of a page said. Raises InvalidInput for what no page has said."""
    if cursor is None:
        return None, None
    try:
        due, _, after = cursor.rpartition("~")
        return None if due == "-" else _EPOCH + timedelta(microseconds=int(due)), UUID(after)
    except (ValueError, OverflowError) as broken:
        raise InvalidInput(
            mistakes=[{"where": "query.cursor", "what": "不是本列表给出的游标"}]
        ) from broken

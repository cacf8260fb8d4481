"""Cursors of paged lists: the moment and the id of a page's last row."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from app.errors import InvalidInput

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_cursor(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    """Reads a cursor that a page returned as `next`. Raises InvalidInput for any other text."""
    if cursor is None:
        return None, None
    try:
        due, _, after = cursor.rpartition("~")
        return None if due == "-" else _EPOCH + timedelta(microseconds=int(due)), UUID(after)
    except (ValueError, OverflowError) as broken:
        raise InvalidInput(
            mistakes=[{"where": "query.cursor", "what": "不是本列表给出的游标"}]
        ) from broken

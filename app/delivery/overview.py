"""How delivery stands: what is queued, under way, unknown and with a person, the channel, and the last day. Names nobody."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from app.db import Transaction
from app.delivery import channel
from app.delivery.channel import SmsChannel
from app.identifiers import uuid7
from app.outbox import MessageKind, MessageState, Why

# Each state has a partial index, so this costs what is open and not what there ever was.
_OPEN = text("""
SELECT state, kind, count(*) AS messages, min(created_at) AS oldest
FROM outbox_message WHERE state = 'queued' AND kind <> 'survey_owed' GROUP BY state, kind
UNION ALL
SELECT state, kind, count(*), min(created_at) FROM outbox_message WHERE state IN ('sending', 'unknown') GROUP BY state, kind
UNION ALL
SELECT state, kind, count(*), min(created_at) FROM outbox_message WHERE state = 'accepted' AND settled_at IS NULL GROUP BY state, kind
UNION ALL
SELECT state, kind, count(*), min(created_at) FROM outbox_message WHERE state = 'needs_human' GROUP BY state, kind
ORDER BY 1, 4
""")
_WHYS = text("""
SELECT why, count(*) AS messages FROM outbox_message WHERE state = 'needs_human' GROUP BY why ORDER BY 2 DESC, 1
""")
_NEVER_REPORTED = text("""
SELECT count(*) FROM outbox_message WHERE state = 'accepted' AND settled_at IS NOT NULL AND settled_at > :since
""")
# Ids are in the order of time.
_LAST_DAY = text("""
SELECT state, count(*) AS messages FROM outbox_message WHERE id > CAST(:since AS uuid) AND kind <> 'survey_owed'
GROUP BY state ORDER BY 2 DESC, 1
""")
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
# Before any id made in the same millisecond.
_TIME_BITS: Final = ((1 << 48) - 1) << 80


@dataclass(frozen=True, slots=True)
class Open:
    """So many of a kind in one state, the oldest owed since."""

    state: MessageState
    kind: MessageKind
    messages: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """`channel`: None where nothing was ever sent. `last_day`: texts owed within the last 24 hours, by where they are now.

    `never_reported`: texts that the provider took, and within the last week it was given up to learn what became of them.
    """

    at: datetime
    channel: SmsChannel | None
    open: tuple[Open, ...]
    whys: dict[Why, int]
    never_reported: int
    last_day: dict[MessageState, int]

    @property
    def paused(self) -> bool:
        return self.channel is not None and self.channel.paused_since is not None

    @property
    def needs_human(self) -> int:
        return sum(self.whys.values())


async def overview(tx: Transaction, provider: str) -> Overview:
    now = await tx.now()
    since = UUID(int=uuid7(now - _DAY).int & _TIME_BITS)
    return Overview(
        at=now,
        channel=await channel.show(tx, provider),
        open=tuple(_open(row) for row in await tx.all(_OPEN)),
        whys={Why(row.why): row.messages for row in await tx.all(_WHYS)},
        never_reported=await tx.scalar(_NEVER_REPORTED, since=now - _WEEK),
        last_day={
            MessageState(row.state): row.messages for row in await tx.all(_LAST_DAY, since=since)
        },
    )


def _open(row: Any) -> Open:
    return Open(MessageState(row.state), MessageKind(row.kind), row.messages, row.oldest)

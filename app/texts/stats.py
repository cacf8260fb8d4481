"""Counts of texts by state, the state of the channel, and the last day's results. Contains no names or numbers."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app.bell import Bell
from app.db import Transaction
from app.db.query import Query
from app.identifiers import uuid7
from app.texts import channel
from app.texts.channel import SmsChannel
from app.texts.outbox import MessageKind, MessageState, Why


class Open(Struct, frozen=True):
    """So many of a kind in one state, the oldest owed since."""

    state: MessageState
    kind: MessageKind
    messages: int
    oldest: datetime


class _Needed(Struct, frozen=True):
    why: Why
    messages: int


class _Owed(Struct, frozen=True):
    state: MessageState
    messages: int


class _Beat(Struct, frozen=True):
    """A worker, and how many seconds ago it was heard of. `overdue` is the same in each row."""

    worker: str | None
    seconds: float | None
    overdue: float


# Each state has a partial index, so this costs what is open and not what there ever was.
_OPEN = Query(
    Open,
    """
SELECT state, kind, count(*) AS messages, min(created_at) AS oldest
FROM outbox_message WHERE state = 'queued' AND kind <> 'survey_owed' GROUP BY state, kind
UNION ALL
SELECT state, kind, count(*), min(created_at) FROM outbox_message WHERE state IN ('sending', 'unknown') GROUP BY state, kind
UNION ALL
SELECT state, kind, count(*), min(created_at) FROM outbox_message WHERE state = 'accepted' AND settled_at IS NULL GROUP BY state, kind
UNION ALL
SELECT state, kind, count(*), min(created_at) FROM outbox_message WHERE state = 'needs_human' GROUP BY state, kind
ORDER BY 1, 4
""",
)
_WHYS = Query(
    _Needed,
    """
SELECT why, count(*) AS messages FROM outbox_message WHERE state = 'needs_human' GROUP BY why ORDER BY 2 DESC, 1
""",
)
_NEVER_REPORTED = text("""
SELECT count(*) FROM outbox_message WHERE state = 'accepted' AND settled_at IS NOT NULL AND settled_at > :since
""")
# Ids are in the order of time.
_LAST_DAY = Query(
    _Owed,
    """
SELECT state, count(*) AS messages FROM outbox_message WHERE id > CAST(:since AS uuid) AND kind <> 'survey_owed'
GROUP BY state ORDER BY 2 DESC, 1
""",
)
# In one statement, since whoever watches asks every few seconds. What waits for a quiet hour to end or for another try is
# not due.
_PACE = Query(
    _Beat,
    """
SELECT h.worker, h.seconds, due.overdue FROM (
  SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float AS overdue FROM outbox_message
  WHERE state = 'queued' AND kind <> 'survey_owed' AND due_at <= now()) due
LEFT JOIN (
  SELECT worker, extract(epoch FROM now() - max(beat_at))::float AS seconds FROM worker_heartbeat GROUP BY worker) h ON true
""",
)
# A worker looks every ten seconds, and writes after each round; a long round takes less than a minute.
_SILENT_SECONDS: Final = 120.0
_LATE_SECONDS: Final = 300.0
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
# Before any id made in the same millisecond.
_TIME_BITS: Final = ((1 << 48) - 1) << 80


class Pace(Struct, frozen=True):
    """Whether the workers go round and texts go out. `heard`: seconds since each worker was last heard of, None for never.

    `overdue`: seconds that the oldest queued text has been due; 0 where none is.
    """

    heard: dict[str, float | None]
    overdue: float

    @property
    def silent(self) -> list[str]:
        return [
            name
            for name, seconds in self.heard.items()
            if seconds is None or seconds > _SILENT_SECONDS
        ]

    @property
    def late(self) -> bool:
        return self.overdue > _LATE_SECONDS


async def pace(tx: Transaction) -> Pace:
    rows = await _PACE.all(tx)
    heard = {row.worker: row.seconds for row in rows if row.worker is not None}
    return Pace({str(worker): heard.get(str(worker)) for worker in Bell}, rows[0].overdue)


class Overview(Struct, frozen=True):
    """`channel`: None where nothing was ever sent. `last_day`: texts owed within the last 24 hours, by where they are now.

    `never_reported`: texts that the provider took, and within the last week it was given up to learn what became of them.
    """

    at: datetime
    channel: SmsChannel | None
    open: tuple[Open, ...]
    whys: dict[Why, int]
    never_reported: int
    last_day: dict[MessageState, int]
    pace: Pace

    @property
    def needs_person(self) -> bool:
        return self.paused or self.needs_human > 0 or self.pace.late or bool(self.pace.silent)

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
        open=tuple(await _OPEN.all(tx)),
        whys={one.why: one.messages for one in await _WHYS.all(tx)},
        never_reported=await tx.scalar(_NEVER_REPORTED, since=now - _WEEK),
        last_day={one.state: one.messages for one in await _LAST_DAY.all(tx, since=since)},
        pace=await pace(tx),
    )

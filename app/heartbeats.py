"""Which worker processes live, and when the sweep last went round, as they themselves write it. Restarts and judges none."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct
from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from app.db import Transaction
from app.db.query import Query
from app.db.row_base import MOMENT, Stored, one_of


class Heartbeat(Stored, table=True):
    """One row per worker process; the rows of those that died are dropped after a day."""

    __tablename__ = "worker_heartbeat"
    __table_args__ = (Index("worker_heartbeat_by_worker", "worker", "beat_at"),)

    id: UUID = Field(primary_key=True)
    worker: str = Field(max_length=40)
    host: str = Field(max_length=120)
    pid: int
    started_at: datetime = Field(sa_type=MOMENT)
    beat_at: datetime = Field(sa_type=MOMENT)


class Jump(StrEnum):
    """Which way the database's clock was found to have jumped."""

    AHEAD = "ahead"
    BEHIND = "behind"


class SweepPulse(Stored, table=True):
    """The sweep's one row: when it last went round by the database's clock, and whether it is held (no cards) and why.

    `released_at`: when a person last said that the clock is right.
    """

    __tablename__ = "sweep_pulse"
    __table_args__ = (
        CheckConstraint("id = 1", name="sweep_pulse_one_row"),
        one_of("held_why", Jump),
        CheckConstraint(
            "(held_since IS NULL) = (held_why IS NULL)", name="sweep_pulse_held_says_why"
        ),
    )

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    swept_at: datetime = Field(sa_type=MOMENT)
    held_since: datetime | None = Field(default=None, sa_type=MOMENT)
    held_why: Jump | None = Field(default=None, sa_type=Text)
    released_at: datetime | None = Field(default=None, sa_type=MOMENT)


_BEAT = text("""
INSERT INTO worker_heartbeat (id, worker, host, pid, started_at, beat_at) VALUES (:id, :worker, :host, :pid, now(), now())
ON CONFLICT (id) DO UPDATE SET beat_at = EXCLUDED.beat_at
""")
_FORGET = text("DELETE FROM worker_heartbeat WHERE beat_at < now() - INTERVAL '1 day'")


class _WorkerAge(Struct, frozen=True):
    worker: str
    seconds: float


_AGES = Query(
    _WorkerAge,
    """
SELECT worker, extract(epoch FROM now() - max(beat_at))::float AS seconds FROM worker_heartbeat GROUP BY worker ORDER BY worker
""",
)


class _PulseRow(Struct, frozen=True):
    at: datetime
    swept_at: datetime | None
    held_since: datetime | None
    held_why: Jump | None
    released_at: datetime | None


# Asked with the moment, so that both are of one look; of a sweep that never was there is only the moment.
_PULSE = Query(
    _PulseRow,
    """
SELECT now() AS at, p.swept_at, p.held_since, p.held_why, p.released_at
FROM (VALUES (1)) AS one(id) LEFT JOIN sweep_pulse p ON p.id = one.id
""",
)
# A hold that somebody else has put on since the look stays.
_SWEPT = text("""
INSERT INTO sweep_pulse (id, swept_at) VALUES (1, now()) ON CONFLICT (id) DO UPDATE SET
  swept_at = CASE WHEN sweep_pulse.held_since IS NULL THEN greatest(sweep_pulse.swept_at, EXCLUDED.swept_at)
    ELSE EXCLUDED.swept_at END,
  held_since = NULL, held_why = NULL
WHERE sweep_pulse.held_since IS NOT DISTINCT FROM CAST(:held_since AS timestamptz)
""")
_HOLD = text("""
WITH at AS (SELECT now() AS moment)
UPDATE sweep_pulse SET held_since = at.moment, held_why = :why FROM at WHERE id = 1 AND held_since IS NULL
""")
_RELEASE = text("""
WITH at AS (SELECT now() AS moment)
UPDATE sweep_pulse SET held_since = NULL, held_why = NULL, swept_at = at.moment, released_at = at.moment
FROM at WHERE id = 1 AND held_since IS NOT NULL
""")


async def beat(tx: Transaction, process: UUID, worker: str) -> None:
    """Tell that this process of the worker is alive and gets round its loop."""
    await tx.execute(
        _BEAT, id=process, worker=worker, host=socket.gethostname()[:120], pid=os.getpid()
    )


async def forget_old(tx: Transaction) -> int:
    return await tx.execute(_FORGET)


async def ages(tx: Transaction) -> dict[str, float]:
    """For each worker, how many seconds ago any process of it was last heard of."""
    return {row.worker: row.seconds for row in await _AGES.all(tx)}


@dataclass(frozen=True, slots=True)
class Pulse:
    """The sweep's row as it was at the database's moment `at`."""

    at: datetime
    swept_at: datetime | None
    held_since: datetime | None
    held_why: Jump | None
    released_at: datetime | None


async def pulse(tx: Transaction) -> Pulse:
    row = await _PULSE.one(tx)
    why = None if row.held_why is None else Jump(row.held_why)
    return Pulse(row.at, row.swept_at, row.held_since, why, row.released_at)


async def swept(tx: Transaction, seen: Pulse) -> None:
    """The sweep goes round, with the clock as it should be; the hold that was seen, if any, is over."""
    await tx.execute(_SWEPT, held_since=seen.held_since)


async def hold(tx: Transaction, why: Jump) -> bool:
    """Hold the sweep in all processes. False: it was held already."""
    return await tx.execute(_HOLD, why=why) == 1


async def release(tx: Transaction) -> bool:
    """A person says that the database's clock is right as it now is. False: nothing was held."""
    return await tx.execute(_RELEASE) == 1

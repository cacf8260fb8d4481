"""Which worker processes live, as they themselves write it. Reads and restarts none: for health checks and doctors."""

import os
import socket
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from app.db import Transaction
from app.stored import MOMENT, Stored


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


_BEAT = text("""
INSERT INTO worker_heartbeat (id, worker, host, pid, started_at, beat_at) VALUES (:id, :worker, :host, :pid, now(), now())
ON CONFLICT (id) DO UPDATE SET beat_at = now()
""")
_FORGET = text("DELETE FROM worker_heartbeat WHERE beat_at < now() - INTERVAL '1 day'")
_AGES = text("""
SELECT worker, extract(epoch FROM now() - max(beat_at))::float AS seconds FROM worker_heartbeat GROUP BY worker ORDER BY worker
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
    return {row.worker: row.seconds for row in await tx.all(_AGES)}

"""Clears out what nobody needs any more. Never touches the record, cases, messages or answers."""

import structlog

from app import heartbeats, idempotency
from app.auth import codes, sessions, signing_in
from app.cases import photos
from app.db import transaction

log = structlog.get_logger()

_FORGET = {
    "given_answer": idempotency.forget_old,
    "worker_heartbeat": heartbeats.forget_old,
    "one_time_code": codes.forget_old,
    "failed_sign_in": signing_in.forget_old,
    "session": sessions.forget_old,
}


async def tidy() -> dict[str, int]:
    """How many rows were dropped, by table; each table in a transaction of its own."""
    dropped = {}
    for table, forget_old in _FORGET.items():
        async with transaction() as tx:
            dropped[table] = await forget_old(tx)
    dropped["photo"] = await photos.drop_unattached()
    log.info("tidied", **dropped)
    return dropped

"""Deletes rows that have expired. Never touches the record, cases, messages or answers."""

import structlog
from obstore.exceptions import BaseError

from app import heartbeats, idempotency, usage
from app.auth import codes, sessions, signing_in
from app.db import transaction
from app.matters import attachments, notices
from app.texts import throttle

log = structlog.get_logger()

_DROP_ATTACHMENTS = {
    "attachment": attachments.drop_unattached,
    "attachment_without_row": attachments.drop_without_row,
}
_FORGET = {
    "given_answer": idempotency.forget_old,
    "worker_heartbeat": heartbeats.forget_old,
    "one_time_code": codes.forget_old,
    "texted": throttle.forget_old,
    "failed_sign_in": signing_in.forget_old,
    "session": sessions.forget_old,
    "notice_owed": notices.forget_settled,
    "usage_count": usage.forget_old,
}


async def tidy() -> dict[str, int]:
    """How many rows were dropped, by table; each table in a transaction of its own. Then files, for which none is held."""
    dropped = {}
    for table, forget_old in _FORGET.items():
        async with transaction() as tx:
            dropped[table] = await forget_old(tx)
    for what, drop in _DROP_ATTACHMENTS.items():
        try:
            dropped[what] = await drop()
        except BaseError as away:  # found again when the media store is back
            log.warning("media store not tidied", error=type(away).__name__)
    log.info("tidied", **dropped)
    return dropped

"""Asking the provider what became of a text that it took and never reported on. Sends nothing, and decides nothing.

What it says is taken as its report would have been (app/texts/receipts.py).
"""

import structlog

from app import keys
from app.db import transaction
from app.texts import outbox, receipts, unreported
from app.texts.outbox import MessageState
from app.texts.receipts import Report
from app.texts.unreported import Unreported
from sms.gateway import Gateway, NotSent, SentText, Status, Unknown

log = structlog.get_logger()


async def ask_after(gateway: Gateway, message: Unreported, *, provider: str) -> None:
    """Ask once, outside any transaction, and write down what was learned, if anything."""
    status = await _status_of(gateway, message)
    try:
        async with transaction() as tx:
            told = _reported(message, status)
            if not (told and await receipts.record(tx, told, provider=provider)):
                await unreported.asked_in_vain(tx, message)
    except Exception as failure:
        # The lease lapses, and it is asked after again.
        log.error("answer not taken", message=str(message.id), error=type(failure).__name__)


async def _status_of(gateway: Gateway, message: Unreported) -> Status | NotSent | Unknown:
    try:
        return await gateway.status_of(
            SentText(
                id=message.id,
                turn=message.turn,
                phone=keys.decrypt(
                    message.phone_sealed, outbox.phone_place(message.id, message.citizen_id)
                ),
                provider_id=message.provider_id,
                not_before=message.due_at,
                not_after=message.expires_at,
            )
        )
    except Exception as failure:
        # Also a key that has changed.
        return Unknown(type(failure).__name__)


def _reported(message: Unreported, status: Status | NotSent | Unknown) -> list[Report]:
    """The report that did not come. None where it still says no more than that it has the text, or does not know it."""
    if not isinstance(status, Status) or status.state is MessageState.ACCEPTED:
        return []
    told = Report(
        message.id,
        message.provider_id,
        status.state,
        status.error_code,
        status.error,
        message.turn,
    )
    return [told]

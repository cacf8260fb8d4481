"""Opting out of survey texts and back in (退订、恢复), by text, on the page, or as people read the words; and what follows.

It is noted of the number, whoever it belongs to. What is still to be answered is asked by a call, and nothing queued goes out.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db import Transaction
from app.surveys import answering, withdrawing
from app.surveys.answering import COLUMNS, JOINS, standing_of
from app.surveys.models import OptOut
from app.surveys.numbers import binds
from app.surveys.reply_reading import Sense
from app.surveys.terms import ReplyEffect

_OPEN_SINCE = text(f"""
SELECT {COLUMNS} FROM surveys.survey s JOIN grievance g ON g.id = s.case_id JOIN citizen p ON p.id = s.citizen_id {JOINS}
WHERE s.citizen_id = :citizen_id AND s.window_ends_at >= :since
""")  # noqa: S608 - constants of our own
_OF_THE_NUMBER = text("""
SELECT p.id AS person_id, o.out_at, o.back_at FROM (SELECT CAST(:phone_key AS bytea) AS phone_key) n
LEFT JOIN citizen p ON p.phone_key = n.phone_key LEFT JOIN surveys.opt_out o ON o.phone_key = n.phone_key
""")


def note(
    tx: Transaction, phone_key: bytes, row: Any, sense: Sense, now: datetime
) -> ReplyEffect | None:
    """Note that the number opts out or back in. 恢复 from one that was never out may be news of the water: UNCLEAR.

    What was chosen after `now` already stays so. `row`: what is noted of the number, if anything.
    """
    was_out = row is not None and row.out_at is not None and row.back_at is None
    if sense in (Sense.OPT_OUT, Sense.OPT_IN) and _chosen_since(row, now):
        return ReplyEffect.OPTED_OUT if was_out else ReplyEffect.OPTED_IN
    if sense is Sense.OPT_OUT and not was_out:
        out = OptOut(phone_key=phone_key, out_at=now)
        if row is None or row.out_at is None:
            tx.add(out)
        else:
            tx.change(out)
    elif sense is Sense.OPT_IN and was_out:
        tx.change(OptOut(phone_key=phone_key, out_at=row.out_at, back_at=now))
    elif sense is Sense.OPT_IN:
        return ReplyEffect.UNCLEAR
    return None


async def out_by_hand(
    tx: Transaction, phone_key: bytes, *, said_at: datetime, now: datetime
) -> None:
    """The owner of the number opted out with words that people read later than they were said."""
    [row] = await tx.all(_OF_THE_NUMBER, phone_key=phone_key)
    if note(tx, phone_key, row, Sense.OPT_OUT, said_at) is not ReplyEffect.OPTED_IN:
        await ask_by_call(tx, row.person_id, since=said_at, now=now)


async def ask_by_call(
    tx: Transaction, citizen_id: UUID | None, *, since: datetime, now: datetime
) -> None:
    """Whatever was still to be answered when they opted out (`since`), or has been asked by text meanwhile.

    None: the number is nobody's.
    """
    rows = await tx.all(_OPEN_SINCE, citizen_id=citizen_id, since=since, **binds(now))
    standings = [standing_of(row) for row in rows]
    answering.call_instead(tx, [one for one in standings if one.open(since)], since)
    answering.call_instead(tx, [one for one in standings if not one.open(since)], now)
    await withdrawing.withdraw(tx, [row.id for row in rows], now)


def _chosen_since(row: Any, moment: datetime) -> bool:
    return row is not None and any(
        at is not None and at > moment for at in (row.out_at, row.back_at)
    )

"""Opting out of survey texts and back in (退订、恢复), by text, on the page, or as people read the words; and what follows.

It is noted of the number, whoever it belongs to. What is still to be answered is asked by a call, and nothing queued goes out.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.db import Transaction
from app.db.query import Query
from app.evaluation import answers, withdrawal
from app.evaluation.answers import JOINS, STANDING, StandingRow
from app.evaluation.models import OptOut
from app.evaluation.number_owners import binds
from app.evaluation.reply_meanings import Sense
from app.evaluation.terms import ReplyEffect


class Choice(Struct, frozen=True):
    """When the owner of a number opted out, and when back in."""

    out_at: datetime
    back_at: datetime | None


class _NumberRow(Struct, frozen=True):
    person_id: UUID | None
    choice: Choice | None


_OPEN_SINCE = Query(
    StandingRow,
    f"""
SELECT {STANDING} FROM surveys.survey s JOIN matter_facts g ON g.id = s.matter_id JOIN citizen p ON p.id = s.citizen_id {JOINS}
WHERE s.citizen_id = :citizen_id AND s.window_ends_at >= :since
""",  # noqa: S608 - constants of our own
)
_OF_THE_NUMBER = Query(
    _NumberRow,
    """
SELECT p.id AS person_id, o.out_at AS choice_out_at, o.back_at AS choice_back_at FROM (SELECT CAST(:phone_key AS bytea) AS phone_key) n
LEFT JOIN citizen p ON p.phone_key = n.phone_key LEFT JOIN surveys.opt_out o ON o.phone_key = n.phone_key
""",
)


def note(
    tx: Transaction, phone_key: bytes, chosen: Choice | None, sense: Sense, now: datetime
) -> ReplyEffect | None:
    """Note that the number opts out or back in. 恢复 from one that was never out may be news of the water: UNCLEAR.

    What was chosen after `now` already stays so. `chosen`: what is noted of the number; None where nothing is.
    """
    was_out = chosen is not None and chosen.back_at is None
    if sense in (Sense.OPT_OUT, Sense.OPT_IN) and _chosen_since(chosen, now):
        return ReplyEffect.OPTED_OUT if was_out else ReplyEffect.OPTED_IN
    if sense is Sense.OPT_OUT and not was_out:
        out = OptOut(phone_key=phone_key, out_at=now)
        if chosen is None:
            tx.add(out)
        else:
            tx.change(out)
    elif sense is Sense.OPT_IN and chosen is not None and chosen.back_at is None:
        tx.change(OptOut(phone_key=phone_key, out_at=chosen.out_at, back_at=now))
    elif sense is Sense.OPT_IN:
        return ReplyEffect.UNCLEAR
    return None


async def out_by_hand(
    tx: Transaction, phone_key: bytes, *, said_at: datetime, now: datetime
) -> None:
    """The owner of the number opted out with words that people read later than they were said."""
    row = await _OF_THE_NUMBER.one(tx, phone_key=phone_key)
    if note(tx, phone_key, row.choice, Sense.OPT_OUT, said_at) is not ReplyEffect.OPTED_IN:
        await ask_by_call(tx, row.person_id, since=said_at, now=now)


async def ask_by_call(
    tx: Transaction, citizen_id: UUID | None, *, since: datetime, now: datetime
) -> None:
    """Whatever was still to be answered when they opted out (`since`), or has been asked by text meanwhile.

    None: the number is nobody's.
    """
    rows = await _OPEN_SINCE.all(tx, citizen_id=citizen_id, since=since, **binds(now))
    standings = [row.standing for row in rows]
    answers.call_instead(tx, [one for one in standings if one.open(since)], since)
    answers.call_instead(tx, [one for one in standings if not one.open(since)], now)
    await withdrawal.withdraw(tx, [one.survey.id for one in standings], now)


def _chosen_since(chosen: Choice | None, moment: datetime) -> bool:
    return chosen is not None and any(
        at is not None and at > moment for at in (chosen.out_at, chosen.back_at)
    )

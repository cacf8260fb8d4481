"""Locks the months that are over, a month at a time, and lets locked months follow what came or went or was read later.

Looks once an hour: nothing waits for a month end, and whatever was missed is made up for at the next look.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import structlog

from app.db import Database, Transaction, reading, transaction, transactions
from app.reports import closing, correcting
from app.reports.closing import NotYet
from app.reports.months import Month
from app.settings import settings

log = structlog.get_logger()

_EVERY_SECONDS: Final = 3600.0
# Limits that nobody has looked at yet are looked at within seconds.
_AGAIN_SECONDS: Final = 15.0


@asynccontextmanager
async def at_length() -> AsyncIterator[Database]:
    """A connection on which a statement may take longer than any request may, planned for the month it is asked of."""
    on = transactions.database().alike(
        pool_size=1,
        statement_timeout="600000",
        lock_timeout="60000",
        idle_in_transaction_session_timeout="60000",
        plan_cache_mode="force_custom_plan",
    )
    try:
        yield on
    finally:
        await on.close()


class MonthEnds:
    """One look; a month that cannot be locked holds up no other county, nor anything else the worker does."""

    def __init__(self) -> None:
        self._next_look = 0.0

    async def step(self) -> bool:
        """Whether there may be more to lock."""
        if time.monotonic() < self._next_look:
            return False
        more, rest = False, _EVERY_SECONDS
        async with reading() as tx:
            counties = await closing.counties(tx)
        for county_id in counties:
            try:
                more = await self._county(county_id) or more
            except NotYet as why:
                rest = _AGAIN_SECONDS
                log.info("month not locked yet", county=county_id, why=str(why))
            except Exception as failure:
                # Only its kind: what it says may hold a name.
                rest = _AGAIN_SECONDS
                log.error(
                    "not done", what="month end", county=county_id, error=type(failure).__name__
                )
        self._next_look = 0.0 if more else time.monotonic() + rest
        return more

    async def _county(self, county_id: int) -> bool:
        async with reading() as tx:
            now = await tx.now()
            months = await closing.open_months(
                tx, county_id, now=now, closing_day=settings().month_closing_day
            )
        async with at_length() as on:
            if months and not await self._lock(on, county_id, months[0]):
                # Who looked in vain may have been in the way of who would go on: neither may rest for long.
                raise NotYet(f"{months[0].chinese}正由另一进程月结，或已月结。")
            if len(months) > 1:
                return True
            # Also behind a month that was locked just now, long after its cut-off.
            async with transaction(on) as tx:
                now = await tx.now()
                cards = await correcting.follow_cards(tx, county_id, now=now)
                readings = await correcting.follow_readings(tx, county_id, now=now)
        if cards or readings:
            log.info("months follow", county=county_id, cards=cards, readings=readings)
        return correcting.FOLLOWED_AT_ONCE in (cards, readings)

    async def _lock(self, on: Database, county_id: int, month: Month) -> bool:
        """False: another worker is at it or was."""
        async with transaction(on) as tx:
            done = await lock(tx, county_id, month, now=await tx.now())
        if done:
            log.info("month locked", county=county_id, month=str(month))
        return done


async def lock(tx: Transaction, county_id: int, month: Month, *, now: datetime) -> bool:
    done = await closing.close_month(
        tx,
        county_id,
        month,
        now=now,
        closing_day=settings().month_closing_day,
        wait=False,
    )
    return done is not None

"""Villages of 广顺街道 that merged, made for a test."""

from datetime import timedelta
from itertools import pairwise
from secrets import token_hex

from sqlalchemy import text

from app.clock import SHANGHAI
from app.db import transaction
from app.directory.units import end_unit

_VILLAGE = text("""
INSERT INTO unit (code, name, short_name, kind, parent_id, county_id, valid_from, head_approves)
SELECT :code, :code, :code, 'village', id, county_id, DATE '2020-01-01', false FROM unit WHERE code = '500153003'
""")


async def merged_villages(times: int, *, carried_on: bool = True) -> list[str]:
    """Their codes: each became the next one yesterday, and the last one stands, unless nothing carries it on."""
    codes = [f"7{token_hex(5).upper()}" for _ in range(times + 1)]
    async with transaction() as tx:
        for code in codes:
            await tx.execute(_VILLAGE, code=code)
        yesterday = (await tx.now()).astimezone(SHANGHAI).date() - timedelta(days=1)
        ended: list[tuple[str, str | None]] = list(pairwise(codes))
        if not carried_on:
            ended.append((codes[-1], None))
        for old, new in ended:
            await end_unit(tx, old, successor=new, last_day=yesterday)
            await tx.flush()
    return codes

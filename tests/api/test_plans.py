"""There is an index for whatever is asked: planned for all values, no statement reads a table from end to end.

The tables of the tests are so small that reading all of them is cheaper. So the server is told not to, where it can.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.cards import sweep
from app.db import Transaction, transaction
from app.evaluation import invitations, privacy_role, receiving
from app.kinds import rescheduling
from app.texts import outcomes, queue, receipts, unreported
from app.texts.inbound import InboundText
from app.texts.outbox import MessageState
from app.texts.receipts import Report
from tests.api import test_statements
from tests.api.conftest import Who
from tests.api.test_statements import counted
from workers import deadlines

_FROM_THE_FIRST = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


async def test_no_request_of_every_day_reads_a_whole_table(who: Who) -> None:
    with counted() as sent:
        await test_statements.test_every_action_costs_few_statements(who)
        for account in ("gongnong", "guangshun", "zhihui", "jiwei", "lingdao"):
            person = await who(account)
            await person.client.get("/sessions/me")
            for view in (
                "to_judge",
                "handling",
                "to_sign",
                "assisting",
                "to_decide",
                "to_reply",
                "finished",
            ):
                found = await person.client.get(f"/cases?view={view}")
                for item in found.json()["items"][:1]:
                    await person.client.get(f"/cases/{item['ref']}")
    assert not await read_whole(sent)


async def test_no_look_for_what_is_due_reads_a_whole_table(tx: Transaction) -> None:
    with counted() as sent:
        await sweep.claim(tx, 1)
        await rescheduling.reschedule(tx, now=await tx.now())
        await queue.claim(tx, 1, lease=timedelta(minutes=1))
        await queue.claim_unknown(tx, 1, lease=timedelta(minutes=1))
        await unreported.claim(tx, 1, lease=timedelta(minutes=1))
        told = Report(UUID(int=1), "SM1", MessageState.UNDELIVERED)
        await receipts.record(tx, [told], provider="twilio")
        await outcomes.settle(tx, [])
        await receiving.receive(tx, [InboundText("SM1", "+8613800000001", "1")])
        await invitations.owed(tx, after=_FROM_THE_FIRST, most=1)
        await deadlines.to_archive(tx, after=_FROM_THE_FIRST, most=1)
    assert not await read_whole(sent)


async def read_whole(sent: list[str]) -> dict[str, list[str]]:
    """The tables that are read from end to end, by statement."""
    asked = [query for query in dict.fromkeys(sent) if not query.startswith("SET")]
    async with transaction() as tx:
        # What citizens answered is planned as whoever may read it.
        await privacy_role.enter(tx)
        driver = await tx.driver()
        await driver.execute("SET LOCAL enable_seqscan = off")
        await driver.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        read = {query: list(_scanned(await _plan(driver, query))) for query in asked}
    return {query: tables for query, tables in read.items() if tables}


async def _plan(driver: Any, query: str) -> Any:
    given = max((int(found) for found in re.findall(r"\$(\d+)", query)), default=0)
    nothing = f"({', '.join(['NULL'] * given)})" if given else ""
    await driver.execute(f"PREPARE asked AS {query}")
    plan = await driver.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{nothing}")
    await driver.execute("DEALLOCATE asked")
    return plan


def _scanned(plan: Any) -> Iterator[str]:
    if isinstance(plan, list):
        for one in plan:
            yield from _scanned(one)
    elif isinstance(plan, dict):
        if plan.get("Node Type") == "Seq Scan":
            yield plan["Relation Name"]
        for one in plan.values():
            yield from _scanned(one)

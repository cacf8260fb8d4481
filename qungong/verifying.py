"""`qungong verify`, for the person who runs it: a progress bar, and each fault on a line of its own."""

from typing import Any

from rich.console import Console
from rich.progress import Progress

from app.cases import verification
from app.cases.verification import Fault
from app.db import Database, snapshot
from app.reports import verification as months
from app.settings import settings


async def verify_all() -> int:
    """Prints what was checked and what is wrong, records and locked months; names no person. How many faults there are."""
    console = Console(highlight=False)
    faults: list[Fault] = []
    altered: list[dict[str, Any]] = []
    looked_at = looked_at_months = 0
    on = Database(
        settings().database_url,
        pool_size=1,
        statement_timeout="0",
        idle_in_transaction_session_timeout="0",
    )
    async with snapshot(on) as tx:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("核对记录 · verifying", total=await verification.how_many(tx))
            async for number, found in verification.verify(tx):
                faults += found
                looked_at += number
                progress.advance(task, number)
            async for number, wrong in months.altered(tx):
                altered += wrong
                looked_at_months += number
    await on.close()
    for fault in faults:
        console.print(f"[red]✗[/] {fault.ref} 第 {fault.seq} 条 · entry {fault.seq}: {fault.what}")
    for one in altered:
        correction = "" if one["correction"] is None else f" 第 {one['correction']} 条更正"
        console.print(
            f"[red]✗[/] {one['month']:%Y-%m}{correction}（county {one['county_id']}）: {one['what']}"
        )
    if not faults:
        console.print(f"[green]✓[/] {looked_at} 件的记录完整，与当前状态一致 · all records hold")
    if looked_at_months and not altered:
        console.print(
            f"[green]✓[/] {looked_at_months} 个月的月结没有被改动 · all locked months hold"
        )
    return len(faults) + len(altered)

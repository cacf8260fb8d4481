"""`qungong verify`, for the person who runs it: a progress bar, and each fault on a line of its own."""

import asyncio

import typer
from rich.console import Console
from rich.progress import Progress

from app.db import Database, snapshot
from app.doctor import verification
from app.doctor.verification import Found, Part
from app.settings import settings
from qungong.commands import refusals
from qungong.dev import serving
from qungong.dev.local import local_services

app = typer.Typer(add_completion=False)


async def verify_all() -> int:
    """Prints what was checked and what is wrong; names no person. How many faults there are."""
    console = Console(highlight=False, soft_wrap=True)
    looked_at: dict[Part, int] = {}
    faults: list[Found] = []
    on = Database(
        settings().database_url,
        pool_size=1,
        statement_timeout="0",
        idle_in_transaction_session_timeout="0",
    )
    async with snapshot(on) as tx:
        await verification.enter(tx)
        with Progress(console=console, transient=True) as progress:
            for part, (how_many, broken) in verification.PARTS.items():
                task = progress.add_task(
                    f"核对 · verifying {part.chinese}", total=await how_many(tx)
                )
                looked_at[part] = 0
                async for number, found in broken(tx):
                    faults += found
                    looked_at[part] += number
                    progress.advance(task, number)
    await on.close()
    for one in faults:
        console.print(f"[red]✗[/] {_told(one)}")
    wrong = {one.part for one in faults}
    for part, number in looked_at.items():
        if part not in wrong:
            console.print(f"[green]✓[/] {part.chinese}（{number}）没有被改动 · {part.value} hold")
    return len(faults)


def _told(one: Found) -> str:
    entry = "" if one.entry is None else f" 第 {one.entry} 条 · entry {one.entry}"
    return f"{one.table} {one.reference}{entry}: {one.what}"


@app.command()
@refusals.shown()
def verify() -> None:
    """Recompute records, months, evaluations, cards, papers, numbers and photos; exit 1 and name what was changed."""
    with local_services(serving.ROOT):
        faults = asyncio.run(verify_all())
    raise typer.Exit(1 if faults else 0)

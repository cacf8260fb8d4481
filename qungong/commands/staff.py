"""`qungong staff confirm`: the names of staff that were entered or put right by hand, confirmed by who runs the system."""

import asyncio
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy import text

from app.db import OWNER, Transaction, transaction
from app.db.row_base import seal_holds, seal_of
from app.directory.models import Staff
from qungong.dev import serving
from qungong.dev.local import local_services

app = typer.Typer(help="工作人员 · names of staff", no_args_is_help=True)

_ALL = text("SELECT * FROM staff ORDER BY id FOR UPDATE")
_SEAL = text("UPDATE staff SET seal = :seal WHERE id = :id")


@app.callback()
def staff() -> None:
    """工作人员 · names of staff."""


@app.command()
def confirm(
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """List the accounts whose name nobody has confirmed, and seal the names as they are now."""
    with local_services(serving.ROOT):
        confirmed = asyncio.run(_confirm(yes=yes))
    Console().print(f"[green]✓[/] 已确认 {confirmed} 个姓名 · {confirmed} names confirmed")


async def confirm_names(tx: Transaction) -> int:
    """Seal each name that has no seal or another one; how many."""
    await tx.act_as(OWNER)
    rows = await unconfirmed(tx)
    for row in rows:
        await tx.execute(_SEAL, id=row.id, seal=seal_of(Staff, row))
    return len(rows)


async def unconfirmed(tx: Transaction) -> list[Any]:
    return [row for row in await tx.all(_ALL) if not seal_holds(Staff, row)]


async def _confirm(*, yes: bool) -> int:
    async with transaction() as tx:
        for row in await unconfirmed(tx):
            typer.echo(f"{row.account}  {row.name}")
        if not yes:
            typer.confirm("以上姓名核对无误？ Are these names right?", abort=True)
        return await confirm_names(tx)

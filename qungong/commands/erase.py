"""`qungong erase`: the texts of one case, erased on a lawful request."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from app.cases.actions import erasing
from app.db import transaction
from qungong.commands import refusals
from qungong.dev import serving
from qungong.dev.local import local_services

app = typer.Typer(add_completion=False)


@app.command()
@refusals.shown()
def erase(
    ref: Annotated[str, typer.Argument(help="编号 reference of the case")],
    reason: Annotated[str, typer.Option(help="依据，不写姓名 why, naming nobody; stays on record")],
) -> None:
    """Erase what was written in a case, on a lawful request; that it was erased stays on its record."""
    with local_services(serving.ROOT):
        erased = asyncio.run(_erase(ref, reason))
    Console().print(f"[green]✓[/] {ref}: 已删除 {erased} 段文字 · {erased} texts erased")


async def _erase(ref: str, reason: str) -> int:
    async with transaction() as tx:
        return await erasing.erase_texts(tx, ref, reason=reason, now=await tx.now())

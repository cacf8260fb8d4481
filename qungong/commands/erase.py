"""`qungong erase`: the texts of one case, erased on a lawful request."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from app.cases.actions import erasing
from app.cases.actions.erasing import Erased
from app.db import transaction
from app.matters import attachments
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
    Console().print(
        f"[green]✓[/] {ref}: 已删除 {erased.texts} 段文字、{len(erased.voices)} 段语音 · "
        f"{erased.texts} texts and {len(erased.voices)} voice messages erased"
    )


async def _erase(ref: str, reason: str) -> Erased:
    async with transaction() as tx:
        erased = await erasing.erase_texts(tx, ref, reason=reason, now=await tx.now())
    await attachments.discard(erased.voices)
    return erased

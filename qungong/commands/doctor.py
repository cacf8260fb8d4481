"""`qungong doctor`, for the person who runs it: a line per invariant, and the first few that break it."""

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from app.clock import SHANGHAI
from app.db import Database, snapshot
from app.doctor.examining import Finding, examine
from app.settings import settings
from qungong.commands import refusals
from qungong.dev import serving
from qungong.dev.local import local_services

app = typer.Typer(add_completion=False)


_SHOWN = 5


async def examine_all(*, quick: bool, console: Console) -> list[Finding]:
    """Everything in one snapshot, with a progress bar on the console."""
    on = Database(
        settings().database_url,
        pool_size=1,
        statement_timeout="0",
        idle_in_transaction_session_timeout="0",
    )
    try:
        async with snapshot(on) as tx:
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task("检查 · examining")

                def tell(what: str, done: int, total: int) -> None:
                    progress.update(task, description=what, completed=done, total=total)

                return await examine(tx, quick=quick, tell=tell)
    finally:
        await on.close()


def report(findings: list[Finding], console: Console) -> None:
    for finding in findings:
        invariant = finding.invariant
        mark = "[green]✓[/]" if finding.holds else "[red]✗[/]"
        counted = "" if finding.looked_at is None else f"  ({finding.looked_at})"
        console.print(f"{mark} {invariant.number} {invariant.name}  {invariant.chinese}{counted}")
        if not finding.holds:
            console.print(f"    {escape(invariant.a_row_means)}", style="dim")
        for offender in finding.offenders[:_SHOWN]:
            console.print(f"    {escape(_line(offender))}")
        if finding.more or len(finding.offenders) > _SHOWN:
            console.print("    …")
    broken = sum(not finding.holds for finding in findings)
    console.print(
        f"[red]✗[/] {broken} 项不成立 · {broken} do not hold"
        if broken
        else f"[green]✓[/] {len(findings)} 项全部成立 · all {len(findings)} hold"
    )


def as_object(findings: list[Finding]) -> dict[str, Any]:
    """For machines: the same, with every offender that was fetched."""
    return {
        "holds": all(finding.holds for finding in findings),
        "invariants": [
            {
                "number": finding.invariant.number,
                "name": finding.invariant.name,
                "holds": finding.holds,
                "looked_at": finding.looked_at,
                "offenders": [_plain(one) for one in finding.offenders],
                "more": finding.more,
            }
            for finding in findings
        ],
    }


def _line(offender: dict[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in _plain(offender).items())


def _plain(offender: dict[str, Any]) -> dict[str, Any]:
    return {name: _readable(value) for name, value in offender.items()}


def _readable(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat(timespec="seconds")
    return value if isinstance(value, int | bool | None) else str(value)


@app.command()
@refusals.shown()
def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="只输出一个 JSON 对象 · print one JSON object")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="不核对记录链 · leave the chains out")
    ] = False,
) -> None:
    """Look for whatever must never be, and name it; exit 1 where anything is found. Repairs nothing."""
    console = Console(stderr=as_json, highlight=False)
    with local_services(serving.ROOT):
        findings = asyncio.run(examine_all(quick=quick, console=console))
    if as_json:
        typer.echo(json.dumps(as_object(findings), ensure_ascii=False))
    else:
        report(findings, console)
    raise typer.Exit(0 if all(finding.holds for finding in findings) else 1)

"""`qungong month-end`, for the person who runs it: locks what is due with a progress bar, prints a month, writes its workbook."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.clock import SHANGHAI
from app.db import Database, Transaction, transaction
from app.errors import InvalidInput
from app.reports import closing, reading
from app.reports.formulas import FEW, RATES, Measure, RateName, Share, Untold
from app.reports.months import Month
from app.reports.reading import Figure, Report
from app.reports.workbook import workbook
from app.settings import settings
from qungong.commands import refusals
from qungong.dev import serving
from qungong.dev.local import local_services
from workers.month_close import at_length

app = typer.Typer(add_completion=False)


_STEPS = 4
_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)
_SHOWN = (Measure.TAKEN_IN, Measure.ANSWERED, Measure.PENDING)
# What fits on a screen; the workbook has all.
_RATES = (RateName.ON_TIME, RateName.SATISFACTION, RateName.PARTICIPATION, RateName.RETURNS)


async def run(
    month: Month | None, *, county_code: str | None, console: Console
) -> tuple[Month, Report] | None:
    """Lock the month and what is due before it, or all that is due; the (last) month as it stands. None: none was due."""
    async with at_length() as on:
        async with transaction(on) as tx:
            county_id = await closing.county_of(tx, county_code)
            months = await _to_lock(tx, county_id, month)
        with Progress(*_COLUMNS, console=console, transient=True) as bar:
            task = bar.add_task("月结 · month end", total=len(months) * _STEPS)
            for one in months:

                def tell(what: str, one: Month = one) -> None:
                    bar.update(task, advance=1, description=f"{one} {what}")

                await _lock(on, county_id, one, tell)
        shown = month or (months[-1] if months else None)
        if shown is None:
            return None
        async with transaction(on) as tx:
            return shown, await reading.county(
                tx, county_id, shown, shown, evaluations=True, people=True
            )


async def write_workbook(month: Month, report: Report, file: Path) -> None:
    async with at_length() as on, transaction(on) as tx:
        corrections = await reading.corrections(
            tx, report.months[0].county_id, month, month, evaluations=False
        )
    made = workbook(f"{month.chinese}群工月报", report, corrections)
    try:
        await asyncio.to_thread(file.write_bytes, made)
    except OSError as failure:
        raise InvalidInput(
            f"工作簿没有写成：{file} 不能写入。月份已锁定，换一个位置再运行即可。"
        ) from failure


async def _to_lock(tx: Transaction, county_id: int, month: Month | None) -> list[Month]:
    now, day = await tx.now(), settings().month_closing_day
    if month is None:
        return await closing.open_months(tx, county_id, now=now, closing_day=day)
    return await closing.months_through(tx, county_id, month, now=now, closing_day=day)


async def _lock(on: Database, county_id: int, month: Month, tell: closing.Tell) -> None:
    async with transaction(on) as tx:
        await closing.close_month(
            tx,
            county_id,
            month,
            now=await tx.now(),
            closing_day=settings().month_closing_day,
            tell=tell,
        )


def show(month: Month, report: Report, console: Console) -> None:
    locked = report.months[0]
    # Folded, not cut off: all of it fits into 80 columns, as many as there are where it goes to a file.
    table = Table(
        title=f"{month.chinese}　{locked.locked_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 锁定　公式第{locked.formula_version}版",
        box=SIMPLE_HEAD,
        padding=0,
        show_edge=False,
    )
    table.add_column("单位", overflow="fold")
    for measure in _SHOWN:
        table.add_column(measure.chinese, justify="right", overflow="fold", width=4)
    for rate in RATES:
        if rate.name in _RATES:
            table.add_column(rate.chinese, justify="right", overflow="fold", width=7)
    for card in ("黄牌", "红牌"):
        table.add_column(card, justify="right", overflow="fold", min_width=4)
    for one in report.units:
        table.add_row(
            one.unit_name + ("*" if one.corrected else ""), *_cells(one.counts, one.shares)
        )
    table.add_section()
    table.add_row("全县合计", *_cells(report.total, report.total_shares))
    console.print(table)
    console.print(
        f"括号内为同类单位中的排名；分母不足{FEW}件的不排名。牌：有效/总数。* 有锁定后的更正。"
        "\nIn brackets: rank among units of the kind. Cards: standing/all. * corrected since."
    )


def as_object(month: Month, report: Report) -> dict[str, Any]:
    """For machines: every unit and person, with numerators and denominators."""
    locked = report.months[0]
    return {
        "month": str(month),
        "formula_version": locked.formula_version,
        "locked_at": locked.locked_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
        "cutoff_at": locked.cutoff_at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
        "total": _told(report.total, report.total_untold, report.total_shares),
        "units": [_of(one) for one in report.units],
        "people": [{**_of(one), "person": one.person_name} for one in report.people],
    }


def _of(figure: Figure) -> dict[str, Any]:
    return {
        "unit_code": figure.unit_code,
        "unit": figure.unit_name,
        "kind": figure.unit_kind.value,
        "corrected": figure.corrected,
        **_told(figure.counts, figure.untold, figure.shares),
    }


def _told(counts: dict[Measure, int], untold: Untold, shares: list[Share]) -> dict[str, Any]:
    return {
        "counts": {one.value: None if one in untold else counts.get(one, 0) for one in Measure},
        "rates": {
            one.rate.name.value: {
                "numerator": one.numerator,
                "denominator": one.denominator,
                "percent": one.percent,
                "rank": one.rank,
            }
            for one in shares
        },
    }


def _cells(counts: dict[Measure, int], shares: list[Share]) -> list[str]:
    return [
        *(str(counts.get(one, 0)) for one in _SHOWN),
        *(
            one.told if one.rank is None else f"{one.told} ({one.rank})"
            for one in shares
            if one.rate.name in _RATES
        ),
        f"{counts.get(Measure.YELLOW_NET, 0)}/{counts.get(Measure.YELLOW, 0)}",
        f"{counts.get(Measure.RED_NET, 0)}/{counts.get(Measure.RED, 0)}",
    ]


@app.command()
@refusals.shown(closing.NotYet)
def month_end(
    month: Annotated[
        str | None, typer.Argument(help="月份，如 2025-06；不填则月结所有到期的月份")
    ] = None,
    county: Annotated[
        str | None, typer.Option(help="县的代码；只有一个县时不填 · county code")
    ] = None,
    xlsx: Annotated[
        Path | None,
        typer.Option(dir_okay=False, writable=True, help="写成工作簿 · write a workbook"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="只输出一个 JSON 对象 · print one JSON object")
    ] = False,
) -> None:
    """Lock a month that is over, with those before it, and print it; a locked month is only printed. The worker does it by itself."""
    console = Console(stderr=as_json, highlight=False)
    asked = None if month is None else Month.parse(month)
    with local_services(serving.ROOT):
        done = asyncio.run(run(asked, county_code=county, console=console))
        if done is None:
            console.print("没有到期未月结的月份 · no month is due")
            return
        shown, report = done
        if xlsx is not None:
            asyncio.run(write_workbook(shown, report, xlsx))
            console.print(f"[green]✓[/] 已写入 · written: {escape(str(xlsx))}")
    if as_json:
        typer.echo(json.dumps(as_object(shown, report), ensure_ascii=False))
    else:
        show(shown, report, console)

"""`qungong calendar`: when a limit ends, a year at a glance, and taking over a year's list.

Without a county it answers from what the system itself knows, and needs no database.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from rich.columns import Columns
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from app.calendars import editing, importing, reading, seeding
from app.calendars.editing import Edited, Plan
from app.calendars.working_time import (
    FIRST_YEAR,
    LAST_YEAR,
    BadLimit,
    Due,
    Limit,
    LimitUnit,
    WorkingCalendar,
)
from app.clock import SHANGHAI
from app.db import Database, Transaction, transaction
from app.directory import queries
from app.errors import InvalidInput, NothingChanged
from app.kinds import rescheduling
from app.settings import settings
from qungong.dev import serving
from qungong.dev.embedded import LocalServiceError
from qungong.dev.local import local_services

app = typer.Typer(help="工作日历 · working days", no_args_is_help=True)
T = TypeVar("T")

_WEEKDAYS: Final = "一二三四五六日"
_DAY: Final = timedelta(days=1)
_SPAN_SHOWN: Final = 400
_MONTH_WIDTH: Final = 38

County = Annotated[
    str | None,
    typer.Option(help="县代码，如 500153；不填则用系统自带的全国安排 · as the county has it"),
]
Year = Annotated[int, typer.Argument(min=FIRST_YEAR, max=LAST_YEAR, help="年份 · year")]


@app.command("due")
def show_due(
    received: Annotated[str, typer.Argument(help="收到的时间，如 2025-09-26T10:00 · received at")],
    limit: Annotated[str, typer.Argument(help="期限：5wd 工作日、60d 自然日、4wh 工作小时")],
    county: County = None,
) -> None:
    """When a limit ends, and which days count."""
    console = Console(highlight=False, soft_wrap=True)
    with _told_in_words():
        moment, asked = _moment(received), Limit.parse(limit)
        calendar = _calendar(county)
        due = calendar.due(moment, asked)
        console.print(due_line(due))
        for line in explanation(calendar, moment, asked, due):
            console.print(line)


@app.command("show")
def show_year(year: Year, county: County = None) -> None:
    """A year at a glance, month by month."""
    with _told_in_words():
        calendar = _calendar(county)
    console = Console(highlight=False)
    console.print(_heading(calendar, year))
    months = [_month(calendar, year, month) for month in range(1, 13)]
    beside = max(1, min(4, console.width // _MONTH_WIDTH))
    for first in range(0, len(months), beside):
        console.print(Columns(months[first : first + beside], padding=(0, 3)))
    console.print("[red]休[/] 休息  [green]班[/] 周末上班  [yellow]半[/] 半天")


@app.command("import")
def import_year(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV 或 iCal 清单")],
    county: Annotated[str, typer.Option(help="县代码 · the county's code")],
    year: Annotated[int, typer.Option(min=FIRST_YEAR, max=LAST_YEAR, help="年份 · year")],
    source: Annotated[str, typer.Option(help="依据，如 国办发明电〔2025〕7号")] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="不询问，直接发布 · publish without asking")
    ] = False,
) -> None:
    """Publish a year for a county from a list, all of it or nothing; shows the days that change and asks first."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    with _told_in_words(), local_services(serving.ROOT):
        listed = importing.read(file.read_bytes(), year)
        plan = asyncio.run(_with_database(lambda tx: _plan(tx, county, year, listed)))
        _show_plan(console, plan, listed)
        if not yes and not _agreed(plan, year):
            raise InvalidInput("没有发布。确认无误后，可加 --yes 直接发布。")

        async def publish(tx: Transaction) -> Edited:
            return await editing.publish_years(
                tx,
                await _county_id(tx, county),
                {year: listed.days},
                source=(source or f"清单 {file.name}")[:200],
                staff_id=None,
                now=await tx.now(),
            )

        edited = asyncio.run(_with_database(publish))
    past = f"，其中 {edited.past_days} 天在昨天以前" if edited.past_days else ""
    console.print(f"{year} 年已发布：第 {edited.version} 版，改变 {edited.days} 天{past}")


async def _plan(tx: Transaction, county: str, year: int, listed: importing.Reading) -> Plan:
    return await editing.plan_years(tx, await _county_id(tx, county), {year: listed.days})


def _agreed(plan: Plan, year: int) -> bool:
    """Asks at a terminal; nobody is there to agree elsewhere. What changes nothing is refused without a question."""
    if not plan.changed and not plan.fresh:
        return True
    return sys.stdin.isatty() and typer.confirm(f"发布 {year} 年的放假安排？")


def _show_plan(console: Console, plan: Plan, listed: importing.Reading) -> None:
    for mark, days in _changes(plan):
        console.print(f"{mark}  {'、'.join(days)}")
    if plan.kept:
        console.print(f"{'、'.join(map(str, plan.kept))} 未列出，保持不变")
    if over := listed.passed_over:
        console.print(f"跳过 {over.total()} 个日程（没有说明全天放假或上班）：{'、'.join(over)}")
    if left := listed.other_years:
        told = "、".join(map(str, sorted(left)))
        console.print(f"跳过 {left.total()} 天（不属于这一年的安排）：{told} 年")
    for warning in plan.warnings:
        console.print(f"! {warning}")


def _changes(plan: Plan) -> Iterator[tuple[str, list[str]]]:
    """The days that change, by what they become."""
    for mark, working in (("休", False), ("班", True)):
        days = [
            f"{day}（{_weekday(day)}）{given.name}"
            for day, given in plan.changed.items()
            if given.working is working
        ]
        if days:
            yield mark, days


@app.command("reschedule")
def reschedule() -> None:
    """按最新的工作日历重新计算未办结事项的期限；平时由后台自动完成 · what the workers do by themselves, at once."""
    with _told_in_words(), local_services(serving.ROOT):
        done = asyncio.run(_reschedule())
    typer.echo(f"已重算 {done} 个期限 · limits computed anew")


async def _reschedule() -> int:
    """Batch by batch, each a transaction; what others are working on is left to the workers."""
    on = Database(settings().database_url, pool_size=1, statement_timeout="0")
    done = 0
    try:
        async with transaction(on) as tx:
            total = await rescheduling.remaining(tx)
        with Progress(transient=True) as progress:
            task = progress.add_task("重算期限", total=total)
            while True:
                async with transaction(on) as tx:
                    step = await rescheduling.reschedule(tx, now=await tx.now())
                if step == 0:
                    return done
                done += step
                progress.update(task, completed=done)
    finally:
        await on.close()


def warn_of_missing() -> None:
    """Say which years' days off are missing in the county, or in one of the counties, at work here."""
    for year in asyncio.run(_with_database(reading.outlook)).missing:
        Console(highlight=False, soft_wrap=True).print(
            f"[yellow]![/] {year} 年的放假安排尚未发布：期限暂定，发布之前到期也不发牌 · "
            "publish it as soon as the state has: qungong calendar import"
        )


def due_line(due: Due) -> str:
    assert due.at is not None, "nothing was paused"
    offset = due.at.strftime("%z")
    provisional = "  暂定" if due.provisional else ""
    return (
        f"{due.at:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:]}  星期{_weekday(due.at)}{provisional}"
    )


def explanation(
    calendar: WorkingCalendar, received: datetime, limit: Limit, due: Due
) -> Iterator[str]:
    """For people: what counted as receipt, which days counted and which did not."""
    assert due.at is not None, "nothing was paused"
    local = received.astimezone(SHANGHAI)
    start = local if limit.unit is LimitUnit.CALENDAR_DAYS else calendar.effective_receipt(received)
    yield f"期限  {limit.chinese}"
    later = "" if start == local else f"，视为 {start:%Y-%m-%d %H:%M} 收到"
    yield f"收到  {local:%Y-%m-%d %H:%M} 星期{_weekday(local)}{later}"
    if limit.unit is LimitUnit.WORKING_HOURS:
        yield from _hours(calendar, start, due.at)
    else:
        every_day = limit.unit is LimitUnit.CALENDAR_DAYS
        yield from _days(calendar, start.date(), due.at.date(), every_day=every_day)
    if due.provisional:
        years = range(local.year, due.at.year + 1)
        unpublished = "、".join(str(year) for year in years if year not in calendar.published)
        yield f"暂定  {unpublished} 年的放假安排尚未发布，发布后重新计算"


def _days(calendar: WorkingCalendar, first: date, last: date, *, every_day: bool) -> Iterator[str]:
    days = [first + _DAY * number for number in range(1, (last - first).days + 1)]
    for counts, told in ((True, "计入"), (False, "不计")):
        chosen = [day for day in days if (every_day or calendar.works(day)) is counts]
        for span in _spans(chosen[:_SPAN_SHOWN], calendar):
            yield f"{told}  {span}"


def _spans(days: list[date], calendar: WorkingCalendar) -> Iterator[str]:
    """Runs of days with the same name on a line each."""
    runs = groupby(
        enumerate(days), key=lambda one: (one[1].toordinal() - one[0], calendar.day(one[1]).name)
    )
    for (_, name), run in runs:
        found = [day for _, day in run]
        first, last = found[0], found[-1]
        until = "" if first == last else f" 至 {last:%m-%d}（{_weekday(last)}）"
        yield f"{first:%m-%d}（{_weekday(first)}）{until}  {len(found)} 天 {name}".rstrip()


def _hours(calendar: WorkingCalendar, start: datetime, due: datetime) -> Iterator[str]:
    for number in range((due.date() - start.date()).days + 1):
        day = start.date() + _DAY * number
        begin = max(start, datetime.combine(day, time(), SHANGHAI))
        end = min(due, datetime.combine(day, time(23, 59, 59), SHANGHAI))
        if spent := calendar.working_time_between(begin, end):
            yield f"计入  {day:%m-%d}（{_weekday(day)}）  {spent / timedelta(hours=1):g} 小时"


def _heading(calendar: WorkingCalendar, year: int) -> str:
    hours = calendar.hours
    noon = (
        "" if hours.noon_from is None else f"，午休 {hours.noon_from:%H:%M}–{hours.noon_to:%H:%M}"
    )
    told = "" if year in calendar.published else "  [yellow]暂定：放假安排尚未发布[/]"
    return f"[bold]{year} 年[/]  上班 {hours.opens:%H:%M}–{hours.closes:%H:%M}{noon}{told}"


def _month(calendar: WorkingCalendar, year: int, month: int) -> Table:
    table = Table(title=f"{month} 月", box=None, padding=(0, 0), pad_edge=False)
    for weekday in _WEEKDAYS:
        table.add_column(weekday, width=5, justify="right", header_style="dim")
    first = date(year, month, 1)
    cells = [Text("")] * first.weekday()
    day = first
    while day.month == month:
        cells.append(_cell(calendar, day))
        day += _DAY
    for week in range(0, len(cells), 7):
        table.add_row(*cells[week : week + 7])
    return table


def _cell(calendar: WorkingCalendar, day: date) -> Text:
    said = calendar.day(day)
    weekend = day.weekday() >= 5
    if said.hours is not None:
        mark, style = "半", "yellow"
    elif said.working:
        mark, style = ("班", "green") if weekend else ("", "")
    else:
        mark, style = ("休", "red") if said.name or not weekend else ("", "dim")
    return Text(f"{day.day}{mark or '  '}", style=style)


def _calendar(county: str | None) -> WorkingCalendar:
    if county is None:
        return seeding.known_calendar()
    code = county

    async def find(tx: Transaction) -> WorkingCalendar:
        return await reading.calendar_of(tx, await _county_id(tx, code))

    with local_services(serving.ROOT):
        return asyncio.run(_with_database(find))


async def _with_database(what: Callable[[Transaction], Awaitable[T]]) -> T:
    on = Database(settings().database_url, pool_size=1)
    try:
        async with transaction(on) as tx:
            return await what(tx)
    finally:
        await on.close()


async def _county_id(tx: Transaction, code: str) -> int:
    unit = await queries.unit_by_code(tx, code)
    if unit is None or unit.id is None or unit.county_id != unit.id:
        raise InvalidInput(f"没有代码为 {code} 的县。")
    return unit.id


def _moment(written: str) -> datetime:
    try:
        found = datetime.fromisoformat(written)
    except ValueError as wrong:
        raise InvalidInput("收到的时间应写作 2025-09-26T10:00。") from wrong
    if not FIRST_YEAR - 50 <= found.year <= LAST_YEAR:
        raise InvalidInput(f"年份应在 {FIRST_YEAR - 50} 与 {LAST_YEAR} 之间。")
    return found if found.tzinfo is not None else found.replace(tzinfo=SHANGHAI)


def _weekday(day: date) -> str:
    return _WEEKDAYS[day.weekday()]


@contextmanager
def _told_in_words() -> Iterator[None]:
    """What a person can do something about is a message, not a stack trace."""
    try:
        yield
    except (BadLimit, InvalidInput, NothingChanged, LocalServiceError) as wrong:
        Console(stderr=True, highlight=False).print(f"[red]✗[/] {escape(str(wrong))}")
        raise typer.Exit(1) from wrong

"""Reads a list of days off and make-up days from CSV or iCal: all of it, or nothing and every bad line named.

Reads only; `editing` decides what becomes of the days.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from app.calendars.event_names import DayWord, day_word
from app.calendars.working_time import (
    FIRST_YEAR,
    LAST_YEAR,
    SATURDAY,
    Day,
    Hours,
    is_announced_with,
)
from app.clock import SHANGHAI
from app.errors import InvalidInput

LARGEST: Final = 1 << 20
MOST_DAYS: Final = 2_000
LONGEST_NAME: Final = 40
_ONE_DAY: Final = timedelta(days=1)
_LONGEST_EVENT: Final = timedelta(days=31)
_SHOWN_FAULTS: Final = 50
_COLUMNS: Final = ("date", "kind", "name", "opens", "closes")
_IN_CHINESE: Final = {
    "日期": "date",
    "类别": "kind",
    "名称": "name",
    "上班": "opens",
    "下班": "closes",
}
_KINDS: Final = {
    "休": "off", "off": "off", "班": "working", "working": "working", "半": "half", "half": "half",
}  # fmt: skip
_MORNING: Final = (time(9), time(12))
_BOM: Final = "\ufeff"
# Lines are folded by bytes, also in the middle of a character: they are put together before they are read.
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
_FEED: Final = b"BEGIN:VCALENDAR"
# Without separators all digits: 2026111 may be either of two days.
_DATE: Final = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d{2})(\d{2}))", re.ASCII)
_HOUR: Final = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_AROUND_NAMES: Final = re.compile(
    r"第\s*\d+\s*天.*|调休|补休|上班|补班|放假|假期|[休班]|[（）()｜|\[\]【】\s]+"
)


_APPLES: Final = {"WORK-HOLIDAY": DayWord.OFF, "ALTERNATE-WORKDAY": DayWord.WORKING}
# An event with hours stands for its day where it lasts this long; a shorter one is no whole day.
_SHORTEST_WORK: Final = timedelta(hours=4)


class Fault(NamedTuple):
    """Where (第 3 行, 第 2 个日程) and what is wrong there."""

    where: str
    told: str


@dataclass(slots=True)
class Reading:
    """What a list says, and what is wrong with it.

    `passed_over` are the events by name that make no whole day off or worked, `other_years` how many days of which
    years were left.
    """

    days: dict[date, Day] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    other_years: Counter[int] = field(default_factory=Counter)
    _said_at: dict[date, str] = field(default_factory=dict)

    def take(self, where: str, day: date, given: Day) -> None:
        if day in self._said_at:
            differs = "，而且内容不同" if self.days[day] != given else ""
            self.faults.append(Fault(where, f"{day} 与{self._said_at[day]}重复{differs}"))
        elif len(self.days) >= MOST_DAYS:
            raise InvalidInput(f"清单超过 {MOST_DAYS} 天，没有导入。")
        else:
            self.days[day] = given
            self._said_at[day] = where


class DaysRefused(InvalidInput):
    """The list has bad lines and nothing was changed. `faults` has all of them, the text the first ones."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        shown = [f"{where}：{told}" for where, told in faults[:_SHOWN_FAULTS]]
        if len(faults) > _SHOWN_FAULTS:
            shown.append(f"…… 另有 {len(faults) - _SHOWN_FAULTS} 处")
        super().__init__("\n".join([f"日历清单有 {len(faults)} 处错误，没有导入：", *shown]))


def read(data: bytes, year: int | None = None) -> Reading:
    """CSV (date,kind,name[,opens,closes], or in Chinese 日期,类别,名称[,上班,下班]) or iCal, in UTF-8 or GBK.

    With `year`, its days are taken and those of the December before: there the state gives days off and make-up days
    for the New Year, and announces them with the year. Any other day is a fault in a CSV; of a feed, which has
    several years, it is left and counted. Raises DaysRefused, naming what is wrong, or InvalidInput for what is no
    list at all.
    """
    reading = Reading()
    if _FEED in data[:2000].upper():
        _read_ical(_decoded(_FOLD.sub(b"", data)), reading, year)
    else:
        _read_csv(_decoded(data), reading, year)
    if reading.faults:
        raise DaysRefused(reading.faults)
    if not reading.days:
        raise InvalidInput("清单中没有任何休息日或补班日，没有导入。")
    return reading


def _decoded(data: bytes) -> str:
    if len(data) > LARGEST:
        raise InvalidInput(f"文件超过 {LARGEST >> 20} MB，没有导入。")
    for encoding in ("utf-8", "gb18030"):
        try:
            written = data.decode(encoding).removeprefix(_BOM)
        except UnicodeDecodeError:
            continue
        if "\x00" not in written:
            return written
    raise InvalidInput("无法读取文件：应为 UTF-8 或 GBK 编码的文本。")


def _read_csv(written: str, reading: Reading, year: int | None) -> None:
    lines = written.splitlines()
    header = [_IN_CHINESE.get(one, one) for one in _fields(lines[0] if lines else "") or []]
    if len(header) < 2 or tuple(header) != _COLUMNS[: len(header)]:
        raise InvalidInput(
            f"首行应为 {','.join(_COLUMNS)} 或 {','.join(_IN_CHINESE)}（后三列可省略）。"
        )
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        where = f"第 {number} 行"
        fields = _fields(line)
        if fields is None or not 2 <= len(fields) <= len(header):
            reading.faults.append(Fault(where, f"应有 {len(header)} 列，并且引号成对"))
            continue
        try:
            day, given = _row(dict(zip(header, fields, strict=False)), year)
        except ValueError as wrong:
            reading.faults.append(Fault(where, str(wrong)))
        else:
            reading.take(where, day, given)


def _fields(line: str) -> list[str] | None:
    try:
        return [one.strip() for one in next(csv.reader([line], strict=True), [])]
    except csv.Error:
        return None


def _row(row: dict[str, str], year: int | None) -> tuple[date, Day]:
    """Raises ValueError with what is wrong, in Chinese."""
    day = _date(row["date"])
    _require_known_year(day)
    if year is not None and not is_announced_with(day, year):
        raise ValueError(f"{day} 不在 {year} 年，也不在上一年 12 月")
    kind = _KINDS.get(row["kind"].lower())
    if kind is None:
        raise ValueError("类别应为 休、班、半（或 off、working、half）")
    name = row.get("name", "")
    _require_name(name)
    opens, closes = (_hour(row.get(mark, "")) for mark in ("opens", "closes"))
    if kind != "half":
        if opens or closes:
            raise ValueError("只有半天可以写上班和下班时间")
        return day, Day(kind == "working", name=name)
    if (opens is None) is not (closes is None):
        raise ValueError("上班和下班时间须同时填写")
    return day, half_day(opens or _MORNING[0], closes or _MORNING[1], name)


def half_day(opens: time, closes: time, name: str) -> Day:
    return Day(working=True, hours=Hours(opens, None, None, closes), name=name)


def _date(written: str) -> date:
    found = _DATE.fullmatch(written)
    if found is not None:
        try:
            return date(int(found[1]), int(found[3] or found[5]), int(found[4] or found[6]))
        except ValueError:
            pass
    raise ValueError("日期应写作 2026-10-01 或 20261001")


def _hour(written: str) -> time | None:
    if not written:
        return None
    found = _HOUR.fullmatch(written)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise ValueError("时间应写作 09:00")
    return time(int(found[1]), int(found[2]))


def _require_name(name: str) -> None:
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"名称最多 {LONGEST_NAME} 个字，不能含有不可见的字符")


def _read_ical(written: str, reading: Reading, year: int | None) -> None:
    from icalendar import Calendar  # noqa: PLC0415 - few processes ever read one, and it takes long to load
    from icalendar.error import BrokenCalendarProperty  # noqa: PLC0415 - the same

    try:
        feed = Calendar.from_ical(written)
        events = feed.walk("VEVENT")
    except (ValueError, KeyError, IndexError, TypeError) as wrong:
        raise InvalidInput("无法读取 iCal 文件：格式有误。") from wrong
    if len(events) > MOST_DAYS:
        raise InvalidInput(f"清单超过 {MOST_DAYS} 个日程，没有导入。")
    for number, event in enumerate(events, start=1):
        summary = str(event.get("SUMMARY", ""))
        said = _said(event, summary)
        if said is None:
            reading.passed_over[_shown(summary) or "（无名称）"] += 1
            continue
        where = f"第 {number} 个日程（{_shown(summary)}）"
        try:
            _take_event(event, said, reading, where, year)
        except BrokenCalendarProperty:
            reading.faults.append(Fault(where, "日期应写作 20261001"))
        except ValueError as wrong:
            reading.faults.append(Fault(where, str(wrong)))


def _said(event: Any, summary: str) -> DayWord | None:
    """What the event makes of its days; None for a mere festival, an ordinary event, or a cancelled one."""
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    marked = _APPLES.get(str(event.get("X-APPLE-SPECIAL-DAY", "")).upper())
    return marked or day_word(summary, _first_day(event))


def _first_day(event: Any) -> date | None:
    from icalendar.error import BrokenCalendarProperty  # noqa: PLC0415 - as above

    try:
        given = getattr(event.get("DTSTART"), "dt", None)
    except BrokenCalendarProperty:
        return None
    if isinstance(given, datetime):
        return _local(given).date() if FIRST_YEAR <= given.year <= LAST_YEAR else None
    return given if isinstance(given, date) else None


def _take_event(event: Any, said: DayWord, reading: Reading, where: str, year: int | None) -> None:
    """Raises ValueError with what is wrong. A swapped weekend is worked, as `seeding` names it too; a weekday may be either."""
    name = _AROUND_NAMES.sub("", str(event.get("SUMMARY", "")))
    _require_name(name)
    days = list(_days(event))
    taken = [day for day in days if year is None or is_announced_with(day, year)]
    if said is DayWord.BOTH and taken:
        raise ValueError("名称中既有放假又有上班，请写明这一天是休还是班")
    if said is DayWord.SWAPPED and any(day.weekday() < SATURDAY for day in taken):
        raise ValueError("“调休”未说明是休还是班，请在名称中写明")
    reading.other_years.update(day.year for day in days if day not in taken)
    for day in taken:
        reading.take(where, day, Day(said is not DayWord.OFF, name=name))


def _days(event: Any) -> Iterator[date]:
    """The days of an all-day event, whose end is the day after its last; or the one day that an event with hours lies in."""
    if "RRULE" in event or "RDATE" in event:
        raise ValueError("不支持重复的日程，请逐年列出")
    if (only := _day_with_hours(event)) is not None:
        yield only
        return
    first = _whole_day(event, "DTSTART")
    if first is None:
        raise ValueError("没有开始日期")
    end = _whole_day(event, "DTEND")
    lasts = getattr(event.get("DURATION"), "dt", _ONE_DAY) if end is None else end - first
    if not isinstance(lasts, timedelta) or not _ONE_DAY <= lasts <= _LONGEST_EVENT:
        raise ValueError(f"结束日期应在开始日期之后，最多 {_LONGEST_EVENT.days} 天")
    for number in range(lasts.days):
        yield first + timedelta(number)


def _day_with_hours(event: Any) -> date | None:
    """The day within which the event begins and ends (T090000 to T180000), if it lasts at least four hours."""
    begins, ends, lasts = (
        getattr(event.get(name), "dt", None) for name in ("DTSTART", "DTEND", "DURATION")
    )
    if not isinstance(begins, datetime):
        return None
    _require_known_year(begins)
    begins = _local(begins)
    if isinstance(ends, datetime):
        _require_known_year(ends)
        ends = _local(ends)
    elif isinstance(lasts, timedelta) and lasts < _ONE_DAY:
        ends = begins + lasts
    else:
        return None
    if begins.date() != ends.date() or ends - begins < _SHORTEST_WORK:
        return None
    return begins.date()


def _whole_day(event: Any, name: str) -> date | None:
    given = event.get(name)
    if given is None:
        return None
    day = getattr(given, "dt", None)
    if isinstance(day, datetime):
        _require_known_year(day)
        day = _midnight(day, is_end=name == "DTEND")
    if not isinstance(day, date):
        raise ValueError("应为全天日程，或同一天内至少 4 小时的日程")
    _require_known_year(day)
    return day


def _midnight(moment: datetime, *, is_end: bool) -> date | None:
    """The day that begins then, as some programs write whole days; nothing for any other hour. 23:59 ends a day too."""
    local = _local(moment)
    if is_end and (local.hour, local.minute) == (23, 59):
        return local.date() + _ONE_DAY
    return local.date() if local.time() == time() else None


def _local(moment: datetime) -> datetime:
    """In Shanghai's time, without a zone; a moment without a zone is taken as such."""
    return moment if moment.tzinfo is None else moment.astimezone(SHANGHAI).replace(tzinfo=None)


def _require_known_year(day: date) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"年份应在 {FIRST_YEAR} 与 {LAST_YEAR} 之间")


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() else "�" for one in text[:30])

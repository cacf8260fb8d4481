"""The current time: the database's clock. Tests and simulations may move it, nothing else may."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_shift = timedelta()


def adjust(database_now: datetime) -> datetime:
    """The moment to decide by: the database's clock, moved only inside `moved()`."""
    return database_now + _shift


def shift() -> timedelta:
    """How far the clock is moved now; zero outside tests and simulations."""
    return _shift


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Move the clock of this process; for tests and simulations only."""
    global _shift
    before = _shift
    _shift = before + by
    try:
        yield
    finally:
        _shift = before


def process_now() -> datetime:
    """The clock of this process, in UTC: for names and log lines, never for a decision."""
    return datetime.now(UTC)


def in_words(value: object) -> object:
    """A date or a moment as people here write it, e.g. 2026年11月30日; moments with the hour in Shanghai."""
    if isinstance(value, datetime):
        local = value.astimezone(SHANGHAI)
        minutes = f"{local.minute}分" if local.minute else ""
        return f"{in_words(local.date())}{local.hour}时{minutes}"
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    return value

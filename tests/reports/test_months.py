"""Months in Shanghai, and when they may be locked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import SHANGHAI
from app.errors import InvalidInput
from app.reports.months import HEARD, Month, due

JUNE = Month(2025, 6)


def test_month_begins_at_midnight_in_shanghai_whatever_zone_of_clock() -> None:
    assert Month.of(datetime(2025, 5, 31, 15, 59, 59, tzinfo=UTC)) == Month(2025, 5)
    assert Month.of(datetime(2025, 5, 31, 16, tzinfo=UTC)) == JUNE
    assert JUNE.begins == datetime(2025, 6, 1, tzinfo=SHANGHAI)
    assert JUNE.ends == datetime(2025, 7, 1, tzinfo=SHANGHAI)


def test_december_is_followed_by_january() -> None:
    assert Month(2025, 12).next == Month(2026, 1)
    assert str(Month(2025, 12).next) == "2026-01"


@pytest.mark.parametrize("written", ["2025-13", "2025-6", "1999-12", "2100-01", "２０２５-06", "", "2025-06-01"])  # fmt: skip
def test_what_is_no_month_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput):
        Month.parse(written)


def test_month_is_due_a_little_after_its_cutoff_and_those_before_it_first() -> None:
    cutoff = JUNE.cutoff(10)
    assert cutoff == datetime(2025, 7, 10, tzinfo=SHANGHAI)
    assert list(due(Month(2025, 4), cutoff + HEARD, 10)) == [Month(2025, 4), Month(2025, 5), JUNE]
    assert list(due(JUNE, cutoff + HEARD - timedelta(microseconds=1), 10)) == []


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds of a strategy that adds the zone
def test_every_moment_lies_in_exactly_one_month(moment: datetime) -> None:
    month = Month.of(moment)
    assert month.begins <= moment < month.ends == month.next.begins
    assert Month.parse(str(month)) == month

"""Identifiers that sort by the moment they are made for."""

from datetime import datetime, timedelta

from app.clock import SHANGHAI
from app.identifiers import uuid7

NOW = datetime(2026, 11, 30, 12, tzinfo=SHANGHAI)


def test_uuid7_holds_the_millisecond_it_is_made_for() -> None:
    moment = NOW + timedelta(microseconds=123_999)
    made = uuid7(moment)
    assert made.version == 7
    assert made.int >> 80 == 1_796_011_200_123


def test_uuid7_sorts_by_moment_also_when_made_later() -> None:
    moments = [NOW, NOW - timedelta(days=1), NOW + timedelta(milliseconds=1), NOW]
    made = [uuid7(moment) for moment in moments]
    assert len(set(made)) == 4
    assert made[1] < min(made[0], made[3])
    assert max(made[0], made[3]) < made[2]

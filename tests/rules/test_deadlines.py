"""How long a stage has, and when its last day ends."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases import deadlines
from app.cases.deadlines import Kind, Stage, due, stage_limit
from app.clock import SHANGHAI
from app.directory.terms import UnitKind

MOMENTS = st.datetimes(datetime(2016, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds of a strategy that adds the zone


def test_day_one_is_the_day_after_receipt() -> None:
    received = datetime(2025, 3, 3, 9, 30, tzinfo=SHANGHAI)
    assert due(received, 1) == datetime(2025, 3, 4, 23, 59, 59, tzinfo=SHANGHAI)


def test_the_day_is_shanghais_and_not_greenwichs() -> None:
    late_evening_in_greenwich = datetime(2025, 3, 3, 18, 0, tzinfo=UTC)
    assert due(late_evening_in_greenwich, 0) == datetime(2025, 3, 4, 23, 59, 59, tzinfo=SHANGHAI)


def test_a_leap_day_counts() -> None:
    assert due(datetime(2028, 2, 28, 12, tzinfo=SHANGHAI), 1).date().isoformat() == "2028-02-29"


@given(MOMENTS, st.integers(0, 365))
def test_a_limit_never_ends_before_it_began_and_a_longer_one_never_earlier(
    received: datetime, days: int
) -> None:
    assert received <= due(received, days) <= due(received, days + 1)
    assert due(received, days) - received <= timedelta(days=days + 1)


@pytest.mark.parametrize(
    ("holder", "days"),
    [(UnitKind.VILLAGE, 2), (UnitKind.TOWNSHIP, 3), (UnitKind.COMMAND_CENTER, 1)],
)
def test_each_tier_has_its_time_to_judge(holder: UnitKind, days: int) -> None:
    assert stage_limit(Stage.JUDGE, holder=holder, kind=Kind.HELP, urgent=False).days == days


def test_what_is_urgent_is_judged_and_handled_the_same_day() -> None:
    for stage in (Stage.JUDGE, Stage.HANDLE):
        assert stage_limit(stage, holder=UnitKind.VILLAGE, kind=Kind.HELP, urgent=True).days == 0


def test_every_stage_of_every_kind_at_every_unit_has_a_limit_with_a_name() -> None:
    names = {
        stage_limit(stage, holder=holder, kind=kind, urgent=urgent).name
        for stage in Stage
        for holder in UnitKind
        for kind in Kind
        for urgent in (False, True)
    }
    assert all(len(name) <= 120 for name in names)
    assert len(names) == len(Stage) * len(UnitKind) * len(Kind) * 2


def test_only_a_village_must_not_decline() -> None:
    assert [kind for kind in UnitKind if not deadlines.may_refuse(kind)] == [UnitKind.VILLAGE]

"""Ending units: who carries on, and what is refused."""

from datetime import date, timedelta

import pytest

from app.clock import SHANGHAI
from app.db import Transaction
from app.directory.queries import unit_by_code
from app.directory.units import end_unit
from app.errors import InvalidInput, NotFound
from tests.directory.lists import SMALL, bring_in, listed, tree


@pytest.fixture
async def today(tx: Transaction) -> date:
    """The day it is, with a small county there since then."""
    await bring_in(tx, listed(*SMALL, "500154,另一区,county,", "500154001,另一镇,township,500154"))
    return (await tx.now()).astimezone(SHANGHAI).date()


async def test_ended_unit_names_its_successor_which_takes_over_its_units(
    tx: Transaction, today: date
) -> None:
    heir = await unit_by_code(tx, "500153100")
    await end_unit(tx, "500153003", successor="500153100", last_day=today)
    await tx.flush()

    ended = await unit_by_code(tx, "500153003")
    assert heir is not None
    assert ended is not None, "its last day counts"
    assert (ended.valid_to, ended.successor_id) == (today, heir.id)
    assert ("500153003007", "工农茶叶产业社区居民委员会", "500153100", "500153") in await tree(tx)


async def test_successors_cannot_go_round_in_a_circle(tx: Transaction, today: date) -> None:
    await end_unit(tx, "500153003", successor="500153100", last_day=today)
    await tx.flush()

    with pytest.raises(InvalidInput, match=r"承接单位广顺街道已于 .*撤销"):
        await end_unit(tx, "500153100", successor="500153003", last_day=today)


@pytest.mark.parametrize(
    ("successor", "told"),
    [
        ("500153003", "不能是本单位"),
        ("500153", "应是同一县的镇街"),
        ("500153003007", "应是同一县的镇街"),
        ("500154001", "应是同一县的镇街"),
        ("999999", "没有找到承接单位"),
        (None, "还有下级单位，请指定承接单位"),
    ],
)
async def test_successor_must_be_able_to_carry_on(
    successor: str | None, told: str, tx: Transaction, today: date
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await end_unit(tx, "500153003", successor=successor, last_day=today)

    assert told in refused.value.told


async def test_unit_ends_once_and_not_in_the_future(tx: Transaction, today: date) -> None:
    village = "500153003007"
    for wrong in (today + timedelta(days=1), today - timedelta(days=1)):
        with pytest.raises(InvalidInput, match="最后有效日"):
            await end_unit(tx, village, successor=None, last_day=wrong)
    await end_unit(tx, village, successor=None, last_day=today)
    await tx.flush()

    with pytest.raises(InvalidInput, match="已于"):
        await end_unit(tx, village, successor=None, last_day=today)


async def test_unit_that_is_not_there_is_not_found(tx: Transaction, today: date) -> None:
    with pytest.raises(NotFound):
        await end_unit(tx, "999999", successor=None, last_day=today)

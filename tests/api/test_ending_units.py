"""Ending a unit over HTTP: who may, what cannot be, and that the answer says nothing of cases."""

from datetime import timedelta

import pytest

from tests.api.conftest import As, Who
from tests.api.test_reorganising import LAST_DAY, TOWNSHIP, ends, villages


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"last_day": str(LAST_DAY + timedelta(days=2))}, "最后有效日"),
        ({"last_day": "2019-12-31"}, "最后有效日"),
        ({"last_day": str(LAST_DAY), "successor": "999999"}, "没有找到承接单位"),
        ({"last_day": str(LAST_DAY), "successor": TOWNSHIP}, "应是同一县的村(社区)"),
    ],
)
async def test_what_cannot_be_is_said_and_changes_nothing(
    who: Who, given: dict[str, str], told: str
) -> None:
    village, _ = await villages()
    admin = await who("admin")
    answer = await admin.post(f"/units/{village}/end", given)
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True)
    assert (await admin.get(f"/units/{village}/end")).status_code == 404
    assert (await admin.get(f"/units/{village}")).status_code == 200


@pytest.mark.parametrize("code", ["500153ZH", "500153JW"])
async def test_countys_desks_never_end_without_a_successor(who: Who, code: str) -> None:
    answer = await (await who("admin")).post(f"/units/{code}/end", {"last_day": str(LAST_DAY)})
    assert (answer.status_code, "请指定承接单位" in answer.json()["detail"]) == (422, True)


async def test_only_the_administrator_of_the_county_ends_a_unit(who: Who) -> None:
    village, successor = await villages()
    body = {"last_day": str(LAST_DAY), "successor": successor}
    for account in ("gongnong", "guangshun_head", "zhihui", "ducha", "lingdao"):
        somebody = await who(account)
        assert (await somebody.post(f"/units/{village}/end", body)).status_code == 403
        assert (await somebody.get(f"/units/{village}/end")).status_code == 403
    admin = await who("admin")
    for absent in ("500112", "999999"):
        assert (await admin.post(f"/units/{absent}/end", body)).status_code == 404


async def test_answer_says_nothing_of_cases(who: Who, acting: As) -> None:
    old, new = await villages()
    await (await acting(old)).registers()
    told = await ends(who, old, new)
    assert told.keys() == {
        "code",
        "name",
        "last_day",
        "successor",
        "successor_name",
        "handed_over_at",
    }

"""挂牌督办: the list is there for all staff of the county; it names no citizen and nothing sealed."""

from typing import Any

import pytest
from fastapi import FastAPI

from tests import people
from tests.api.conftest import Who
from tests.api.test_plans import read_whole
from tests.api.test_statements import counted
from tests.api.test_visibility import EVERYBODY, outsider
from tests.people import Person

__all__ = ["outsider"]

_OF_THE_REPORTER = {"title": "3栋502的赵秘密家没有水", "place": "3栋502室", "person": {"name": "赵秘密", "phone": "13983001235"}}  # fmt: skip


async def put_on_the_list(who: Who, **different: Any) -> str:
    ref = await (await who("gongnong")).registers(**{**_OF_THE_REPORTER, **different})
    await (await who("lingdao")).does(f"/cases/{ref}/list", reason="赵秘密家停水五日")
    return ref


async def listed(person: Person) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    cursor = None
    while True:
        asked: dict[str, Any] = {"size": 2} if cursor is None else {"size": 2, "cursor": cursor}
        page = await person.sees("/listed-cases", **asked)
        assert not set(found) & {one["ref"] for one in page["items"]}
        found |= {one["ref"]: one for one in page["items"]}
        cursor = page["next"]
        if cursor is None:
            return found


@pytest.mark.parametrize("account", EVERYBODY)
async def test_listed_cases_are_shown_to_all_staff_of_the_county(who: Who, account: str) -> None:
    refs = [await put_on_the_list(who) for _ in range(3)]
    found = await listed(await who(account))
    assert [one for one in found if one in refs] == refs[::-1]
    item = found[refs[0]]
    assert (item["village"], item["holder_code"]) == ("工农茶叶产业社区居民委员会", "500153003007")
    for words in ("赵秘密", "3栋", "502室", "13983001235"):
        assert words not in str(found)


async def test_listed_cases_leave_the_list_when_unlisted_or_answered(who: Who) -> None:
    cadre, leader = await who("gongnong"), await who("lingdao")
    unlisted, done = await put_on_the_list(who), await put_on_the_list(who)
    await leader.does(f"/cases/{unlisted}/unlist", reason="已恢复")
    await cadre.does(f"/cases/{done}/handle")
    await cadre.does(f"/cases/{done}/answer", outcome="solved", answer="已修好")
    assert not {unlisted, done} & set(await listed(cadre))


@pytest.mark.parametrize("outsider", ["county"], indirect=True)
async def test_listed_cases_are_not_shown_to_another_county(who: Who, outsider: Person) -> None:
    ref = await put_on_the_list(who)
    assert ref not in await listed(outsider)


async def test_listed_cases_need_a_sign_in_and_few_statements(who: Who, api: FastAPI) -> None:
    cadre = await who("gongnong")
    await put_on_the_list(who)
    with counted() as sent:
        await cadre.sees("/listed-cases")
    assert len(sent) <= 3
    assert not await read_whole(sent)
    async with people.visitor(api) as nobody:
        assert (await nobody.get("/listed-cases")).status_code == 401

"""Open cases like what is being typed: who is shown which, how they are explained, and what the look-up costs and keeps."""

from collections import OrderedDict
from secrets import token_hex

import pytest
from sqlalchemy import text

from app.cases import known_words
from app.db import reading
from tests.api.conftest import Who
from tests.api.test_plans import read_whole
from tests.api.test_statements import costs, counted
from tests.people import Person

VILLAGE = "500153003007"
TITLE = "斜坡上的蓄水池漏水"
BODY = "后山斜坡上的蓄水池裂了一条缝，漏水冲坏了三户人家的菜地。"
TYPED = "後山蓄水池裂縫漏水，衝壞菜地"


async def similar(person: Person, **told: object) -> dict[str, dict[str, object]]:
    found = await person.does("/cases/similar", **({"body": TYPED} | told))
    return {one["ref"]: one for one in found["items"]}


@pytest.fixture
async def leaking(who: Who) -> str:
    return await (await who("gongnong")).registers(title=TITLE, body=BODY)


async def test_similar_case_is_shown_with_the_words_it_shares(who: Who, leaking: str) -> None:
    found = (await similar(await who("gongnong")))[leaking]
    assert found["title"] == TITLE
    assert found["holder"] == "工农茶叶产业社区居民委员会"
    assert found["reporters"] == 1
    why = found["why"]
    assert isinstance(why, list)
    assert "蓄水池裂" in why or "蓄水池" in why


async def test_similar_case_is_shown_to_its_township_and_the_county_by_code(
    who: Who, leaking: str
) -> None:
    gongnong = await who("gongnong")
    assert leaking in await similar(await who("zhihui"), village_code=VILLAGE)
    assert leaking in await similar(await who("lingdao"), village_code="500153003")
    assert leaking not in await similar(await who("guangshun"))
    await gongnong.does(f"/cases/{leaking}/escalate", finding="本村无力解决")
    assert leaking in await similar(await who("guangshun"))
    assert leaking in await similar(await who("guangshun"), village_code=VILLAGE)


async def test_similar_case_is_not_shown_to_other_units(who: Who, leaking: str) -> None:
    for account in ("ronglong", "shuiwu", "admin"):
        assert leaking not in await similar(await who(account), village_code=VILLAGE)


async def test_similar_case_is_not_shown_when_it_is_sealed(who: Who) -> None:
    sealed = await (await who("ronglong")).registers(
        kind="accusation", title=TITLE, body=BODY, accused_code=VILLAGE
    )
    for account in ("gongnong", "guangshun", "zhihui", "lingdao", "jiwei"):
        assert sealed not in await similar(await who(account), village_code=VILLAGE)


async def test_similar_case_is_not_shown_when_it_is_finished(who: Who, leaking: str) -> None:
    gongnong = await who("gongnong")
    await gongnong.does(f"/cases/{leaking}/withdraw", reason="反映人不再要求办理")
    assert leaking not in await similar(gongnong)


async def test_similar_cases_are_the_five_most_alike(who: Who) -> None:
    gongnong = await who("gongnong")
    for number in range(6):
        await gongnong.registers(title=f"{TITLE}{number}", body=BODY)
    assert len(await similar(gongnong)) == 5


async def test_unknown_code_finds_nothing(who: Who, leaking: str) -> None:
    assert await similar(await who("zhihui"), village_code="999999999999") == {}
    assert leaking


async def test_similar_look_up_costs_three_statements_and_keeps_nothing(
    who: Who, leaking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert leaking
    monkeypatch.setattr(known_words, "_known", OrderedDict())
    for account in ("gongnong", "zhihui"):
        with counted() as sent:
            body = {"body": TYPED, "village_code": VILLAGE}
            await costs(3, await who(account), "POST", "/cases/similar", body)
        assert not await read_whole(sent)
    key = token_hex(8)
    answer = await (await who("gongnong")).post("/cases/similar", {"body": TYPED}, key=key)
    assert answer.is_success
    async with reading() as tx:
        kept = text("SELECT count(*) FROM given_answer WHERE key = :key")
        assert await tx.scalar(kept, key=key) == 0

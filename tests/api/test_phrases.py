"""Phrases of a unit and of a person: who is shown them, how many there may be, and what they may hold."""

import asyncio
from secrets import token_hex

import pytest
from fastapi import FastAPI

from app import phrases
from app.directory.terms import Role
from tests import people
from tests.api.conftest import Who
from tests.api.test_statements import costs
from tests.people import Person
from tests.units import Held, employed

VILLAGE = "500153003007"


async def texts(person: Person) -> dict[str, str]:
    return {one["text"]: one["whose"] for one in (await person.sees("/phrases"))["items"]}


def words() -> str:
    return f"您反映的{{事件编号}}已收到。{token_hex(6)}"


async def test_own_phrase_is_shown_to_its_person_alone(who: Who) -> None:
    gongnong, guangshun, said = await who("gongnong"), await who("guangshun"), words()
    told = await gongnong.does("/phrases", text=said)
    assert told["whose"] == "own"
    assert (await texts(gongnong))[said] == "own"
    assert said not in await texts(guangshun)


async def test_units_phrase_is_shown_to_the_unit_and_removed_by_any_of_it(
    who: Who, api: FastAPI
) -> None:
    gongnong, said = await who("gongnong"), words()
    added = await gongnong.does("/phrases", text=said, whose="unit")
    own = await gongnong.does("/phrases", text=words())
    account = await employed(Held(VILLAGE, Role.VILLAGE_CADRE))
    async with people.signed_in(api, account) as colleague:
        assert await texts(colleague) == {
            said: "unit", **{one: "unit" for one, whose in (await texts(gongnong)).items() if whose == "unit"}
        }  # fmt: skip
        assert (await colleague.client.delete(f"/phrases/{own['id']}")).status_code == 404
        assert (await colleague.client.delete(f"/phrases/{added['id']}")).status_code == 204
    assert said not in await texts(gongnong)


async def test_phrase_of_another_unit_is_not_there(who: Who) -> None:
    added = await (await who("gongnong")).does("/phrases", text=words(), whose="unit")
    ronglong = await who("ronglong")
    assert (await ronglong.client.delete(f"/phrases/{added['id']}")).status_code == 404
    assert added["text"] not in await texts(ronglong)


@pytest.mark.parametrize("whose", ["own", "unit"])
async def test_phrases_stop_at_their_bound_also_when_added_at_once(
    api: FastAPI, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    monkeypatch.setattr(phrases, "MOST", 3)
    account = await employed(Held("500153001", Role.TOWNSHIP_CLERK))
    async with people.signed_in(api, account) as person:
        before = len([one for one in (await texts(person)).values() if one == whose])
        added = [person.post("/phrases", {"text": words(), "whose": whose}) for _ in range(6)]
        answers = [one.status_code for one in await asyncio.gather(*added)]
        shown = await texts(person)
        assert sorted(answers) == [201] * (3 - before) + [403] * (3 + before)
        assert len([one for one in shown.values() if one == whose]) == 3


@pytest.mark.parametrize(
    ("said", "status"), [("字" * 500, 201), ("字" * 501, 422), ("", 422), (" \u200b ", 422), ("{事件编号}", 201)]
)  # fmt: skip
async def test_phrase_has_1_to_500_letters(who: Who, said: str, status: int) -> None:
    gongnong = await who("gongnong")
    answer = await gongnong.post("/phrases", {"text": said})
    assert answer.status_code == status
    if answer.is_success:
        await gongnong.client.delete(f"/phrases/{answer.json()['id']}")


async def test_phrases_cost_two_statements(who: Who) -> None:
    await costs(2, await who("gongnong"), "GET", "/phrases")

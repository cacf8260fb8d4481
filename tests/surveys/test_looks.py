"""Looking at what was answered: by whom, with what on record, and who sees that somebody looked."""

import asyncio
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.db import OWNER, transaction
from app.evaluation import privacy_role
from tests.api.conftest import Who
from tests.surveys.conftest import Asked, Village, new_phone
from tests.surveys.test_sealed_calls import who
from tests.surveys.test_surveys import reply

__all__ = ["who"]

REASON = "群众来电称评价被人代答"
_LOOKS = text("""
SELECT l.number, l.reason, l.staff_name, l.unit_name, p.account FROM surveys.look l
JOIN surveys.survey s ON s.id = l.survey_id JOIN staff p ON p.id = l.staff_id WHERE s.matter_id = :matter_id ORDER BY l.number
""")


async def looks(asked: Asked) -> list[Any]:
    async with transaction() as tx:
        await privacy_role.enter(tx)
        return await tx.all(_LOOKS, matter_id=asked.matter_id)


async def look(who: Who, account: str, asked: Asked, **different: Any) -> Any:
    body = {"ref": asked.ref, "reason": REASON} | different
    return await (await who(account)).post("/answers/looks", body)


async def test_look_shows_what_was_answered_and_stays_on_record(who: Who, village: Village) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "不满意，水还是没有")
    shown = (await look(who, "ducha", asked)).json()
    assert (shown["evaluation"], shown["remark"]) == ("dissatisfied", "水还是没有")
    assert (shown["name"], shown["channel"], shown["round"]) == ("李大姐", "text", 1)
    [kept] = await looks(asked)
    assert (kept.number, kept.reason, kept.account) == (shown["number"], REASON, "ducha")
    assert (kept.staff_name, "指挥中心" in kept.unit_name) == ("贺敏", True)


async def test_that_nothing_was_answered_is_shown_and_on_record_too(
    who: Who, village: Village
) -> None:
    asked = await village.asked(new_phone())
    shown = (await look(who, "ducha", asked)).json()
    assert (shown["evaluation"], shown["answered_at"]) == (None, None)
    assert len(await looks(asked)) == 1


async def test_record_of_the_case_which_handlers_read_says_nothing_of_it(
    who: Who, village: Village
) -> None:
    asked, cadre = await village.asked(new_phone()), await who("gongnong")
    before = await cadre.get(f"/cases/{asked.ref}")
    assert (await look(who, "ducha", asked)).status_code == 200
    after = await cadre.get(f"/cases/{asked.ref}")
    assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])


@pytest.mark.parametrize(
    "account",
    [
        "gongnong",
        "guangshun",
        "guangshun_head",
        "shuiwu",
        "zhihui",
        "zhihui_head",
        "lingdao",
        "admin",
    ],
)
async def test_only_a_supervisor_looks_and_a_refused_look_leaves_nothing(
    who: Who, village: Village, account: str
) -> None:
    asked = await village.asked(new_phone())
    assert (await look(who, account, asked)).status_code == 403
    assert await looks(asked) == []


async def test_what_was_said_about_accusation_is_for_inspectors_who_hold_it(
    who: Who, village: Village
) -> None:
    phone = new_phone()
    sealed, plain = await village.asked_about_an_accusation(phone), await village.asked(phone)
    assert (await look(who, "ducha", sealed)).status_code == 404
    assert (await look(who, "jiwei", plain)).status_code == 404
    assert (await look(who, "jiwei", sealed)).status_code == 404, "who answered it"
    assert (await look(who, "jiandu", sealed)).status_code == 200
    assert (await look(who, "ducha", plain)).status_code == 200
    everyone = {name: await (await who(name)).sees("/answers/looks", size=100) for name in ("jiwei", "lingdao")}  # fmt: skip
    seen = {name: {one["ref"] for one in page["items"]} for name, page in everyone.items()}
    assert {sealed.ref, plain.ref} <= seen["jiwei"]
    assert plain.ref in seen["lingdao"]
    assert sealed.ref not in seen["lingdao"]


@pytest.mark.parametrize(
    "different", [{"reason": " "}, {"reason": ""}, {"round": 0}, {"round": True}]
)
async def test_look_without_a_reason_is_refused(
    who: Who, village: Village, different: dict[str, Any]
) -> None:
    asked = await village.asked(new_phone())
    assert (await look(who, "ducha", asked, **different)).status_code == 422
    assert await looks(asked) == []


async def test_round_that_nobody_was_asked_about_shows_nothing(who: Who, village: Village) -> None:
    asked, owed = await village.asked(new_phone()), await village.answered(new_phone())
    for one, different in ((asked, {"round": 2}), (owed, {})):
        refused = await look(who, "ducha", one, **different)
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/action-not-allowed")  # fmt: skip
        assert await looks(one) == []


async def test_asked_again_under_the_same_key_it_is_another_look(
    who: Who, village: Village
) -> None:
    asked, ducha = await village.asked(new_phone()), await who("ducha")
    body = {"ref": asked.ref, "reason": REASON}
    for _ in range(2):
        again = await ducha.post("/answers/looks", body, key=f"look-{asked.ref}")
        assert again.status_code == 200
        assert "idempotent-replay" not in again.headers
    assert len(await looks(asked)) == 2


async def test_who_looked_is_told_to_those_who_watch_newest_first_and_no_one_else(
    who: Who, village: Village
) -> None:
    asked = await village.asked(new_phone())
    for number in range(3):
        assert (await look(who, "ducha", asked, reason=f"第{number}次")).status_code == 200
    leader = await who("lingdao")
    first = await leader.sees("/answers/looks", size=2)
    second = await leader.sees("/answers/looks", size=1, before=first["next"])
    found = [*first["items"], *second["items"]]
    assert [one["reason"] for one in found] == ["第2次", "第1次", "第0次"]
    assert {(one["staff"], one["role"], one["ref"]) for one in found} == {("贺敏", "supervisor", asked.ref)}  # fmt: skip
    assert "evaluation" not in str(found)
    for account in ("ducha", "zhihui", "gongnong", "shuiwu_head", "admin"):
        assert (await (await who(account)).get("/answers/looks")).status_code == 403


async def test_looks_at_once_are_numbered_without_a_gap(who: Who, village: Village) -> None:
    asked = await village.asked(new_phone())
    await asyncio.gather(*(look(who, "ducha", asked) for _ in range(5)))
    numbers = [one.number for one in await looks(asked)]
    assert numbers == list(range(numbers[0], numbers[0] + 5))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE surveys.look SET reason = '例行'",
        "DELETE FROM surveys.look",
        "TRUNCATE surveys.look",
    ],
)
async def test_not_even_the_owner_changes_a_look_by_the_way(
    who: Who, village: Village, statement: str
) -> None:
    asked = await village.asked(new_phone())
    assert (await look(who, "ducha", asked)).status_code == 200
    async with transaction() as tx:
        await tx.act_as(OWNER)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await tx.execute(text(statement))
        await tx.roll_back()
    assert len(await looks(asked)) == 1

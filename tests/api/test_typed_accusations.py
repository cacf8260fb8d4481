"""An accusation that staff type for a citizen: a warning before, nothing to follow it by afterwards, none against their own line."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.db import reading, transaction
from app.directory.terms import Role, UnitKind
from app.texts.outbox import open_params
from app.usage import Counted, Purpose
from tests import people
from tests.api.conftest import Who
from tests.conftest import Staff
from tests.surveys.conftest import new_phone
from tests.surveys.test_numbers import official
from tests.units import Held, employed, staffed

TOWNSHIP, VILLAGE, CENTER, COMMISSION = "500153003", "500153003007", "500153ZH", "500153JW"
_OWED = text("""
SELECT m.id, m.params_sealed FROM outbox_message m JOIN grievance g ON g.id = m.matter_id WHERE g.title = :title AND m.kind = 'receipt'
""")
_END_POST = text("""
UPDATE post SET valid_to = CURRENT_DATE - 1
WHERE staff_id = (SELECT id FROM staff WHERE account = :account) AND unit_id = (SELECT id FROM unit WHERE code = :code)
""")
_COUNTED = text("SELECT count(*) FROM usage_count WHERE key = :key")
_CASES = text("SELECT count(*) FROM grievance WHERE title = :title")


def accusation(phone: str | None, **different: Any) -> dict[str, Any]:
    told = {
        "title": "检举",
        "body": "办证要收钱。",
        "kind": "accusation",
        "accusation_confirmed": True,
    }
    number = {} if phone is None else {"phone": phone.removeprefix("+86")}
    return {**told, "person": {"name": "赵秘密", **number}, **different}


async def receipts(title: str) -> list[dict[str, str]]:
    async with reading() as tx:
        return [open_params(row.id, row.params_sealed) for row in await tx.all(_OWED, title=title)]


async def test_typed_accusation_gives_its_reference_and_code_to_reporter_alone(
    who: Who,
) -> None:
    clerk, title = await who("ronglong"), "检举甲"
    body = accusation(new_phone(), title=title, accused_code=VILLAGE)
    taken = await clerk.post("/cases", body, key="typed-1")
    again = await clerk.post("/cases", body, key="typed-1")
    assert (taken.status_code, again.content) == (201, taken.content)
    assert set(taken.json()) == {"title", "told"}
    assert "短信发给反映人本人" in taken.json()["told"]
    [told] = await receipts(title)
    assert told["ref"] not in taken.text
    assert told["code"] not in taken.text
    assert (await clerk.get(f"/cases/{told['ref']}")).status_code == 404
    assert (await (await who("jiwei")).sees(f"/cases/{told['ref']}"))["title"] == title


@pytest.mark.parametrize(
    ("person", "words"),
    [(None, "匿名反映的不提供"), ({"name": "赵秘密"}, "由受理机关当面或打电话告知")],
)
async def test_typed_accusation_without_a_number_leaves_no_code_with_the_typist(
    who: Who, person: dict[str, str] | None, words: str
) -> None:
    taken = await (await who("ronglong")).does("/cases", **accusation(None, person=person))
    assert set(taken) == {"title", "told"}
    assert words in taken["told"]


async def test_code_of_a_typed_accusation_is_not_texted_to_a_number_of_staff(
    who: Who, staff: Staff
) -> None:
    phone, title = new_phone(), "检举乙"
    await official(phone, staff, account="ronglong")
    taken = await (await who("ronglong")).does("/cases", **accusation(phone, title=title))
    assert "由受理机关当面或打电话告知" in taken["told"]
    assert await receipts(title) == []


async def test_typist_is_warned_before_an_accusation_is_registered(who: Who) -> None:
    title = "检举丙"
    body = accusation(new_phone(), title=title, accusation_confirmed=False)
    refused = await (await who("ronglong")).post("/cases", body)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/accusation-unconfirmed")  # fmt: skip
    assert "本单位看不到它" in refused.json()["detail"]
    async with reading() as tx:
        assert await tx.scalar(_CASES, title=title) == 0


@pytest.mark.parametrize(
    ("account", "accused"),
    [
        ("gongnong", VILLAGE),
        ("gongnong", TOWNSHIP),
        ("gongnong", CENTER),
        ("guangshun", TOWNSHIP),
        ("guangshun", VILLAGE),
        ("zhihui", CENTER),
        ("jianzhi", "500153D36"),
    ],
    ids=[
        "own unit",
        "the unit above",
        "the command center above",
        "own township",
        "a village below",
        "own center",
        "the unit of a second post",
    ],
)
async def test_accusation_of_the_typists_own_line_is_refused(
    who: Who, account: str, accused: str
) -> None:
    title = "检举丁"
    body = accusation(new_phone(), title=title, accused_code=accused)
    refused = await (await who(account)).post("/cases", body)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/accusation-of-own-line")  # fmt: skip
    assert "扫海报上的二维码" in refused.json()["detail"]
    async with reading() as tx:
        assert await tx.scalar(_CASES, title=title) == 0


@pytest.mark.parametrize(
    ("account", "accused"),
    [
        ("ronglong", VILLAGE),
        ("gongnong", "500153100"),
        ("gongnong", COMMISSION),
        ("zhihui", "500153D11"),
        ("zhihui", VILLAGE),
    ],
)
async def test_accusation_of_another_unit_is_taken(who: Who, account: str, accused: str) -> None:
    await (await who(account)).does("/cases", **accusation(new_phone(), accused_code=accused))


async def test_accusation_of_the_unit_of_an_ended_second_post_is_taken(api: FastAPI) -> None:
    former = await staffed(UnitKind.DEPARTMENT, Role.UNIT_HANDLER, "500153")
    account = await employed(Held("500153100", Role.TOWNSHIP_CLERK), Held(former, Role.UNIT_HANDLER))  # fmt: skip
    body = accusation(new_phone(), accused_code=former)
    async with people.signed_in(api, account) as person:
        assert (await person.post("/cases", body)).status_code == 403
        async with transaction() as tx:
            await tx.execute(_END_POST, account=account, code=former)
        assert (await person.post("/cases", body)).status_code == 201


async def test_ordinary_case_names_nobody_as_accused(who: Who) -> None:
    body = {**accusation(new_phone()), "kind": "help", "accused_code": "500153100"}
    refused = await (await who("gongnong")).post("/cases", body)
    assert refused.status_code == 422
    [mistake] = refused.json()["mistakes"]
    assert mistake == {"where": "body.accused_code", "what": "只有检举控告才填写被检举控告的单位"}


async def test_typed_accusation_does_not_count_for_the_limit_of_its_number(who: Who) -> None:
    clerk, accusing, asking = await who("ronglong"), new_phone(), new_phone()
    await clerk.does("/cases", **accusation(accusing))
    await clerk.registers(person={"name": "赵大姐", "phone": asking.removeprefix("+86")})
    async with reading() as tx:
        counted = [
            await tx.scalar(_COUNTED, key=Counted(Purpose.REPORTS_ABOUT_NUMBER, one).key())
            for one in (accusing, asking)
        ]
    assert counted == [0, 1]

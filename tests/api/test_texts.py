"""Texts that need a person: who sees them, what is shown, sent again once and on record, or settled without sending."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from app.db import OWNER, reading, transaction
from app.texts import outbox
from app.texts.outbox import MessageKind
from tests.api.conftest import Who
from tests.people import WATER

_OF_CASE = text("""
SELECT m.id FROM outbox_message m JOIN grievance g ON g.id = m.matter_id WHERE g.ref = :ref AND m.kind = 'receipt'
""")
_NEEDS = text("""
UPDATE outbox_message SET state = 'needs_human', why = :why, error = '30005', settled_at = now(), attempts = 1,
  provider_id = 'SM' || id WHERE id = :id
""")
_ROW = text("SELECT * FROM outbox_message WHERE id = :id")
REASON = {"reason": "已核对号码，请再发一次。"}


async def stuck(ref: str, why: str = "number_unusable") -> str:
    """The receipt of a case, as it is after the provider reported that it cannot arrive."""
    async with transaction() as tx:
        message: UUID = await tx.scalar(_OF_CASE, ref=ref)
        await tx.execute(_NEEDS, id=message, why=why)
    return str(message)


async def row(message: str) -> Any:
    async with reading() as tx:
        return (await tx.all(_ROW, id=UUID(message)))[0]


async def listed(who: Who, account: str) -> dict[str, Any]:
    person, after = await who(account), None
    found: dict[str, Any] = {}
    while True:
        page = await person.sees("/texts", size=100, **({"after": after} if after else {}))
        found |= {one["id"]: one for one in page["items"]}
        after = page["next"]
        if after is None:
            return found


async def test_command_center_sees_why_about_which_case_and_not_to_whom(who: Who) -> None:
    ref = await (await who("gongnong")).registers()
    message = await stuck(ref)
    for account in ("zhihui", "ducha"):
        item = (await listed(who, account))[message]
        assert (item["ref"], item["kind_label"], item["why"], item["error"]) == (
            ref, "受理回执", "number_unusable", "30005",
        )  # fmt: skip
        assert item["number"] == "139****1234"
        assert item["may_resend"]
        said = str(item) + (await (await who(account)).get(f"/texts/{message}")).text
        assert "13983001234" not in said
        assert str(WATER["title"]) not in said


@pytest.mark.parametrize("account", ["gongnong", "guangshun", "ronglong", "shuiwu", "lingdao"])
async def test_nobody_else_sees_to_texts(who: Who, account: str) -> None:
    message = await stuck(await (await who("gongnong")).registers())
    person = await who(account)
    for answer in (
        await person.get("/texts"),
        await person.get(f"/texts/{message}"),
        await person.post(f"/texts/{message}/resend", REASON),
        await person.post(f"/texts/{message}/settle", REASON),
    ):
        assert answer.status_code == 403


async def test_of_a_sealed_case_only_who_sees_it_sees_the_text(who: Who) -> None:
    message = await stuck(await (await who("gongnong")).registers(kind="accusation"))
    for account in ("zhihui", "ducha"):
        person = await who(account)
        assert message not in await listed(who, account)
        for answer in (
            await person.get(f"/texts/{message}"),
            await person.post(f"/texts/{message}/resend", REASON),
            await person.post(f"/texts/{message}/settle", REASON),
        ):
            assert answer.status_code == 404
    assert message in await listed(who, "jiwei")
    open_case = await stuck(await (await who("gongnong")).registers())
    assert open_case not in await listed(who, "jiwei")


async def test_sent_again_it_keeps_its_history_with_who_and_why(who: Who) -> None:
    message = await stuck(await (await who("gongnong")).registers())
    center = await who("zhihui")
    again = await center.does(f"/texts/{message}/resend", **REASON)
    assert (again["state"], again["turn"], again["attempts"]) == ("queued", 2, 0)
    queued = await row(message)
    assert (queued.state, queued.provider_id, queued.settled_at) == ("queued", None, None)
    assert queued.due_at <= queued.expires_at
    assert message not in await listed(who, "zhihui")
    [turn] = (await center.sees(f"/texts/{message}"))["turns"]
    assert (turn["turn"], turn["state"], turn["error"]) == (1, "needs_human", "30005")
    assert (turn["followed_by"], turn["reason"]) == ("resent", REASON["reason"])
    assert turn["staff"]
    assert "指挥中心" in turn["unit"]


async def test_same_request_twice_has_one_effect(who: Who) -> None:
    message = await stuck(await (await who("gongnong")).registers())
    center = await who("zhihui")
    first = await center.post(f"/texts/{message}/resend", REASON, key=f"resend-{message}")
    second = await center.post(f"/texts/{message}/resend", REASON, key=f"resend-{message}")
    assert (first.status_code, second.json()) == (200, first.json())
    assert (await center.post(f"/texts/{message}/resend", REASON)).status_code == 409
    assert (await row(message)).turn == 2


async def test_settled_without_sending_it_stays_so_with_who_and_why(who: Who) -> None:
    message = await stuck(await (await who("gongnong")).registers())
    center = await who("ducha")
    settled = await center.does(f"/texts/{message}/settle", reason="已打电话告知。")
    assert settled["state"] == "done"
    assert message not in await listed(who, "zhihui")
    for action in ("settle", "resend"):
        assert (await center.post(f"/texts/{message}/{action}", REASON)).status_code == 409
    [turn] = (await center.sees(f"/texts/{message}"))["turns"]
    assert (turn["followed_by"], turn["reason"]) == ("settled", "已打电话告知。")


@pytest.mark.parametrize("why", ["opted_out", "not_textable", "broken"])
async def test_what_sending_cannot_help_is_not_sent_again(who: Who, why: str) -> None:
    message = await stuck(await (await who("gongnong")).registers(), why)
    center = await who("zhihui")
    assert not (await listed(who, "zhihui"))[message]["may_resend"]
    assert (await center.post(f"/texts/{message}/resend", REASON)).status_code == 409
    assert (await row(message)).state == "needs_human"


async def test_code_is_sent_again_by_nobody(who: Who) -> None:
    async with transaction() as tx:
        code = outbox.announce(
            tx, MessageKind.ONE_TIME_CODE, now=await tx.now(), phone="+8613800000009", code="135790"
        )
        await tx.flush()
        await tx.execute(_NEEDS, id=code, why="never_known")
    center = await who("zhihui")
    assert "135790" not in str((await listed(who, "zhihui"))[str(code)])
    answer = await center.post(f"/texts/{code}/resend", REASON)
    assert answer.status_code == 409
    assert "验证码" in answer.json()["detail"]


async def test_without_a_reason_nothing_is_done(who: Who) -> None:
    message = await stuck(await (await who("gongnong")).registers())
    center = await who("zhihui")
    for body in ({}, {"reason": ""}, {"reason": "  "}):
        assert (await center.post(f"/texts/{message}/resend", body)).status_code == 422
    assert (await row(message)).turn == 1


@pytest.mark.parametrize("change", ["UPDATE ended_turn SET error = ''", "DELETE FROM ended_turn"])
async def test_database_refuses_to_change_how_a_turn_ended(who: Who, change: str) -> None:
    message = await stuck(await (await who("gongnong")).registers())
    await (await who("zhihui")).does(f"/texts/{message}/settle", **REASON)
    async with transaction() as tx:
        await tx.act_as(OWNER)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await tx.execute(text(change))
        await tx.roll_back()


@pytest.mark.parametrize("phone", ["023-46773333", None])
async def test_who_has_no_mobile_number_is_owed_no_text_and_the_cadre_is_told(
    who: Who, phone: str | None
) -> None:
    cadre = await who("gongnong")
    person = {"name": "王大爷", "phone": phone}
    registered = await cadre.does("/cases", **{**WATER, "person": person})
    assert not registered["textable"]
    assert "电话" in registered["notice"]
    async with reading() as tx:
        assert await tx.scalar(_OF_CASE, ref=registered["ref"]) is None
    mobile = await cadre.does("/cases", **WATER)
    assert (mobile["textable"], mobile["notice"]) == (True, None)

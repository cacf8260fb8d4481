"""PINs on a shared phone: who may set one, what opens with it, when it ends, and that a wrong one tells nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from secrets import randbelow, token_hex
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text

from app import clock
from app.api.app import create_app
from app.auth import passwords, pins
from app.auth.pins import is_trivial
from app.db import OWNER, reading, transaction
from app.directory.terms import Role
from qungong.composition import compose
from qungong.dev.sample import PASSWORD
from tests.api.test_statements import counted
from tests.units import Held, employed

VILLAGE, TOWNSHIP = "500153003007", "500153100"
PIN, WRONG = "604193", "604194"


@dataclass(frozen=True, slots=True)
class SharedPhone:
    """A device with its cookies."""

    client: httpx.AsyncClient

    async def post(self, path: str, **body: Any) -> httpx.Response:
        headers = {"Idempotency-Key": token_hex(8)}
        return await self.client.post(f"/m/v1/cadre{path}", json=body or None, headers=headers)

    async def signs_in(self, account: str) -> Any:
        return _done(await self.post("/sign-in", account=account, password=PASSWORD))

    async def sets(self, pin: str = PIN) -> None:
        _done(await self.post("/pin", pin=pin))

    async def holders(self) -> list[dict[str, Any]]:
        told = _done(await self.client.get("/m/v1/cadre/pins"))
        return list(told["holders"])

    async def holder(self) -> str:
        [one] = await self.holders()
        return str(one["id"])

    async def unlocks(self, holder: str, pin: str = PIN) -> httpx.Response:
        return await self.post("/unlock", id=holder, pin=pin)

    async def is_signed_in(self) -> bool:
        return (await self.client.get("/m/v1/cadre/me")).is_success


NewPhone = Callable[[], Awaitable[SharedPhone]]


def _done(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


async def _change(sql: str, **values: object) -> None:
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(text(sql), **values)


@pytest_asyncio.fixture
async def new_phone(phones_app: FastAPI) -> AsyncIterator[NewPhone]:
    served = compose({"/m/v1": phones_app, "/api/v1": create_app()}, [])
    async with AsyncExitStack() as stack:

        async def make() -> SharedPhone:
            transport = httpx.ASGITransport(
                served, client=(f"10.9.{randbelow(256)}.{randbelow(256)}", 1)
            )
            client = httpx.AsyncClient(transport=transport, base_url="http://county.test")
            return SharedPhone(await stack.enter_async_context(client))

        yield make


@pytest_asyncio.fixture
async def cadre(county: None) -> str:
    assert county is None
    return await employed(Held(VILLAGE, Role.VILLAGE_CADRE))


@pytest_asyncio.fixture
async def phone(new_phone: NewPhone, cadre: str) -> SharedPhone:
    """Locked, with the PIN of one cadre."""
    made = await new_phone()
    await made.signs_in(cadre)
    await made.sets()
    assert (await made.post("/lock")).status_code == 204
    assert not await made.is_signed_in()
    return made


async def test_pin_opens_a_session_of_the_person_it_belongs_to(
    phone: SharedPhone, cadre: str
) -> None:
    [holder] = await phone.holders()
    assert holder.keys() == {"id", "name", "locked"}
    told = _done(await phone.unlocks(holder["id"]))
    assert told["post"]["unit_code"] == VILLAGE
    assert await phone.is_signed_in()
    async with reading() as tx:
        account = await tx.scalar(
            text(
                "SELECT p.account FROM session s JOIN staff p ON p.id = s.staff_id WHERE s.id = CAST(:id AS uuid)"
            ),
            id=told["session_id"],
        )
    assert account == cadre


async def test_pin_is_typed_in_full_width_digits(phone: SharedPhone) -> None:
    assert (await phone.unlocks(await phone.holder(), "６０４１９３")).is_success


async def test_five_wrong_pins_leave_only_the_password(phone: SharedPhone, cadre: str) -> None:
    holder = await phone.holder()
    for _ in range(5):
        assert (await phone.unlocks(holder, WRONG)).status_code == 401
    assert (await phone.unlocks(holder)).status_code == 401
    assert [one["locked"] for one in await phone.holders()] == [True]
    await phone.signs_in(cadre)
    await phone.post("/lock")
    assert (await phone.unlocks(holder)).is_success


async def test_right_pin_gives_the_tries_back(phone: SharedPhone) -> None:
    holder = await phone.holder()
    for _ in range(2):
        for _ in range(4):
            await phone.unlocks(holder, WRONG)
        assert (await phone.unlocks(holder)).is_success


async def test_wrong_pins_at_once_get_five_tries_together(phone: SharedPhone) -> None:
    holder = await phone.holder()
    await asyncio.gather(*(phone.unlocks(holder, WRONG) for _ in range(12)))
    async with reading() as tx:
        tries = text("SELECT tries FROM staff_pin WHERE id = CAST(:id AS uuid)")
        assert await tx.scalar(tries, id=holder) == 5
    assert (await phone.unlocks(holder)).status_code == 401


async def test_pin_does_not_open_another_device(phone: SharedPhone, new_phone: NewPhone) -> None:
    holder, other = await phone.holder(), await new_phone()
    assert await other.holders() == []
    assert (await other.unlocks(holder)).status_code == 401
    await other.signs_in(await employed(Held(TOWNSHIP, Role.TOWNSHIP_CLERK)))
    await other.sets("719350")
    assert (await other.unlocks(holder)).status_code == 401
    assert (await phone.unlocks(holder)).is_success


async def _revoke_own(phone: SharedPhone, _cadre: str) -> None:
    await phone.unlocks(await phone.holder())
    assert (await phone.client.delete("/m/v1/cadre/pin")).status_code == 204
    await phone.post("/lock")


async def _revoke_as_administrator(phone: SharedPhone, cadre: str) -> None:
    answer = await phone.client.post(
        "/api/v1/sessions", json={"account": "admin", "password": PASSWORD}
    )
    headers = {"Authorization": f"Bearer {_done(answer)['token']}"}
    told = await phone.client.post("/api/v1/pins/revoke", json={"account": cadre}, headers=headers)
    assert _done(told) == {"revoked": 1}


async def _disable(_phone: SharedPhone, cadre: str) -> None:
    await _change("UPDATE staff SET active = false WHERE account = :account", account=cadre)
    await _change("UPDATE staff SET active = true WHERE account = :account", account=cadre)


async def _change_password(_phone: SharedPhone, cadre: str) -> None:
    hashed = passwords.hash_password("another password")
    await _change("UPDATE staff SET password_hash = :hash WHERE account = :account", hash=hashed, account=cadre)  # fmt: skip


async def _end_post(_phone: SharedPhone, cadre: str) -> None:
    await _change(
        "UPDATE post SET valid_to = CURRENT_DATE - 1 FROM staff p WHERE p.id = staff_id AND p.account = :account",
        account=cadre,
    )


@pytest.mark.parametrize(
    "ended", [_revoke_own, _revoke_as_administrator, _disable, _change_password, _end_post]
)
async def test_pin_is_revoked_for_good(
    phone: SharedPhone, cadre: str, ended: Callable[[SharedPhone, str], Awaitable[None]]
) -> None:
    holder = await phone.holder()
    await ended(phone, cadre)
    assert await phone.holders() == []
    assert (await phone.unlocks(holder)).status_code == 401


async def test_pin_ends_thirty_days_after_the_password_was_typed(
    phone: SharedPhone, cadre: str
) -> None:
    holder = await phone.holder()
    with clock.moved(timedelta(days=29)):
        assert (await phone.unlocks(holder)).is_success
    with clock.moved(timedelta(days=31)):
        assert await phone.holders() == []
        assert (await phone.unlocks(holder)).status_code == 401
        await phone.signs_in(cadre)
        assert (await phone.unlocks(holder)).status_code == 401
    await phone.signs_in(cadre)
    with clock.moved(timedelta(days=29, hours=23)):
        assert (await phone.unlocks(holder)).is_success


async def test_post_that_ends_by_its_date_ends_the_pin(new_phone: NewPhone) -> None:
    phone, today = await new_phone(), clock.adjust(await _now()).date()
    account = await employed(Held(VILLAGE, Role.VILLAGE_CADRE, until=today + timedelta(days=1)))
    await phone.signs_in(account)
    await phone.sets()
    holder = await phone.holder()
    with clock.moved(timedelta(days=3)):
        assert await phone.holders() == []
        assert (await phone.unlocks(holder)).status_code == 401


async def _now() -> Any:
    async with reading() as tx:
        return await tx.scalar(text("SELECT now()"))


async def test_administrator_revokes_only_pins_of_the_county_and_ends_their_sessions(
    phone: SharedPhone, cadre: str
) -> None:
    await phone.unlocks(await phone.holder())
    await _revoke_as_administrator(phone, cadre)
    phone.client.headers.pop("Authorization", None)
    gongnong = await phone.client.post(
        "/api/v1/sessions", json={"account": "gongnong", "password": PASSWORD}
    )
    headers = {"Authorization": f"Bearer {_done(gongnong)['token']}"}
    told = await phone.client.post("/api/v1/pins/revoke", json={"account": cadre}, headers=headers)
    assert told.status_code == 403


async def test_wrong_pin_answers_alike_after_the_same_work_for_every_reason(
    phone: SharedPhone, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, other = await phone.holder(), await new_phone()
    await other.signs_in(await employed(Held(TOWNSHIP, Role.TOWNSHIP_CLERK)))
    await other.sets("719350")
    used_up = await other.holder()
    for _ in range(5):
        await other.unlocks(used_up, WRONG)
    hashes: list[str] = []
    verify = passwords._verify

    def counting(typed: str, stored: str | None) -> bool:
        hashes.append(typed)
        return verify(typed, stored)

    monkeypatch.setattr(passwords, "_verify", counting)
    told = []
    for device, asked, pin in (
        (phone, holder, WRONG),
        (phone, str(uuid4()), PIN),
        (other, holder, PIN),
        (other, used_up, "719350"),
    ):
        hashes.clear()
        with counted() as sent:
            answer = await device.unlocks(asked, pin)
        told.append((answer.status_code, answer.content, len(hashes), sent))
    assert told[0][0] == 401
    assert all(one == told[0] for one in told[1:])


async def test_pin_needs_a_session_that_began_with_the_password_on_this_device(
    phone: SharedPhone, new_phone: NewPhone, cadre: str
) -> None:
    other, token = await new_phone(), (await phone.signs_in(cadre))["token"]
    other.client.headers["Authorization"] = f"Bearer {token}"
    assert (await other.post("/pin", pin="719350")).status_code == 403
    await phone.post("/lock")
    await phone.unlocks(await phone.holder())
    assert (await phone.post("/pin", pin="719350")).status_code == 403


async def test_session_of_a_pin_stays_in_its_post(new_phone: NewPhone) -> None:
    phone = await new_phone()
    account = await employed(Held(VILLAGE, Role.VILLAGE_CADRE), Held(TOWNSHIP, Role.TOWNSHIP_CLERK))
    posts = (await phone.signs_in(account))["posts"]
    await phone.sets()
    told = _done(await phone.unlocks(await phone.holder()))
    headers = {"Authorization": f"Bearer {told['token']}"}
    for post in posts:
        body = {"post_id": post["id"]}
        answer = await phone.client.post(
            "/api/v1/sessions/current/post", json=body, headers=headers
        )
        assert answer.status_code == 403


async def test_several_people_have_their_pins_on_one_phone(phone: SharedPhone, cadre: str) -> None:
    first = await phone.holder()
    second_account = await employed(Held(VILLAGE, Role.VILLAGE_CADRE))
    await phone.signs_in(second_account)
    await phone.sets("719350")
    await phone.post("/lock")
    ids = {one["id"] for one in await phone.holders()}
    assert first in ids
    assert len(ids) == 2
    assert (await phone.unlocks(first)).is_success
    [second] = ids - {first}
    assert (await phone.unlocks(second, "719350")).is_success
    assert (await phone.unlocks(first, "719350")).status_code == 401
    assert cadre != second_account


async def test_new_pin_replaces_the_old_one(phone: SharedPhone, cadre: str) -> None:
    before = await phone.holder()
    await phone.signs_in(cadre)
    await phone.sets("719350")
    assert (await phone.unlocks(before)).status_code == 401
    assert (await phone.unlocks(await phone.holder(), "719350")).is_success


@pytest.mark.parametrize("pin", ["000000", "123456", "654321", "890123", "121212", "123123", "112233", "111222"])  # fmt: skip
async def test_trivial_pin_is_refused(new_phone: NewPhone, cadre: str, pin: str) -> None:
    phone = await new_phone()
    await phone.signs_in(cadre)
    answer = await phone.post("/pin", pin=pin)
    assert answer.status_code == 422
    assert pin not in answer.text
    assert await phone.holders() == []


@pytest.mark.parametrize("pin", ["604193", "102030", "135790", "198512"])
def test_usual_pin_is_not_trivial(pin: str) -> None:
    assert not is_trivial(pin)


async def test_pin_is_stored_where_only_the_secret_can_try_it(phone: SharedPhone) -> None:
    async with reading() as tx:
        sql = text("SELECT id, pin_hash FROM staff_pin WHERE id = CAST(:id AS uuid)")
        row = await tx.one_or_none(sql, id=await phone.holder())
        assert row is not None
        kept = await tx.scalar(text("SELECT count(*) FROM given_answer WHERE owner = (SELECT 'staff:' || staff_id FROM staff_pin WHERE id = :id)"), id=row.id)  # fmt: skip
    assert not await passwords.verify(PIN, row.pin_hash)
    assert await passwords.verify(pins._peppered(row.id, PIN), row.pin_hash)
    assert not await passwords.verify(pins._peppered(uuid4(), PIN), row.pin_hash)
    # That of locking; what was asked with a PIN is not kept.
    assert kept <= 1


async def test_phone_that_nobody_signed_in_on_lists_nobody(new_phone: NewPhone) -> None:
    phone = await new_phone()
    assert await phone.holders() == []
    phone.client.cookies.set("qungong_device", token_hex(20))
    assert await phone.holders() == []

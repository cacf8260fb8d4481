"""How much one person, number or address may create: told in words, kept in PostgreSQL, and never passed by asking at once."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app import clock, usage
from app.api.app import create_app
from app.db import reading, transaction
from app.errors import TooMany
from app.settings import settings
from app.usage import Counted, Purpose
from tests import people
from tests.mobile.conftest import VILLAGE, WATER, NewPhone, Phone, a_picture

Allow = Callable[..., None]
# Other tests count in years to come.
_LEFT = text("SELECT count(*) FROM usage_count WHERE day <= :now")
REPORT: dict[str, Any] = {"unit_code": VILLAGE, "body": WATER, "kind": "help"}
ON_BEHALF: dict[str, Any] = {"body": WATER, "kind": "help", "person": {"name": "王大爷"}}


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Allow]:
    def change(**allowed: str) -> None:
        for name, value in allowed.items():
            monkeypatch.setenv(name.upper(), value)
        settings.cache_clear()

    yield change
    monkeypatch.undo()
    settings.cache_clear()


async def test_resident_who_reports_too_much_is_told_when_to_come_again(
    new_citizen: NewPhone, allow: Allow
) -> None:
    allow(reports_of_resident="3/h 20/d")
    citizen = await new_citizen()
    answers = [await citizen.post("/reports", **REPORT) for _ in range(5)]
    assert [one.status_code for one in answers] == [201, 201, 201, 429, 429]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert "分钟" in refused.json()["detail"]
    assert (await (await new_citizen()).post("/reports", **REPORT)).status_code == 201
    with clock.moved(timedelta(hours=1)):
        assert (await citizen.post("/reports", **REPORT)).status_code == 201


async def test_day_has_a_limit_of_its_own(new_citizen: NewPhone, allow: Allow) -> None:
    allow(reports_of_resident="3/h 4/d")
    citizen = await new_citizen()
    # The same day of the county in each of these hours.
    async with reading() as tx:
        noon = usage._day(await tx.now()) + timedelta(hours=12) - await tx.now()
    with clock.moved(noon):
        answers = [await citizen.post("/reports", **REPORT) for _ in range(4)]
    assert [one.status_code for one in answers] == [201, 201, 201, 429]
    with clock.moved(noon + timedelta(hours=1)):
        answers = [await citizen.post("/reports", **REPORT) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 429]
    assert "明天" in answers[-1].json()["detail"]
    assert 9 * 3600 < int(answers[-1].headers["retry-after"]) <= 12 * 3600


async def test_reports_at_once_do_not_pass_the_limit(new_citizen: NewPhone, allow: Allow) -> None:
    allow(reports_of_resident="5/h 20/d")
    citizen = await new_citizen()
    answers = await asyncio.gather(*(citizen.post("/reports", **REPORT) for _ in range(20)))
    assert sorted(one.status_code for one in answers) == [201] * 5 + [429] * 15


async def test_report_sent_again_under_its_key_is_not_counted(
    new_citizen: NewPhone, allow: Allow
) -> None:
    allow(reports_of_resident="2/h 20/d")
    citizen = await new_citizen()
    key = secrets.token_hex(8)
    answers = [await citizen.post("/reports", key=key, **REPORT) for _ in range(5)]
    assert {one.status_code for one in answers} == {201}
    assert (await citizen.post("/reports", **REPORT)).status_code == 201
    assert (await citizen.post("/reports", **REPORT)).status_code == 429
    assert (await citizen.post("/reports", key=key, **REPORT)).status_code == 201


async def test_address_is_counted_whoever_reports_from_it(
    new_citizen: NewPhone, allow: Allow
) -> None:
    allow(reports_from_address="2/h 20/d")
    citizen, other = await new_citizen(), await new_citizen()
    other.client._transport = citizen.client._transport
    for phone, expected in ((citizen, 201), (other, 201), (other, 429)):
        assert (await phone.post("/reports", **REPORT)).status_code == expected


async def test_cadre_is_counted_on_both_faces(cadre: Phone, allow: Allow) -> None:
    before = 60 - await left_to("staff", "gongnong")
    allow(reports_of_staff=f"{before + 2}/h 100000/d")
    assert (await cadre.post("/cadre/cases", **ON_BEHALF)).status_code == 201
    body = {"title": "没有水", **ON_BEHALF}
    async with people.signed_in(create_app(), "gongnong") as same:
        assert (await same.post("/cases", body)).status_code == 201
        assert (await same.post("/cases", body)).status_code == 429
    refused = await cadre.post("/cadre/cases", **ON_BEHALF)
    assert (refused.status_code, "留在手机上" in refused.json()["detail"]) == (429, True)


async def left_to(kind: str, account: str) -> int:
    """Of sixty, how many are left in this hour."""
    async with reading() as tx:
        staff = await tx.scalar(
            text("SELECT id FROM staff WHERE account = :account"), account=account
        )
        key = Counted(Purpose.REPORTS_OF_STAFF, f"{kind}:{staff}").key()
        used = await tx.scalar(
            text("SELECT in_hour FROM usage_count WHERE key = :key AND hour = :hour"),
            key=key,
            hour=usage._hour(await tx.now()),
        )
    return 60 - int(used or 0)


async def test_number_is_counted_whoever_types_it(cadre: Phone, allow: Allow) -> None:
    allow(reports_about_number="2/h 20/d")
    number = f"139{secrets.randbelow(10**8):08d}"
    told = {**ON_BEHALF, "person": {"name": "王大爷", "phone": number}}
    answers = [await cadre.post("/cadre/cases", **told) for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 201, 429]
    assert number not in answers[-1].text
    assert (await cadre.post("/cadre/cases", **ON_BEHALF)).status_code == 201


async def test_what_a_resident_does_to_reports_is_counted(
    new_citizen: NewPhone, allow: Allow
) -> None:
    allow(acts_of_resident="2/h 20/d")
    citizen = await new_citizen()
    refs = [(await citizen.reports())["ref"] for _ in range(3)]
    answers = [await citizen.post(f"/reports/{ref}/press", note="还没有水") for ref in refs]
    assert [one.status_code for one in answers] == [200, 200, 429]
    evaluated = await citizen.post(f"/reports/{refs[0]}/evaluate", value="satisfied")
    assert evaluated.status_code == 429


async def test_photos_are_counted_before_they_are_decoded(
    new_citizen: NewPhone, allow: Allow
) -> None:
    """Also those that are refused: a bomb is no photo, and costs."""
    allow(photos_of_resident="3/h 20/d")
    citizen = await new_citizen()
    answers = [await citizen.send(b"no photo") for _ in range(4)]
    assert [one.status_code for one in answers] == [422, 422, 422, 429]
    assert (await citizen.send(a_picture())).status_code == 429


async def test_count_survives_a_report_that_fails(new_citizen: NewPhone, allow: Allow) -> None:
    """What costs us as much as a report is counted as one."""
    allow(reports_of_resident="2/h 20/d")
    citizen = await new_citizen()
    nowhere = {**REPORT, "unit_code": "500153999999"}
    answers = [await citizen.post("/reports", **nowhere) for _ in range(3)]
    assert [one.status_code for one in answers] == [422, 422, 429]


@pytest.mark.usefixtures("county")
async def test_table_of_counts_holds_no_number_and_is_cleared_the_next_day() -> None:
    async with transaction() as tx:
        now = await tx.now()
        await usage.count(tx, Counted(Purpose.REPORTS_ABOUT_NUMBER, "+8613983001234"), now=now)
    async with reading() as tx:
        told = await tx.all(text("SELECT CAST(u AS text) AS row FROM usage_count u"))
        assert told
        assert not any("13983001234" in one.row for one in told)
    with clock.moved(timedelta(days=1)):
        async with transaction() as tx:
            assert await usage.forget_old(tx) >= 1
    async with reading() as tx:
        assert await tx.scalar(_LEFT, now=now) == 0


@pytest.mark.usefixtures("county")
async def test_commit_after_a_count_still_waits_for_the_disk() -> None:
    """Only what is counted by itself may be forgotten in a crash."""
    setting = text("SELECT current_setting('synchronous_commit')")
    counted = Counted(Purpose.REPORTS_OF_STAFF, secrets.token_hex(8))
    async with transaction() as tx:
        await tx.driver()
        await usage.count(tx, counted, now=await tx.now())
        assert await tx.scalar(setting) == "on"
    async with transaction() as tx:
        await usage.count(tx, counted, now=await tx.now())
        assert await tx.scalar(setting) == "on"


@pytest.mark.usefixtures("county")
async def test_counts_are_kept_though_the_request_is_rolled_back(allow: Allow) -> None:
    allow(reports_of_staff="1/h 1/d")
    counted = Counted(Purpose.REPORTS_OF_STAFF, secrets.token_hex(8))
    async with transaction() as tx:
        await usage.count(tx, counted, now=await tx.now())
        await tx.roll_back()
    async with transaction() as tx:
        with pytest.raises(TooMany):
            await usage.count(tx, counted, now=await tx.now())

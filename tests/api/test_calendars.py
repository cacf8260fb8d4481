"""The calendar over HTTP: everybody in the county looks, only the administrator edits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest
import pytest_asyncio
from fastapi import FastAPI

from app import clock, db
from app.calendars import reading, seeding
from app.db import observers, transactions
from app.db import reading as only_reading
from qungong.asgi import app as served
from qungong.dev.sample import PASSWORD
from tests import people
from tests.api.conftest import Who
from tests.calendars.test_importing import feed
from tests.calendars.years import weekdays_off, year_list
from tests.people import Person

DAY = {"day": "2010-08-13", "kind": "off", "name": "暴雨停工"}
REASON = {"reason": "县政府通知"}
YEAR = year_list(2029)


@pytest_asyncio.fixture
async def admin(who: Who) -> Person:
    return await who("admin")


async def test_everybody_in_the_county_sees_a_year(who: Who) -> None:
    for account in ("gongnong", "lingdao", "admin"):
        year = await (await who(account)).sees("/calendar/years/2025")
        assert not year["provisional"]
        assert year["source"] == seeding.SOURCE
        assert {"day": "2025-09-28", "kind": "working", "name": "国庆节调休", "opens": None, "closes": None} in year["days"]  # fmt: skip
        assert year["hours"]["opens"] == "09:00"


async def test_year_not_published_says_so(admin: Person) -> None:
    year = await admin.sees("/calendar/years/2031")
    assert year["provisional"]
    assert (year["published_at"], year["days"]) == (None, [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/calendar/days", {"days": [DAY], **REASON}),
        ("/calendar/years/2029", {"text": YEAR, "source": "国办发明电"}),
        ("/calendar/hours", {"opens": "08:30", "closes": "17:30", **REASON}),
    ],
)
async def test_nobody_but_the_administrator_edits(
    who: Who,
    path: str,
    body: dict[str, object],
) -> None:
    before = await (await who("admin")).sees("/calendar/years/2010")
    for account in ("gongnong", "zhihui_head", "ducha", "lingdao"):
        answer = await (await who(account)).post(path, body)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-permitted")
    assert await (await who("admin")).sees("/calendar/years/2010") == before


async def test_administrator_changes_days_hours_and_publishes_a_year(admin: Person) -> None:
    before = (await admin.sees("/calendar/years/2010"))["version"]
    half = {
        "day": "2010-03-05",
        "kind": "half",
        "opens": "08:30",
        "closes": "11:30",
        "name": "半天",
    }
    changed = await admin.does("/calendar/days", days=[DAY, half], **REASON)
    assert changed == {"version": before + 1, "days": 2, "past_days": 2}
    published = await admin.does("/calendar/years/2029", text=YEAR, source="国办发明电")
    nothing_else: dict[str, list[str]] = {
        "kept": [],
        "passed_over": [],
        "other_years": [],
        "warnings": [],
    }
    assert published == {"version": before + 2, "days": 11, "past_days": 0, **nothing_else}
    await admin.does("/calendar/hours", opens="08:30", closes="17:30", **REASON)
    year = await admin.sees("/calendar/years/2010")
    assert half in year["days"]
    assert year["hours"] == {
        "opens": "08:30",
        "noon_from": None,
        "noon_to": None,
        "closes": "17:30",
    }
    assert not (await admin.sees("/calendar/years/2029"))["provisional"]
    again = await admin.post("/calendar/hours", {"opens": "08:30", "closes": "17:30", **REASON})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/nothing-changed")
    restored = {"opens": "09:00", "noon_from": "12:00", "noon_to": "14:00", "closes": "18:00"}
    await admin.does("/calendar/hours", **restored, **REASON)


async def test_same_change_sent_twice_makes_one_version(admin: Person) -> None:
    body = {"days": [{"day": "2010-08-16", "kind": "off"}], **REASON}
    first = await admin.post("/calendar/days", body, key="calendar-once")
    second = await admin.post("/calendar/days", body, key="calendar-once")
    assert first.is_success
    assert second.headers["idempotent-replay"] == "true"
    assert second.json() == first.json()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ([DAY, DAY], "不止一次"),
        ([{**DAY, "kind": "half"}], "半天须填写"),
        ([{**DAY, "opens": "09:00", "closes": "12:00"}], "半天须填写"),
        ([{**DAY, "kind": "half", "opens": "12:00", "closes": "09:00"}], "之前"),
        ([{**DAY, "kind": "half", "opens": "25:00", "closes": "26:00"}], ""),
        ([{**DAY, "day": "1999-12-31"}], ""),
        ([{**DAY, "day": "2026-02-30"}], ""),
        ([], ""),
    ],
)
async def test_days_that_are_none_are_refused(
    admin: Person, wrong: list[dict[str, str]], told: str
) -> None:
    answer = await admin.post("/calendar/days", {"days": wrong, **REASON})
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


async def test_bad_line_of_a_years_list_is_named_and_nothing_is_published(admin: Person) -> None:
    answer = await admin.post(
        "/calendar/years/2030",
        {"text": year_list(2030) + "2030-02-30,休", "source": "-"},
    )
    assert answer.status_code == 422
    assert "第 13 行" in answer.json()["detail"]
    surrogate = await admin.client.post(
        "/calendar/years/2030", content=b'{"text": "\\ud800", "source": "-"}', headers={"Content-Type": "application/json"}
    )  # fmt: skip
    assert surrogate.status_code == 422
    assert (await admin.sees("/calendar/years/2030"))["provisional"]


async def test_what_of_a_feed_took_effect_and_what_did_not_is_told(admin: Person) -> None:
    days = [(f"{day:%Y%m%d}", "节日（休）") for day in weekdays_off(2041)]
    new_year = ("20401231", "元旦（休）")
    rest = [("20410308", "妇女节（妇女放假半天）"), ("20421001", "国庆节（休）")]

    def listed(*named: tuple[str, str]) -> dict[str, str]:
        return {"text": feed(*days, *named), "source": "国办发明电"}

    told = await admin.does("/calendar/years/2041", **listed(new_year, *rest))
    assert told["days"] == 12
    assert told["passed_over"] == ["妇女节（妇女放假半天）"]
    assert told["other_years"] == [2042]
    before = await admin.sees("/calendar/years/2040")
    assert before["provisional"]
    assert [one["day"] for one in before["days"]] == ["2040-12-31"]
    corrected = await admin.does("/calendar/years/2041", **listed(("20410930", "国庆节（休）")))
    assert (corrected["days"], corrected["kept"]) == (1, ["2040-12-31"])


async def test_preview_lists_days_changed_and_entries_passed_over(admin: Person) -> None:
    before = await admin.sees("/calendar/years/2037")
    ordinary = [("20370805", "值班：张三"), ("20370810", "退休干部座谈会")]
    days = [(f"{day:%Y%m%d}", "节日（休）") for day in weekdays_off(2037)]
    body = {"text": feed(*days, *ordinary), "source": "国办发明电"}
    told = await admin.does("/calendar/years/2037/preview", **body)
    assert [one["day"] for one in told["days"]] == [str(day) for day in weekdays_off(2037)]
    assert {one["kind"] for one in told["days"]} == {"off"}
    assert told["passed_over"] == ["值班：张三", "退休干部座谈会"]
    assert told["warnings"] == []
    assert await admin.sees("/calendar/years/2037") == before


async def test_preview_is_refused_to_everybody_but_the_administrator(who: Who) -> None:
    for account in ("gongnong", "zhihui_head", "ducha", "lingdao"):
        answer = await (await who(account)).post(
            "/calendar/years/2037/preview", {"text": YEAR, "source": "国办发明电"}
        )
        assert answer.status_code == 403


async def test_health_says_up_to_which_year_the_calendar_is_known(county: None) -> None:
    assert county is None
    async with people.visitor(served) as anybody, only_reading() as tx:
        sent: list[str] = []
        observers.append(sent.append)
        try:
            told = await anybody.sees("/health")
        finally:
            observers.remove(sent.append)
        # The calendars, how the sweep and the texts are, and whether the workers go round.
        assert len(sent) <= 3
        assert told["calendar"] == {
            "published_to": (await reading.outlook(tx)).published_to,
            "missing": told["calendar"]["missing"],
        }


@pytest.mark.parametrize(
    ("month", "missing"), [("2026-10-31T12:00:00", ()), ("2026-11-01T00:00:01", (2027,)), ("2028-03-01T12:00:00", (2028,))]
)  # fmt: skip
async def test_next_year_is_missed_from_the_first_of_november(
    county: None, month: str, missing: tuple[int, ...]
) -> None:
    assert county is None
    async with only_reading() as tx:
        now = await tx.now()
    wanted = datetime.fromisoformat(month).replace(tzinfo=clock.SHANGHAI)
    with clock.moved(wanted - now):
        async with only_reading() as tx:
            assert (await reading.outlook(tx)).missing == missing


@asynccontextmanager
async def at(shanghai: str) -> AsyncIterator[None]:
    """As if it were that moment."""
    async with only_reading() as tx:
        now = await tx.now()
    with clock.moved(datetime.fromisoformat(shanghai).replace(tzinfo=clock.SHANGHAI) - now):
        yield


@pytest.mark.parametrize(
    ("moment", "missing"), [("2026-10-31T23:30:00", None), ("2026-11-01T00:00:01", [2027]), ("2035-03-01T12:00:00", [2035])]
)  # fmt: skip
async def test_who_answers_for_the_calendar_is_warned_at_sign_in(
    api: FastAPI, moment: str, missing: list[int] | None
) -> None:
    async with at(moment), people.visitor(api) as somebody:
        for account in ("admin", "zhihui", "zhihui_head", "ducha"):
            session = await somebody.does("/sessions", account=account, password=PASSWORD)
            warning = session["calendar_warning"]
            assert (warning and warning["missing"]) == missing, account
            assert warning is None or f"{missing[0]}年的放假安排尚未发布" in warning["told"]  # type: ignore[index]  # not None where a warning is
            assert (await somebody.sees("/sessions/me"))["calendar_warning"] == warning


async def test_who_cannot_do_anything_about_the_calendar_is_not_bothered(api: FastAPI) -> None:
    async with at("2035-03-01T12:00:00"), people.visitor(api) as somebody:
        for account in ("gongnong", "guangshun", "lingdao"):
            session = await somebody.does("/sessions", account=account, password=PASSWORD)
            assert session["calendar_warning"] is None, account


async def test_warning_ends_with_the_year_published(api: FastAPI) -> None:
    async with at("2033-12-01T12:00:00"), people.signed_in(api, "admin") as admin:
        for year, left in ((2034, [2033]), (2033, None)):
            listed = year_list(year)
            await admin.does(f"/calendar/years/{year}", text=listed, source="国办发明电")
            warning = (await admin.sees("/sessions/me"))["calendar_warning"]
            assert (warning and warning["missing"]) == left


async def test_health_stays_up_where_the_calendar_cannot_be_asked_for(
    county: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert county is None
    gone = db.Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", pool_size=1)
    monkeypatch.setattr(transactions, "database", lambda: gone)
    async with people.visitor(served) as anybody:
        told = await anybody.sees("/health")
        assert (told["status"], told["calendar"], told["sweep"]) == ("ok", None, None)


async def test_health_warns_of_a_missing_year_and_still_answers_200(county: None) -> None:
    assert county is None
    async with only_reading() as tx:
        now = await tx.now()
    december = datetime(2031, 12, 1, tzinfo=clock.SHANGHAI)
    with clock.moved(december - now):
        async with people.visitor(served) as anybody:
            told = await anybody.sees("/health")
    assert told["status"] == "warning"
    assert told["calendar"]["missing"] == [2031, 2032]


async def test_everybody_reads_who_changed_the_calendar_when_and_why(
    who: Who, admin: Person
) -> None:
    before = (await admin.sees("/calendar/changes", size=1))["items"][0]["version"]
    day = {"day": "2011-08-12", "kind": "off", "name": "暴雨停工"}
    await admin.does("/calendar/days", days=[day], **REASON)
    await admin.does("/calendar/years/2030", text=year_list(2030), source="国办发明电")
    found = await (await who("gongnong")).sees("/calendar/changes", size=2)
    told = [
        (one["version"], one["staff"], one["reason"], one["publishes"]) for one in found["items"]
    ]
    assert told == [
        (before + 2, "谢文静", "国办发明电", True),
        (before + 1, "谢文静", "县政府通知", False),
    ]
    assert (found["items"][1]["days"], found["items"][1]["hours"]["opens"]) == (1, "09:00")
    older = await admin.sees("/calendar/changes", before=found["next"])
    assert [one["version"] for one in older["items"]] == list(range(before, 0, -1))
    assert (older["items"][-1]["staff"], older["items"][-1]["reason"]) == (None, seeding.SOURCE)
    assert older["next"] is None

"""Reports over HTTP: who sees whose figures, what is never told, and the workbook."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
import pytest_asyncio
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from app.api.app import create_app
from app.db import OWNER, transaction
from app.directory.terms import Role
from app.reports.formulas import FEW_TOLD, SATISFACTION
from app.reports.months import Month
from tests import people
from tests.cards import at
from tests.conftest import find_staff
from tests.people import Person
from tests.reports.conftest import (
    CLOSING_DAY,
    JUNE,
    LEAD,
    TOWNSHIP,
    VILLAGE,
    Books,
    exclude,
    june,
)
from tests.units import Held, employed

JUNE_AT, YEAR_AT = "/reports/months/2025-06", "/reports/years/2025"
HANDLING = ("gongnong", "guangshun", "guangshun_head", "shuiwu", "ronglong_head")
COUNTY_WIDE = ("zhihui", "ducha", "jiwei", "lingdao")
_LOCKED = text("SELECT EXISTS (SELECT FROM month_end)")
_UNANSWERED = text("""
INSERT INTO surveys.answer (survey_id, channel, value, answered_at)
SELECT s.id, 'page', 'dissatisfied', s.asked_at FROM surveys.survey s
WHERE NOT EXISTS (SELECT FROM surveys.answer a WHERE a.survey_id = s.id) AND s.asked_at > '2025-08-01'
""")

Who = Callable[[str], Awaitable[Person]]


@pytest_asyncio.fixture(scope="session")
async def signed_in() -> AsyncIterator[Who]:
    """Signs somebody in, each once for the whole run."""
    application, known = create_app(), dict[str, Person]()
    async with AsyncExitStack() as stack:

        async def find(account: str) -> Person:
            if account not in known:
                somebody = people.signed_in(application, account)
                known[account] = await stack.enter_async_context(somebody)
            return known[account]

        yield find


@pytest_asyncio.fixture
async def who(ledger: str, signed_in: Who) -> Who:
    """Somebody of the county; June is locked."""
    assert ledger
    async with transaction() as tx:
        if not await tx.scalar(_LOCKED):
            await Books(tx, find_staff).locked()
    return signed_in


def rates(told: Any) -> dict[str, Any]:
    return {one["name"]: one for one in told["rates"]}


async def test_supervisors_and_leaders_see_all_units_with_their_evaluations(who: Who) -> None:
    for account in ("ducha", "jiwei", "lingdao"):
        report = await (await who(account)).sees(JUNE_AT)
        units = {one["unit_code"]: one for one in report["units"]}
        village, township = units[VILLAGE], units[TOWNSHIP]
        assert rates(village)["satisfaction"]["told"] == "81.8%"
        assert rates(village)["satisfaction"] | {"rank": 1} == rates(village)["satisfaction"]
        assert rates(village)["exclusion"]["told"] == "8.3%"
        assert village["evaluations"] == {"asked": 12, "evaluated": 11, "satisfied": 8, "basically_satisfied": 1, "excluded": 1}  # fmt: skip
        # Of three it is told that there were three, and not what they said.
        assert rates(township)["satisfaction"]["told"] == FEW_TOLD
        assert (township["evaluations"]["evaluated"], township["evaluations"]["satisfied"]) == (3, None)  # fmt: skip
        assert report["evaluations"]["evaluated"] == 16
        assert (village["counts"]["yellow"], village["counts"]["taken_in"]) == (1, 16)


@pytest.mark.parametrize("account", ["zhihui", "zhihui_head"])
async def test_dispatchers_see_all_units_and_no_evaluation(who: Who, account: str) -> None:
    for path in (JUNE_AT, YEAR_AT):
        report = await (await who(account)).sees(path)
        assert {one["unit_code"] for one in report["units"]} >= {VILLAGE, TOWNSHIP}
        assert report["evaluations"] is None
        assert all(one["evaluations"] is None for one in report["units"])
        assert "satisfaction" not in rates(report)


@pytest.mark.parametrize("account", HANDLING)
async def test_handling_unit_sees_its_own_work_and_nothing_of_others_nor_of_evaluations(
    who: Who, account: str
) -> None:
    person = await who(account)
    for path in (JUNE_AT, YEAR_AT, f"{JUNE_AT}.xlsx", f"{YEAR_AT}.xlsx", f"{JUNE_AT}/corrections"):
        assert (await person.get(path)).status_code == 403, path
    own = (await find_staff(account)).unit_code
    for path in (JUNE_AT, YEAR_AT):
        for code in {VILLAGE, TOWNSHIP, LEAD, "500153D11"} - {own}:
            other = await person.get(f"{path}/units/{code}")
            absent = await person.get(f"{path}/units/500153D99")
            assert (other.status_code, other.content) == (404, absent.content)
        told = await person.sees(f"{path}/units/{own}")
        assert bool(told["people"]) == (account in ("guangshun_head", "ronglong_head"))
        for one in [told["unit"], *told["people"]]:
            if one is not None:
                assert one["evaluations"] is None
                assert not {"satisfaction", "participation", "exclusion"} & rates(one).keys()
                assert not set(SATISFACTION) & one["counts"].keys()
                assert all(rate["rank"] is None for rate in one["rates"])


async def test_whoever_neither_handles_nor_looks_over_the_county_sees_nothing(who: Who) -> None:
    person = await who("admin")
    for path in ("/reports/months", JUNE_AT, YEAR_AT, "/reports/satisfaction", f"{JUNE_AT}/units/{VILLAGE}"):  # fmt: skip
        assert (await person.get(path)).status_code == 403, path


async def test_unit_learns_of_its_evaluations_what_was_released_and_no_more(who: Who) -> None:
    village = await (await who("gongnong")).sees("/reports/satisfaction")
    assert village["items"] == [
        {
            "month": "2025-06",
            "released": True,
            "joined": False,
            "evaluated": 11,
            "bound": "at_least",
            "favourable": 54,
            "told": "满意率不低于54%（参评11人）",
        }
    ]
    # Three evaluated the township, and no other small unit of it was evaluated.
    for account in ("guangshun", "guangshun_head", "shuiwu"):
        (one,) = (await (await who(account)).sees("/reports/satisfaction"))["items"]
        assert (one["released"], one["evaluated"], one["told"]) == (False, None, "参评太少，不反馈")
    assert (await (await who("lingdao")).get("/reports/satisfaction")).status_code == 403


async def test_before_the_release_nothing_that_is_answered_changes_a_byte(
    who: Who, ledger: str
) -> None:
    assert ledger
    async with transaction() as tx:
        await Books(tx, find_staff).solved(june(5, month=8), june(6, month=8))
    paths = ("/reports/months", "/reports/satisfaction", f"{JUNE_AT}/units/{VILLAGE}", f"{YEAR_AT}/units/{VILLAGE}")  # fmt: skip

    async def seen() -> list[bytes]:
        return [
            (await (await who(account)).get(path)).content
            for account in ("gongnong", "guangshun", "guangshun_head", "zhihui")
            for path in paths
        ]

    before = await seen()
    async with transaction() as tx:
        await tx.act_as(OWNER)
        assert await tx.execute(_UNANSWERED) == 1
    assert await seen() == before


async def test_sealed_cases_are_told_to_supervisors_of_unit_that_holds_them_alone(
    who: Who,
) -> None:
    assert (await (await who("jiwei")).sees(JUNE_AT))["sealed"] == {"taken_in": 1, "answered": 0}
    assert (await (await who("ducha")).sees(JUNE_AT))["sealed"] == {"taken_in": 0, "answered": 0}
    assert (await (await who("lingdao")).sees(JUNE_AT))["sealed"] is None
    # Nor by the difference of what others see.
    report = await (await who("jiwei")).sees(JUNE_AT)
    assert report["counts"]["taken_in"] == sum(one["counts"]["taken_in"] for one in report["units"]) == 18  # fmt: skip


async def test_units_come_in_pages_and_their_ranks_are_among_all(who: Who) -> None:
    person = await who("ducha")
    whole = (await person.sees(JUNE_AT))["units"]
    first = await person.sees(JUNE_AT, size=1)
    rest = await person.sees(JUNE_AT, size=300, after=first["next"])
    assert first["units"] + rest["units"] == whole
    assert rest["next"] is None
    villages = (await person.sees(JUNE_AT, kind="village"))["units"]
    assert {one["kind"] for one in villages} == {"village"}


async def test_month_that_is_not_locked_is_not_there(who: Who) -> None:
    person = await who("ducha")
    for path in ("/reports/months/2025-05", "/reports/years/2019", "/reports/months/2025-05.xlsx"):
        assert (await person.get(path)).status_code == 404
    assert (await person.get("/reports/months/2025-13")).status_code == 422
    refused = await person.post("/reports/months/2025-05/corrections", {"reason": "日历补录"})
    assert refused.status_code == 404
    unchanged = await person.post(f"{JUNE_AT}/corrections", {"reason": "日历补录"})
    assert unchanged.json()["type"] == "/problems/nothing-changed"


@pytest.mark.parametrize("account", COUNTY_WIDE)
async def test_workbook_reads_as_the_page_does_and_holds_no_formula(who: Who, account: str) -> None:
    person = await who(account)
    sent = await person.get(f"{JUNE_AT}.xlsx")
    assert sent.headers["content-disposition"] == 'attachment; filename="qungong-2025-06.xlsx"'
    book = CalamineWorkbook.from_filelike(BytesIO(sent.content))
    assert book.sheet_names == ["各单位", "个人", "更正", "说明"]
    title, heads, *rows = book.get_sheet_by_name("各单位").to_python()
    told = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
    assert str(title[0]).startswith("2025年6月群工月报")
    report = await person.sees(JUNE_AT)
    assert list(told) == [*(one["unit_code"] for one in report["units"]), ""]
    for one in report["units"]:
        row = told[one["unit_code"]]
        assert (row["单位"], row["登记件数"], row["黄牌"]) == (one["unit"], one["counts"]["taken_in"], one["counts"]["yellow"])  # fmt: skip
    assert ("满意率" in heads) == (account != "zhihui")
    if account != "zhihui":
        assert (told[VILLAGE]["满意率"], told[VILLAGE]["满意"]) == (9 / 11, 8)
        assert (told[TOWNSHIP]["满意率"], told[TOWNSHIP]["满意"]) == (FEW_TOLD, FEW_TOLD)
    _, heads, *rows = book.get_sheet_by_name("个人").to_python()
    assert {row[2] for row in rows} >= {"陈桂芳", "周启明"}
    with ZipFile(BytesIO(sent.content)) as parts:
        assert not any(b"<f>" in parts.read(name) for name in parts.namelist())


async def test_exclusion_is_the_command_centers_with_a_reason_and_in_time(who: Who) -> None:
    center, inspector = await who("zhihui"), await who("ducha")
    # While the clock stands in 2025 nobody could.
    others = [await who(account) for account in (*HANDLING, "lingdao", "jiwei")]
    async with transaction() as tx:
        books = Books(tx, find_staff)
        case = await books.solved(june(2, month=9), june(3, month=9), says="不满意")
    with at(june(5, month=9)):
        (call,) = [one for one in (await center.sees("/return-calls"))["items"] if one["ref"] == case.ref]  # fmt: skip
        path, reason = f"/return-calls/{call['id']}/exclude", {"reason": "诉求不合理"}
        assert (await center.post(path, reason)).status_code == 409
        await center.does(
            f"/return-calls/{call['id']}/finding", result="unreasonable", note="已说明"
        )
        for other in others:
            assert (await other.post(path, reason)).status_code == 403, other.account
        assert (await center.post(path, {"reason": ""})).status_code == 422
    cutoff = Month(2025, 9).cutoff(CLOSING_DAY)
    with at(cutoff):
        assert (await center.post(path, reason)).status_code == 409
    with at(june(6, month=9)):
        assert (await inspector.post(path, reason)).json() == {"month": "2025-09"}
        assert (await center.post(path, reason)).status_code == 409
    (told,) = (await inspector.sees("/reports/months/2025-09/exclusions"))["items"]
    assert (told["ref"], told["reason"], told["decided_by"]) == (case.ref, "诉求不合理", "贺敏")
    for account in (*HANDLING, "zhihui", "lingdao"):
        refused = await (await who(account)).get("/reports/months/2025-09/exclusions")
        assert refused.status_code == 403, account


async def test_exclusions_are_listed_whole_a_page_at_a_time_by_who_answered(who: Who) -> None:
    inspector = await who("ducha")
    async with transaction() as tx:
        books = Books(tx, find_staff)
        cases = [
            await books.solved(june(2 + day, month=8), june(3 + day, month=8), says="不满意")
            for day in range(3)
        ]
        for case in cases:
            await exclude(books, case, june(20, month=8))
        refs = [case.ref for case in cases]
    found, after = list[dict[str, Any]](), dict[str, str]()
    while not found or after:
        page = await inspector.sees("/reports/months/2025-08/exclusions", size=2, **after)
        found += page["items"]
        after = {"after": page["next"]} if page["next"] else {}
    ours = [(one["ref"], one["round"], one["unit"]) for one in found if one["ref"] in refs]
    assert ours == [(ref, 1, "工农茶叶产业社区居民委员会") for ref in refs]


async def test_locked_months_are_listed_the_latest_first(who: Who) -> None:
    (one,) = (await (await who("gongnong")).sees("/reports/months"))["items"]
    assert (one["month"], one["formula_version"], one["corrections"]) == (str(JUNE), 2, 0)
    assert one["cutoff_at"] == "2025-07-10T00:00:00+08:00"


@pytest.mark.parametrize(
    "posts",
    [
        [Held("500153D11", Role.SUPERVISOR)],
        [Held(TOWNSHIP, Role.SUPERVISOR)],
        [Held(TOWNSHIP, Role.LEADER)],
        # In whichever post they ask.
        [Held("500153ZH", Role.SUPERVISOR), Held("500153D11", Role.UNIT_HANDLER)],
        [Held("500153JW", Role.SUPERVISOR), Held(VILLAGE, Role.VILLAGE_CADRE)],
        [Held("500153", Role.LEADER), Held(TOWNSHIP, Role.UNIT_HEAD)],
    ],
)
async def test_who_looks_over_county_and_works_in_handling_unit_learns_of_no_evaluation(
    who: Who, posts: list[Held]
) -> None:
    person = await who(await employed(*posts))
    report = await person.sees(JUNE_AT)
    assert (report["evaluations"], "satisfaction" in rates(report)) == (None, False)
    corrections = (await person.sees(f"{JUNE_AT}/corrections"))["items"]
    assert all(one["measure"] is not None for one in corrections)
    for path in (f"{JUNE_AT}/exclusions", "/answers/looks"):
        assert (await person.get(path)).status_code == 403, path
    # Whether there is anything to correct depends on what was answered, and on what counts of it.
    refused = await person.post(f"{JUNE_AT}/corrections", {"reason": "试探"})
    assert refused.status_code == 403

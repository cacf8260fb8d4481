"""Not yours looks like not there, by every path; an accusation exists for nobody but those who look into it."""

from collections.abc import AsyncIterator
from secrets import token_hex

import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text

from app.cases import access, county_lists, queries
from app.cases.actions import filing
from app.cases.actions.filing import Intake
from app.cases.models import Channel
from app.cases.queries import View
from app.db import OWNER, Transaction, reading, transaction
from app.errors import NotFound
from app.limits.terms import Kind
from tests import people
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.conftest import Staff
from tests.people import Person
from tests.units import somebody

ABSENT = "500153-261122-00000001"
_ELSEWHERE = (
    """INSERT INTO unit (code, name, short_name, kind, parent_id, county_id, valid_from, head_approves)
       VALUES (:county, '邻县', '邻县', 'county', NULL, NULL, DATE '2020-01-01', false)""",
    "UPDATE unit SET county_id = id WHERE code = :county",
    """INSERT INTO unit (code, name, short_name, kind, parent_id, county_id, valid_from, head_approves)
       SELECT :center, '邻县指挥中心', '邻县指挥中心', 'command_center', id, id, DATE '2020-01-01', false
       FROM unit WHERE code = :county""",
    """INSERT INTO staff (account, name, password_hash, active, created_at)
       SELECT :account, '邻县调度员', password_hash, true, now() FROM staff WHERE account = 'zhihui'""",
    """INSERT INTO post (staff_id, unit_id, role, title, valid_from)
       SELECT s.id, u.id, 'dispatcher', '', DATE '2020-01-01' FROM staff s, unit u
       WHERE s.account = :account AND u.code = :center""",
)
_ELSEWHERE_IN_COUNTY = (
    """INSERT INTO staff (account, name, password_hash, active, created_at)
       SELECT :account, '刘干部', password_hash, true, now() FROM staff WHERE account = 'gongnong'""",
    """INSERT INTO post (staff_id, unit_id, role, title, valid_from)
       SELECT s.id, u.id, 'village_cadre', '', DATE '2020-01-01' FROM staff s, unit u
       WHERE s.account = :account AND u.code = '500153100001'""",
)
EVERYBODY = (
    "gongnong", "guangshun", "guangshun_head", "zhihui", "zhihui_head", "ducha", "jiwei", "ronglong",
    "ronglong_head", "shuiwu", "shuiwu_head", "lingdao", "admin", "jianzhi",
)  # fmt: skip

_TOWNSHIPS = text("""
SELECT u.code FROM unit u JOIN unit c ON c.id = u.county_id
WHERE u.kind = 'township' AND c.code = '500153' AND (u.valid_to IS NULL OR u.valid_to >= CURRENT_DATE)
""")


@pytest_asyncio.fixture
async def outsider(api: FastAPI, request: pytest.FixtureRequest) -> AsyncIterator[Person]:
    """A dispatcher of another county, or a cadre of a village of another township."""
    account = f"outside_{token_hex(4)}"
    code = f"9{token_hex(5).upper()}"
    statements = _ELSEWHERE if request.param == "county" else _ELSEWHERE_IN_COUNTY
    names = {"account": account, "county": code, "center": f"{code}ZH"}
    async with transaction() as tx:
        await tx.act_as(OWNER)
        for statement in statements:
            asked = {name: value for name, value in names.items() if f":{name}" in statement}
            await tx.execute(text(statement), **asked)
    async with people.signed_in(api, account) as person:
        yield person


async def answers_to(person: Person, ref: str) -> dict[str, tuple[int, bytes, str]]:
    """What the person is told about a case, by every path there is to it."""
    told = {"show": await person.get(f"/cases/{ref}")}
    for action, body in BODIES.items():
        told[action] = await person.post(f"/cases/{ref}/{action}", body)
    return {
        path: (answer.status_code, answer.content, answer.headers["content-type"])
        for path, answer in told.items()
    }


async def listed(person: Person) -> set[str]:
    """The references in all views of their own and, for those who may ask, of the county."""
    refs: set[str] = set()
    for view in queries.OWN_VIEWS:
        refs |= await person.lists(view)
    for view in county_lists.VIEWS:
        cursor: dict[str, str] | None = {}
        while cursor is not None:
            page = await person.get("/cases", scope="county", view=view, size=100, **cursor)
            if page.status_code == 403:
                break
            assert page.is_success, page.text
            refs |= {one["ref"] for one in page.json()["items"]}
            cursor = {"cursor": page.json()["next"]} if page.json()["next"] else None
    return refs


@pytest.mark.parametrize("outsider", ["county", "township"], indirect=True)
async def test_what_is_somebody_elses_is_told_apart_in_no_way_from_what_is_not_there(
    who: Who, outsider: Person
) -> None:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    assert await answers_to(outsider, ref) == await answers_to(outsider, ABSENT)
    assert {status for status, _, _ in (await answers_to(outsider, ref)).values()} == {404}
    assert ref not in await listed(outsider)


async def test_case_cannot_be_joined_to_one_that_is_not_there_for_the_asker(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    mine = await cadre.registers()
    await cadre.does(f"/cases/{mine}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{mine}/escalate", finding="街道无法解决")
    sealed = await cadre.registers(kind="accusation", title="检举")
    to_sealed, to_nothing = [
        await center.post(f"/cases/{mine}/merge", {"primary_ref": primary, "reason": "同一件"})
        for primary in (sealed, ABSENT)
    ]
    assert to_sealed.status_code == to_nothing.status_code == 404
    assert to_sealed.content == to_nothing.content


async def test_accusation_exists_for_the_discipline_commission_alone(who: Who) -> None:
    clerk = await who("ronglong")
    ref = await clerk.registers(
        kind="accusation", title="检举社区主任", accused_code="500153003007", person=None
    )
    for account in set(EVERYBODY) - {"jiwei"}:
        person = await who(account)
        assert await answers_to(person, ref) == await answers_to(person, ABSENT), account
        assert ref not in await listed(person), account
    inspector = await who("jiwei")
    detail = await inspector.sees(f"/cases/{ref}")
    assert (detail["sealed"], detail["holder"], detail["version"]) == (True, "荣昌区纪委监委", 1)
    assert ref in await inspector.lists("to_judge")


async def test_accusation_against_commission_is_for_inspectors_of_center_alone(
    who: Who,
) -> None:
    ref = await (await who("gongnong")).registers(
        kind="accusation", title="检举监察员", accused_code="500153JW", person=None
    )
    # The dispatchers' own unit holds it, and still it is not there for them.
    for account in set(EVERYBODY) - {"ducha"}:
        person = await who(account)
        assert await answers_to(person, ref) == await answers_to(person, ABSENT), account
        assert ref not in await listed(person), account
    inspector = await who("ducha")
    assert (await inspector.sees(f"/cases/{ref}"))["holder"] == "荣昌区群工系统指挥中心"
    assert ref in await inspector.lists("to_judge")


async def test_even_where_accused_unit_came_to_hold_accusation_it_would_not_see_it(
    who: Who, tx: Transaction, staff: Staff
) -> None:
    inspector = await staff("ducha")
    by = await somebody(tx)
    intake = Intake(
        "检举指挥中心", "收了钱", Kind.ACCUSATION, Channel.POSTER, asked_code="500153003007",
        accused_code=inspector.unit_code,
    )  # fmt: skip
    ref = (await filing.register(tx, intake, by=by, now=await tx.now())).case.ref
    await tx.flush()
    # No rule leads there; the view itself must hold. The transaction is rolled back.
    await tx.execute(
        text("UPDATE grievance SET holder_unit_id = :unit WHERE ref = :ref"),
        unit=inspector.unit_id,
        ref=ref,
    )
    with pytest.raises(NotFound):
        await access.get_case(tx, ref, by=inspector)
    assert ref not in await queries.inbox(tx, View.TO_JUDGE, by=inspector, cursor=None, size=100)


async def test_inspector_handles_an_accusation_and_may_call_whoever_made_it(who: Who) -> None:
    inspector = await who("jiwei")
    ref = await (await who("gongnong")).registers(kind="accusation", title="检举")
    assert (await inspector.sees(f"/cases/{ref}"))["reporter"]["phone"] == "+8613983001234"
    await inspector.does(f"/cases/{ref}/handle")
    assert ref in await inspector.lists("handling")
    await inspector.does(f"/cases/{ref}/answer", outcome="solved", answer="已查处")
    assert ref in await inspector.lists("finished")
    for account in ("gongnong", "zhihui", "ducha", "lingdao"):
        assert ref not in await (await who(account)).lists("finished")


async def test_administrator_sees_no_case(who: Who) -> None:
    administrator = await who("admin")
    ref = await (await who("gongnong")).registers()
    assert await listed(administrator) == set()
    assert await answers_to(administrator, ref) == await answers_to(administrator, ABSENT)


async def test_unit_that_passed_a_case_on_follows_it_but_acts_no_more(who: Who) -> None:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    assert (await clerk.sees(f"/cases/{ref}"))["actions"] == []
    assert (await clerk.post(f"/cases/{ref}/handle")).status_code == 409


@pytest.mark.parametrize("path", ["/cases", f"/cases/{ABSENT}", "/units", "/categories"])
async def test_whoever_has_not_signed_in_learns_nothing(stranger: Person, path: str) -> None:
    refused = await stranger.get(path)
    assert (refused.status_code, refused.json()["type"]) == (401, "/problems/sign-in-required")
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_unit_of_another_county_is_not_found(who: Who) -> None:
    cadre = await who("gongnong")
    assert (await cadre.sees("/units/500153100"))["name"] == "荣隆镇"
    assert (await cadre.get("/units/500999100")).status_code == 404
    assert [unit["code"] for unit in (await cadre.sees("/units", named="水务"))["items"]] == [
        "500153D11"
    ]
    page = await cadre.sees("/units", kind="township", size=5)
    rest = await cadre.sees("/units", kind="township", size=200, after=page["next"])
    async with reading() as tx:
        there = sorted(row.code for row in await tx.all(_TOWNSHIPS))
    assert len(there) >= 21
    assert sorted(unit["code"] for unit in page["items"] + rest["items"]) == there


async def test_categories_form_a_tree_of_three_levels(who: Who) -> None:
    tree = await (await who("gongnong")).sees("/categories")
    third = [c for a in tree for b in a["children"] for c in b["children"]]
    assert third
    assert all(one["path"].count("/") == 2 for one in third)

"""All staff on phones: each sees and does there what the same post sees and does at a desk."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date

import pytest
import pytest_asyncio

from app.cases import queries
from app.directory.terms import Role
from qungong.dev.sample import PASSWORD
from tests import faces, people
from tests.mobile.conftest import VILLAGE, NewPhone, Phone
from tests.mobile.test_cadre import ON_BEHALF
from tests.people import Person
from tests.units import Held, employed

STAFF = ("gongnong", "guangshun", "shuiwu", "shuiwu_head", "ronglong", "zhihui", "ducha", "jiwei", "lingdao")  # fmt: skip
COUNTY_WIDE = frozenset({"zhihui", "ducha", "jiwei", "lingdao"})


@dataclass(frozen=True, slots=True)
class Both:
    """One member of staff at a desk and on a phone."""

    account: str
    desk: Person
    phone: Phone


async def on_phone(new_phone: NewPhone, account: str) -> Phone:
    phone = await new_phone()
    answer = await phone.post("/cadre/sign-in", key=None, account=account, password=PASSWORD)
    assert answer.status_code == 201, answer.text
    return phone


@pytest_asyncio.fixture(params=STAFF)
async def both(request: pytest.FixtureRequest, new_phone: NewPhone) -> AsyncIterator[Both]:
    account: str = request.param
    async with people.signed_in(faces.desk(), account) as desk:
        yield Both(account, desk, await on_phone(new_phone, account))


async def dispatched(cadre: Phone) -> str:
    """A case that the township led by 荣隆镇 has, with 县水务局 as the assistant."""
    ref: str = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
    async with people.signed_in(faces.desk(), "guangshun") as clerk:
        await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    async with people.signed_in(faces.desk(), "zhihui") as center:
        await center.does(
            f"/cases/{ref}/dispatch",
            lead={"unit_code": "500153100"},
            assistants=[{"unit_code": "500153D11"}],
        )
    return ref


async def test_phone_lists_what_the_desk_lists_in_each_view(both: Both, cadre: Phone) -> None:
    await dispatched(cadre)
    await cadre.post("/cadre/cases", **ON_BEHALF)
    found = 0
    for view in queries.OWN_VIEWS:
        at_desk = await both.desk.get("/cases", view=view, size=20)
        on_phone = await both.phone.get("/cadre/cases", view=view, size="20")
        assert (on_phone.status_code, on_phone.content) == (200, at_desk.content), view
        found += len(at_desk.json()["items"])
    assert found or both.account not in ("gongnong", "ronglong", "shuiwu", "shuiwu_head")


async def test_phone_shows_a_case_and_its_actions_as_the_desk_does(
    both: Both, cadre: Phone
) -> None:
    ref = await dispatched(cadre)
    at_desk = await both.desk.get(f"/cases/{ref}")
    on_phone = await both.phone.get(f"/cadre/cases/{ref}")
    assert (on_phone.status_code, on_phone.content) == (at_desk.status_code, at_desk.content)
    assert (on_phone.status_code == 200) or both.account == "jiwei"
    if both.account in ("ronglong", "shuiwu"):
        assert "sign" in on_phone.json()["actions"]
        assert (await both.phone.post(f"/cadre/cases/{ref}/sign")).status_code == 200


async def test_county_list_with_filters_is_for_county_wide_posts_on_phones(
    both: Both, cadre: Phone
) -> None:
    await dispatched(cadre)
    asked = {"scope": "county", "lead": "500153100", "township": "500153003", "size": "20"}
    at_desk = await both.desk.get("/cases", **asked)
    on_phone = await both.phone.get("/cadre/cases", **asked)
    assert (on_phone.status_code, on_phone.content) == (at_desk.status_code, at_desk.content)
    assert on_phone.status_code == (200 if both.account in COUNTY_WIDE else 403)
    if on_phone.status_code == 200:
        assert on_phone.json()["items"]
    mixed = await both.phone.get("/cadre/cases", lead="500153100")
    assert (mixed.status_code, mixed.json()["mistakes"][0]["where"]) == (422, "query.lead")


async def test_leader_presses_and_instructs_on_the_phone(cadre: Phone, new_phone: NewPhone) -> None:
    ref = await dispatched(cadre)
    leader = await on_phone(new_phone, "lingdao")
    path = f"/cadre/cases/{ref}"
    assert {"press", "instruct", "supervise"} <= set((await leader.get(path)).json()["actions"])
    pressed = await leader.post(f"{path}/press", note="群众等水用")
    assert (pressed.status_code, pressed.json()["presses"]) == (200, 1)
    instructed = await leader.post(f"{path}/instruct", instruction="今日内先送水上门")
    assert instructed.status_code == 200, instructed.text
    entries = (await leader.get(path)).json()["timeline"][-2:]
    assert [(one["action"], one["staff"]) for one in entries] == [
        ("press", "黄志远"),
        ("instruct", "黄志远"),
    ]
    refused = await cadre.post(f"{path}/instruct", instruction="越权批示")
    assert (refused.status_code, "县领导" in refused.json()["detail"]) == (409, True)


async def test_dispatcher_assigns_and_township_declines_on_phones(
    cadre: Phone, new_phone: NewPhone
) -> None:
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
    township = await on_phone(new_phone, "guangshun")
    assert "decline" in (await township.get(f"/cadre/cases/{ref}")).json()["actions"]
    up = await township.post(f"/cadre/cases/{ref}/escalate", finding="街道无法解决")
    assert up.status_code == 200
    center = await on_phone(new_phone, "zhihui")
    given = await center.post(
        f"/cadre/cases/{ref}/dispatch", lead={"unit_code": VILLAGE}, note="一周内办结"
    )
    assert (given.status_code, given.json()["phase"]) == (200, "handling")


async def test_township_registers_for_a_village_on_the_phone(new_phone: NewPhone) -> None:
    clerk = await on_phone(new_phone, "guangshun")
    taken = await clerk.post("/cadre/cases", **ON_BEHALF, village_code=VILLAGE)
    assert taken.status_code == 201, taken.text
    case = (await clerk.get(f"/cadre/cases/{taken.json()['ref']}")).json()
    assert (case["channel"], case["holder"]) == ("clerk", "广顺街道")
    assert case["village"].startswith("工农茶叶产业社区")
    department = await on_phone(new_phone, "shuiwu")
    refused = await department.post("/cadre/cases", **ON_BEHALF)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-permitted")


async def test_administrator_is_refused_cases_on_the_phone(
    cadre: Phone, new_phone: NewPhone
) -> None:
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    admin = await on_phone(new_phone, "admin")
    for path in ("/cadre/me", "/cadre/cases", f"/cadre/cases/{ref}", "/cadre/cards", "/cadre/units"):  # fmt: skip
        refused = await admin.get(path)
        assert refused.status_code == 403, path
        assert "系统管理员不查看、不办理事件" in refused.json()["detail"]


async def test_sealed_case_exists_on_the_phone_for_its_inspectors_alone(
    cadre: Phone, new_phone: NewPhone
) -> None:
    async with people.signed_in(faces.desk(), "guangshun") as clerk:
        ref = await clerk.registers(kind="accusation")
    seen = {}
    for account in STAFF:
        phone = await on_phone(new_phone, account)
        seen[account] = (await phone.get(f"/cadre/cases/{ref}")).status_code
    assert {account for account, status in seen.items() if status == 200} == {"jiwei"}
    assert set(seen.values()) == {200, 404}


async def test_switched_post_signs_the_record_of_later_acts(
    new_phone: NewPhone,
) -> None:
    phone = await on_phone(new_phone, "jianzhi")
    told = (await phone.get("/cadre/me")).json()
    first, second = told["post"], next(one for one in told["posts"] if one != told["post"])
    switched = await phone.post("/cadre/post", post_id=second["id"])
    assert (switched.status_code, switched.json()["post"]) == (200, second)
    assert (await phone.get("/cadre/me")).json()["post"] == second
    back = await phone.post("/cadre/post", post_id=first["id"])
    assert back.json()["post"] == first
    ref = (await phone.post("/cadre/cases", **ON_BEHALF | {"village_code": VILLAGE})).json()["ref"]
    [entry] = (await phone.get(f"/cadre/cases/{ref}")).json()["timeline"]
    assert entry["unit"] == first["unit_name"]


async def test_switch_is_refused_to_the_post_of_another_person(new_phone: NewPhone) -> None:
    other = (await (await on_phone(new_phone, "shuiwu")).get("/cadre/me")).json()["post"]
    phone = await on_phone(new_phone, "jianzhi")
    refused = await phone.post("/cadre/post", post_id=other["id"])
    assert refused.status_code == 404
    assert (await phone.get("/cadre/me")).status_code == 200


async def test_switch_is_refused_to_an_administrators_post(new_phone: NewPhone) -> None:
    begin = date(2019, 1, 1)
    account = await employed(
        Held(VILLAGE, Role.VILLAGE_CADRE, since=begin), Held("500153", Role.ADMINISTRATOR)
    )
    phone = await on_phone(new_phone, account)
    told = (await phone.get("/cadre/me")).json()
    other = next(one for one in told["posts"] if one["role"] == "administrator")
    assert (await phone.post("/cadre/post", post_id=other["id"])).status_code == 403
    assert (await phone.get("/cadre/me")).json()["post"] == told["post"]

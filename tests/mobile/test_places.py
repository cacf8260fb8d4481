"""The unit on a poster, for whoever scans it: what is published of it, and where a report that names it goes."""

import pytest
from sqlalchemy import text

from app.db import reading
from tests import faces, people
from tests.mobile.conftest import VILLAGE, NewPhone, Phone
from tests.villages import merged_villages

TOWNSHIP, DEPARTMENT, CENTER, COUNTY = "500153003", "500153D11", "500153ZH", "500153"
_FIRST_UNIT = text("""
SELECT f.code AS first, h.code AS holder FROM grievance g JOIN unit f ON f.id = g.first_unit_id
JOIN unit h ON h.id = g.holder_unit_id WHERE g.ref = :ref
""")


async def test_village_is_shown_with_its_number_and_person_without_sign_in(
    new_phone: NewPhone,
) -> None:
    answer = await (await new_phone()).get(f"/places/{VILLAGE}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=300")
    told = answer.json()
    assert told.pop("public_phone").startswith("+862300")
    assert told == {
        "code": VILLAGE,
        "name": "工农茶叶产业社区",
        "kind": "village",
        "kind_label": "村(社区)",
        "parent": "广顺街道",
        "township": "广顺街道",
        "county": "荣昌区",
        "contact_name": "陈桂芳",
        "hotline": "12345",
        "note": None,
    }


@pytest.mark.parametrize(
    ("code", "kind", "parent", "noted"),
    [
        (TOWNSHIP, "township", "荣昌区", False),
        (DEPARTMENT, "department", "荣昌区", True),
        (CENTER, "command_center", "荣昌区", False),
        (COUNTY, "county", None, True),
    ],
)
async def test_poster_place_is_shown_for_each_kind_of_unit(
    new_phone: NewPhone, code: str, kind: str, parent: str | None, noted: bool
) -> None:
    told = (await (await new_phone()).get(f"/places/{code}")).json()
    assert (told["code"], told["kind"], told["county"]) == (code, kind, "荣昌区")
    assert (told["parent"], told["township"]) == (parent, None)
    assert ((told["note"] or "").startswith("您反映的事由指挥中心受理")) is noted


async def test_report_at_the_poster_of_a_department_goes_to_the_command_center(
    citizen: Phone,
) -> None:
    went = {}
    for code in (VILLAGE, TOWNSHIP, CENTER, DEPARTMENT, COUNTY):
        receipt = await citizen.reports(unit_code=code)
        async with reading() as tx:
            [row] = await tx.all(_FIRST_UNIT, ref=receipt["ref"])
        went[code] = (row["first"], row["holder"])
    assert went == {
        VILLAGE: (VILLAGE, VILLAGE),
        TOWNSHIP: (TOWNSHIP, TOWNSHIP),
        CENTER: (CENTER, CENTER),
        DEPARTMENT: (CENTER, CENTER),
        COUNTY: (CENTER, CENTER),
    }


async def test_report_to_a_unit_that_hears_nobody_is_refused(citizen: Phone) -> None:
    for code in ("500153JW", "500", "999999999999"):
        refused = await citizen.post("/reports", unit_code=code, body="停水三天", kind="help")
        assert (refused.status_code, refused.json()["mistakes"][0]["where"]) == (
            422,
            "body.unit_code",
        )
        assert (await citizen.get(f"/places/{code}")).status_code == 404, code


async def test_poster_of_a_merged_village_shows_the_successor(new_phone: NewPhone) -> None:
    phone = await new_phone()
    old, between, new = await merged_villages(2)
    assert {
        code: (await phone.get(f"/places/{code}")).json()["code"] for code in (old, between, new)
    } == dict.fromkeys((old, between, new), new)
    ended = await merged_villages(1, carried_on=False)
    for code in ended:
        assert (await phone.get(f"/places/{code}")).status_code == 404


async def test_place_shows_what_the_administrator_published(new_phone: NewPhone) -> None:
    [_, code] = await merged_villages(1)
    phone = await new_phone()
    async with people.signed_in(faces.desk(), "admin") as admin:
        path = f"/units/{code}/poster-contact"
        await admin.does(path, public_phone="023-4673 1234", contact_name="李 琴")
        seen = (await phone.get(f"/places/{code}")).json()
        assert (seen["public_phone"], seen["contact_name"]) == ("+862346731234", "李 琴")
        await admin.does(path, public_phone="１２３４５")
        seen = (await phone.get(f"/places/{code}")).json()
    assert (seen["public_phone"], seen["contact_name"]) == ("12345", None)

"""The same report twice, with another key: it is taken in, and the receipt names the open one; nobody else's case is named."""

import secrets
from typing import Any

from app.api.app import create_app
from tests import people
from tests.mobile.conftest import VILLAGE, WATER, NewPhone, Phone

LIGHT = "村口的路灯三天不亮了，老人晚上看不见路。"


def number() -> str:
    return f"137{secrets.randbelow(10**8):08d}"


async def typed(cadre: Phone, name: str, phone: str | None, **different: Any) -> dict[str, Any]:
    told = {"body": WATER, "kind": "help", "person": {"name": name, "phone": phone}} | different
    answer = await cadre.post("/cadre/cases", **told)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def hinted(receipt: dict[str, Any]) -> list[str]:
    return [one["ref"] for one in receipt["similar_open"]]


async def test_report_sent_twice_names_the_open_one(new_citizen: NewPhone) -> None:
    citizen = await new_citizen()
    first = await citizen.reports()
    assert hinted(first) == []
    again = await citizen.reports(body=WATER.replace("，", " "))
    assert again["similar_open"][0] | {"received_at": ""} == {
        "ref": first["ref"], "title": first["title"], "received_at": "",
    }  # fmt: skip
    # The one that was too much is taken back; then nothing is doubled.
    assert (
        await citizen.post(f"/reports/{again['ref']}/withdraw", reason="重复提交")
    ).status_code == 200
    assert hinted(await citizen.reports(body=LIGHT)) == []
    assert hinted(await citizen.reports()) == [first["ref"]]


async def test_report_sent_again_with_its_key_is_the_same_report(new_citizen: NewPhone) -> None:
    citizen = await new_citizen()
    told = {"unit_code": VILLAGE, "body": WATER, "kind": "help"}
    first, again = [(await citizen.post("/reports", key="lost-once", **told)).json() for _ in "ab"]
    assert again == first
    assert again["similar_open"] == []


async def test_similar_report_of_somebody_else_is_not_named(
    new_citizen: NewPhone, cadre: Phone
) -> None:
    neighbour, other = await new_citizen(), await new_citizen()
    await neighbour.reports()
    assert hinted(await other.reports()) == []
    shared = number()
    first = await typed(cadre, "王大爷", shared)
    # The village's phone for everybody: another person tells the same.
    assert hinted(await typed(cadre, "李大姐", shared)) == []
    assert hinted(await typed(cadre, "王大爷", shared)) == [first["ref"]]
    assert hinted(await typed(cadre, "王大爷", None)) == []


async def test_similar_report_to_another_unit_or_sealed_is_not_named(cadre: Phone) -> None:
    phone = number()
    async with people.signed_in(create_app(), "guangshun") as clerk:
        person = {"name": "王大爷", "phone": phone}
        await clerk.does("/cases", title="停水", body=WATER, kind="help", person=person)
        assert hinted(await typed(cadre, "王大爷", phone)) == []
        again = await clerk.does("/cases", title="停水", body=WATER, kind="help", person=person)
        assert len(hinted(again)) == 1
    sealed = number()
    accusation = {"kind": "accusation", "accusation_confirmed": True}
    assert "similar_open" not in await typed(cadre, "王大爷", sealed, **accusation)
    assert hinted(await typed(cadre, "王大爷", sealed)) == []
    assert "similar_open" not in await typed(cadre, "王大爷", sealed, **accusation)


async def test_place_is_taken_from_citizens_as_from_cadres(new_citizen: NewPhone) -> None:
    citizen = await new_citizen()
    ref = (await citizen.reports(place="13至17栋"))["ref"]
    async with people.signed_in(create_app(), "gongnong") as cadre:
        assert (await cadre.sees(f"/cases/{ref}"))["place"] == "13至17栋"

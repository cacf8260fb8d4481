"""A case shows the name that was given with it, and no other case's: an accusation must not lend its reporter's name."""

from typing import Any

import pytest

from tests.api.conftest import Who
from tests.api.test_statements import counted
from tests.api.test_visibility import outsider
from tests.conftest import Staff
from tests.people import Person
from tests.surveys.conftest import Village, new_phone, village
from tests.surveys.test_numbers import reported_by_phone
from tests.surveys.test_surveys import reply
from tests.surveys.test_unread_replies import unclear

__all__ = ["outsider", "village"]

ACCUSED = "500153003007"


def person(name: str, phone: str) -> dict[str, str]:
    return {"name": name, "phone": phone.removeprefix("+86")}


async def reporter_of(reader: Person, ref: str) -> Any:
    return (await reader.sees(f"/cases/{ref}"))["reporter"]


async def accuse(who: Who, name: str, phone: str) -> str:
    """Somebody tells another township's clerk about the village."""
    told = {"title": "检举社区主任", "accused_code": ACCUSED, "person": person(name, phone)}
    return await (await who("ronglong")).registers(kind="accusation", **told)


async def test_case_shows_name_given_with_it_after_accusation_from_that_number(
    who: Who,
) -> None:
    phone, cadre = new_phone(), await who("gongnong")
    await accuse(who, "赵秘密", phone)
    ref = await cadre.registers(person=person("赵大姐", phone))
    assert await reporter_of(cadre, ref) == {"name": "赵大姐", "phone": phone}


async def test_false_name_typed_first_does_not_stick_to_a_number(who: Who) -> None:
    phone, cadre, clerk = new_phone(), await who("gongnong"), await who("ronglong")
    first = await clerk.registers(person=person("张冠李戴", phone))
    second = await cadre.registers(person=person("赵大姐", phone))
    assert (await reporter_of(clerk, first))["name"] == "张冠李戴"
    assert (await reporter_of(cadre, second))["name"] == "赵大姐"


@pytest.mark.parametrize("outsider", ["county"], indirect=True)
async def test_case_of_another_county_lends_no_name(who: Who, outsider: Person) -> None:
    phone, cadre = new_phone(), await who("gongnong")
    await outsider.registers(person=person("赵秘密", phone))
    ours = await cadre.registers(person=person("赵大姐", phone))
    assert (await reporter_of(cadre, ours))["name"] == "赵大姐"


async def test_report_of_a_citizen_shows_no_name_that_staff_typed_elsewhere(
    who: Who, village: Village, staff: Staff
) -> None:
    phone = new_phone()
    told = await reported_by_phone(phone, staff, village)
    await accuse(who, "赵秘密", phone)
    assert await reporter_of(await who("gongnong"), told.ref) == {"name": None, "phone": phone}


async def test_reply_being_read_shows_the_name_of_the_case_it_is_about(
    who: Who, village: Village
) -> None:
    phone = new_phone()
    await (await who("ronglong")).registers(person=person("张冠李戴", phone))
    await village.asked(phone)
    shown = await (await who("zhihui")).sees(await unclear(phone, "啥子意思哦"))
    assert shown["name"] == "李大姐"


async def test_reply_about_no_case_shows_no_name(who: Who) -> None:
    phone = new_phone()
    await (await who("ronglong")).registers(person=person("张冠李戴", phone))
    shown = await (await who("zhihui")).sees(await unclear(phone, "啥子意思哦"))
    assert (shown["about"], shown["name"]) == (None, None)


async def test_evaluation_looked_at_shows_the_name_given_with_the_case(
    who: Who, village: Village
) -> None:
    phone = new_phone()
    await accuse(who, "赵秘密", phone)
    asked = await village.asked(phone)
    await reply(phone, "满意")
    shown = await (await who("ducha")).does("/answers/looks", ref=asked.ref, reason="抽查核实")
    assert shown["name"] == "李大姐"


async def test_return_call_to_a_citizen_shows_no_name_that_staff_typed_elsewhere(
    who: Who, village: Village, staff: Staff
) -> None:
    phone, center = new_phone(), await who("zhihui")
    citizen = await reported_by_phone(phone, staff, village)
    await accuse(who, "赵秘密", phone)
    await reply(phone, "不满意")
    page = await center.sees("/return-calls", size=100)
    [call] = [one["id"] for one in page["items"] if one["ref"] == citizen.ref]
    assert (await center.sees(f"/return-calls/{call}"))["name"] is None


@pytest.mark.parametrize("known_by", ["nothing", "a case", "an accusation"])
async def test_registering_tells_nothing_of_whether_a_number_is_known(
    who: Who, known_by: str
) -> None:
    phone, cadre = new_phone(), await who("gongnong")
    if known_by == "a case":
        await (await who("ronglong")).registers(person=person("赵大姐", phone))
    elif known_by == "an accusation":
        await accuse(who, "赵秘密", phone)
    with counted() as sent:
        told = await cadre.does(
            "/cases", title="路灯不亮", body="三天了", kind="help", person=person("李四", phone)
        )
    assert (told["notice"], told["evaluation_by"], told["textable"]) == (None, "text", True)
    assert len(sent) == 3, "the same statements, whatever is known"

"""What staff learn of a number before they register somebody with it: as much as the receipt tells, and nothing is kept."""

import secrets
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from app.api.app import create_app
from app.db import reading
from app.settings import settings
from tests import people
from tests.api.test_statements import counted
from tests.mobile.conftest import NewPhone, Phone
from tests.mobile.test_cadre import ON_BEHALF
from tests.mobile.test_staff_on_phones import on_phone

LOOK = "/cadre/cases/number"
Allow = Callable[..., None]


def a_number() -> str:
    return f"139{secrets.randbelow(10**8):08d}"


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Allow]:
    def change(**allowed: str) -> None:
        for name, value in allowed.items():
            monkeypatch.setenv(name.upper(), value)
        settings.cache_clear()

    yield change
    monkeypatch.undo()
    settings.cache_clear()


async def test_number_of_ones_own_is_texted(cadre: Phone) -> None:
    told = (await cadre.post(LOOK, name="王大爷", phone=a_number())).json()
    assert told == {"asked_by": "text", "notice": None}


async def test_number_of_a_unit_is_told_before_registering(cadre: Phone) -> None:
    number = a_number()
    async with people.signed_in(create_app(), "admin") as administrator:
        await administrator.does("/official-numbers", phone=number, unit_code="500153003007")
    told = (await cadre.post(LOOK, name="王大爷", phone=number)).json()
    assert told["asked_by"] == "return_call"
    assert "单位或工作人员" in told["notice"]


async def test_number_of_many_names_is_told_as_the_receipt_tells_it(cadre: Phone) -> None:
    number = a_number()
    notices = []
    for name in ("张三", "李四", "王五", "赵六", "钱七", "孙八"):
        looked = (await cadre.post(LOOK, name=name, phone=number)).json()["notice"]
        person = {"name": name, "phone": number}
        receipt = (await cadre.post("/cadre/cases", **ON_BEHALF | {"person": person})).json()
        assert looked == receipt["notice"]
        notices.append(looked)
    assert notices[0] is None
    assert "登记过多人" in notices[-1]
    assert "张三" not in notices[-1]


async def test_names_with_accusations_are_not_counted(cadre: Phone) -> None:
    number = a_number()
    for name in ("张三", "李四", "王五", "赵六", "钱七", "孙八"):
        told = ON_BEHALF | {
            "person": {"name": name, "phone": number},
            "kind": "accusation",
            "accusation_confirmed": True,
        }
        assert (await cadre.post("/cadre/cases", **told)).status_code == 201
    assert (await cadre.post(LOOK, name="吴九", phone=number)).json()["notice"] is None


async def test_landline_is_told_to_reach_nobody_by_text(cadre: Phone) -> None:
    told = (await cadre.post(LOOK, name="王大爷", phone="023-46732000")).json()
    assert told["asked_by"] == "return_call"
    assert "当面或打电话" in told["notice"]


async def test_posts_that_take_nothing_in_learn_of_no_number(new_phone: NewPhone) -> None:
    department = await on_phone(new_phone, "shuiwu")
    refused = await department.post(LOOK, name="王大爷", phone=a_number())
    assert refused.status_code == 403


async def test_numbers_cannot_be_tried_out_without_end(cadre: Phone, allow: Allow) -> None:
    allow(numbers_of_staff="1/h 100000/d")
    await cadre.post(LOOK, name="王大爷", phone=a_number())
    refused = await cadre.post(LOOK, name="王大爷", phone=a_number())
    assert (refused.status_code, "登记不受影响" in refused.json()["detail"]) == (429, True)
    registered = await cadre.post("/cadre/cases", **ON_BEHALF)
    assert registered.status_code == 201


async def test_look_costs_two_statements_and_keeps_nothing(cadre: Phone) -> None:
    key = secrets.token_hex(8)
    with counted() as sent:
        answer = await cadre.post(LOOK, key=key, name="王大爷", phone=a_number())
    assert answer.status_code == 200
    assert len(sent) <= 2, sent
    async with reading() as tx:
        kept = text("SELECT count(*) FROM given_answer WHERE key = :key")
        assert await tx.scalar(kept, key=key) == 0

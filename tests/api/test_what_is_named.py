"""Conditions of what a request names: the action is offered, and refused in words for this unit or that case."""

from tests.api.about_time import led_by_the_township, refused
from tests.api.conftest import Who
from tests.people import Person

LEAD, ASSISTANT = "500153100", "500153D11"


async def offered(person: Person, ref: str) -> list[str]:
    actions: list[str] = (await person.sees(f"/cases/{ref}"))["actions"]
    return actions


async def test_settle_is_refused_for_a_unit_that_did_not_ask(who: Who) -> None:
    ref = await led_by_the_township(who)
    await (await who("shuiwu")).does(f"/cases/{ref}/hand-back", reason="不属本单位职责")
    center = await who("zhihui")
    assert "settle" in await offered(center, ref)
    told = await refused(center, ref, "settle", unit_code=LEAD)
    assert told == "不能裁定：该单位没有待裁定的退回申请。"
    settled = {"unit_code": ASSISTANT, "agreed": True, "reason": "核查权属"}
    assert (await center.does(f"/cases/{ref}/settle", **settled))["phase"] == "handling"


async def test_settle_agreed_with_the_lead_makes_the_case_pending(who: Who) -> None:
    ref = await led_by_the_township(who, signed=False)
    await (await who("ronglong")).does(f"/cases/{ref}/hand-back", reason="不在本镇")
    settled = {"unit_code": LEAD, "agreed": True, "reason": "核查权属"}
    case = await (await who("zhihui")).does(f"/cases/{ref}/settle", **settled)
    assert (case["phase"], case["stage"]) == ("pending", "judge")
    assert "dispatch" in case["actions"]


async def test_excuse_is_refused_for_the_lead(who: Who) -> None:
    ref = await led_by_the_township(who)
    center = await who("zhihui")
    assert "excuse" in await offered(center, ref)
    told = await refused(center, ref, "excuse", unit_code=LEAD)
    assert told == "不能免予协办：该单位不是尚未答复的协办单位。"


async def test_merge_is_refused_into_a_case_that_is_over(who: Who) -> None:
    ref, over = await led_by_the_township(who), await led_by_the_township(who)
    await (await who("gongnong")).does(f"/cases/{over}/withdraw", reason="已自行解决")
    center = await who("zhihui")
    assert "merge" in await offered(center, ref)
    told = await refused(center, ref, "merge", primary_ref=over)
    assert told == "不能并案：只能并入一件待研判或办理中的事件。"

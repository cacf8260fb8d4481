"""Confidential reports (保密): those who handle the case see it, but not who reported it."""

from typing import Any

from tests import faces, people
from tests.mobile.conftest import Phone
from tests.mobile.test_cadre import ON_BEHALF

SEEN_BY = ("gongnong", "guangshun", "zhihui", "ronglong", "ronglong_head", "shuiwu", "lingdao")


async def reporters(ref: str) -> dict[str, Any]:
    """What each member of staff learns of the person."""
    told = {}
    for account in SEEN_BY:
        async with people.signed_in(faces.desk(), account) as somebody:
            case = await somebody.sees(f"/cases/{ref}")
            told[account] = None if case["reporter"] is None else case["reporter"]["phone"]
    return told


async def dispatched(ref: str, cadre: Phone) -> None:
    await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
    async with people.signed_in(faces.desk(), "guangshun") as clerk:
        await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    async with people.signed_in(faces.desk(), "zhihui") as center:
        parts = {"lead": {"unit_code": "500153100"}, "assistants": [{"unit_code": "500153D11"}]}
        await center.does(f"/cases/{ref}/dispatch", **parts)


async def test_person_of_a_confidential_case_is_known_to_first_unit_and_center_alone(
    cadre: Phone,
) -> None:
    number = "+8613983001234"
    open_ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF, confidential=True)).json()["ref"]
    for one in (open_ref, ref):
        await dispatched(one, cadre)
    handling = dict.fromkeys(("ronglong", "ronglong_head", "shuiwu"), number)
    first = {"gongnong": number, "zhihui": number, "guangshun": None, "lingdao": None}
    assert await reporters(open_ref) == first | handling
    assert await reporters(ref) == first | dict.fromkeys(handling)
    async with people.signed_in(faces.desk(), "ronglong") as lead:
        case = await lead.get(f"/cases/{ref}")
    assert case.json()["confidential"] is True
    for word in ("13983001234", "王大爷"):
        assert word not in case.text


async def test_holder_of_a_confidential_case_does_not_learn_the_person_before_dispatch(
    citizen: Phone, cadre: Phone
) -> None:
    ref = (await citizen.reports(confidential=True))["ref"]
    own = (await citizen.get(f"/reports/{ref}")).json()
    assert own["confidential"] is True
    seen = (await cadre.get(f"/cadre/cases/{ref}")).json()
    assert (seen["confidential"], seen["reporter"]["phone"][:4]) == (True, "+861")
    await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
    async with people.signed_in(faces.desk(), "guangshun") as clerk:
        judged = await clerk.sees(f"/cases/{ref}")
    assert (judged["confidential"], judged["reporter"]) == (True, None)
    plain = (await citizen.reports())["ref"]
    assert (await citizen.get(f"/reports/{plain}")).json()["confidential"] is False


async def test_desk_registers_confidentially(cadre: Phone) -> None:
    async with people.signed_in(faces.desk(), "guangshun") as clerk:
        ref = await clerk.registers(confidential=True)
        case = await clerk.sees(f"/cases/{ref}")
        assert (case["confidential"], case["reporter"]["name"]) == (True, "王大爷")
        await clerk.does(f"/cases/{ref}/send-down", to_code="500153003007", reason="请就地办理")
    below = (await cadre.get(f"/cadre/cases/{ref}")).json()
    assert (below["holder"][:4], below["reporter"]) == ("工农茶叶", None)


async def test_accusation_stays_with_its_inspectors_who_learn_of_the_person(
    citizen: Phone,
) -> None:
    ref = (await citizen.reports(kind="accusation", confidential=True))["ref"]
    async with people.signed_in(faces.desk(), "jiwei") as inspector:
        case = await inspector.sees(f"/cases/{ref}")
    assert (case["sealed"], case["confidential"]) == (True, False)
    assert case["reporter"]["phone"].startswith("+861")

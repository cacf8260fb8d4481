"""On the phones the same rules hold for an accusation that a cadre types, and the reporter still gets the code."""

from typing import Any

import pytest

from tests.mobile.conftest import WATER, Phone

VILLAGE, ELSEWHERE = "500153003007", "500153100"


def accusation(**different: Any) -> dict[str, Any]:
    return {
        "body": WATER,
        "kind": "accusation",
        "person": {"name": "赵秘密", "phone": "13800000999"},
        "accusation_confirmed": True,
        **different,
    }


async def test_cadre_gets_neither_reference_nor_code_of_an_accusation(cadre: Phone) -> None:
    taken = await cadre.post("/cadre/cases", key="typed-m", **accusation(accused_code=ELSEWHERE))
    again = await cadre.post("/cadre/cases", key="typed-m", **accusation(accused_code=ELSEWHERE))
    assert (taken.status_code, again.content) == (201, taken.content)
    assert set(taken.json()) == {"title", "told"}


@pytest.mark.parametrize(
    ("different", "status", "kind"),
    [
        ({"accusation_confirmed": False}, 409, "accusation-unconfirmed"),
        ({"accused_code": VILLAGE}, 403, "accusation-of-own-line"),
        ({"kind": "help", "accused_code": ELSEWHERE}, 422, "invalid-input"),
    ],
)
async def test_cadre_is_refused_on_the_phone_as_at_the_desk(
    cadre: Phone, different: dict[str, Any], status: int, kind: str
) -> None:
    refused = await cadre.post("/cadre/cases", **accusation(**different))
    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{kind}")


async def test_citizen_accuses_the_unit_of_the_poster_and_keeps_the_code(citizen: Phone) -> None:
    receipt = await citizen.reports(kind="accusation", accused_code=VILLAGE)
    followed = await citizen.post(
        "/track", key=None, ref=receipt["ref"], code=receipt["tracking_code"]
    )
    assert (followed.status_code, followed.json()["ref"]) == (200, receipt["ref"])

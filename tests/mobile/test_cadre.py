"""Village cadres on the village phone."""

from typing import Any

import pytest
from sqlalchemy import text

from app.db import reading
from qungong.sample import PASSWORD
from tests.mobile.conftest import NewPhone, Phone, a_picture

ON_BEHALF: dict[str, Any] = {
    "person": {"name": "王大爷", "phone": "13983001234"},
    "body": "13至17栋停水三天。老人提水困难。",
    "kind": "help",
    "place": "13至17栋",
}


async def test_a_cadre_registers_for_somebody_handles_it_and_answers(cadre: Phone) -> None:
    photo = await cadre.sends(a_picture())
    draft = {**ON_BEHALF, "photos": [photo], "occurred_at": "2026-01-02T03:04:05+08:00"}
    first = await cadre.post("/cadre/cases", key="draft-7", **draft)
    again = await cadre.post("/cadre/cases", key="draft-7", **draft)
    assert (first.status_code, first.content) == (201, again.content)
    ref = first.json()["ref"]
    assert ref in (await cadre.get("/cadre/cases", view="to_judge")).text
    case = (await cadre.get(f"/cadre/cases/{ref}")).json()
    assert case["title"] == "13至17栋停水三天"
    assert case["reporter"] == {"name": "王大爷", "phone": "+8613983001234"}
    assert case["photos"] == [photo]
    assert case["timeline"][0]["data"]["photos"] == [photo]
    seen = await cadre.get(f"/cadre/cases/{ref}/photos/{photo}")
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    async with reading() as tx:
        at = await tx.scalar(text("SELECT occurred_at FROM grievance WHERE ref = :ref"), ref=ref)
    assert at.isoformat() == "2026-01-01T19:04:05+00:00"

    assert (await cadre.post(f"/cadre/cases/{ref}/handle")).json()["phase"] == "handling"
    told = await cadre.post(f"/cadre/cases/{ref}/progress", report="在修", tell_reporter=True)
    assert told.status_code == 200
    answered = await cadre.post(
        f"/cadre/cases/{ref}/answer", outcome="solved", answer="修好了，有水了"
    )
    assert answered.json()["phase"] == "answered"
    assert ref in (await cadre.get("/cadre/cases", view="finished")).text


async def test_a_clock_that_runs_ahead_does_not_keep_a_draft_from_arriving(cadre: Phone) -> None:
    answer = await cadre.post("/cadre/cases", **ON_BEHALF, occurred_at="2099-01-01T00:00:00+08:00")
    assert answer.status_code == 201
    async with reading() as tx:
        early = await tx.scalar(
            text("SELECT occurred_at <= received_at FROM grievance WHERE ref = :ref"),
            ref=answer.json()["ref"],
        )
    assert early is True


async def test_a_cadre_escalates_with_a_finding_and_still_sees_the_case(cadre: Phone) -> None:
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    assert (await cadre.post(f"/cadre/cases/{ref}/escalate")).status_code == 422
    up = await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
    assert (up.status_code, up.json()["holder"]) == (200, "广顺街道")
    assert (await cadre.post(f"/cadre/cases/{ref}/handle")).status_code == 409
    assert (await cadre.get(f"/cadre/cases/{ref}")).json()["holder"] == "广顺街道"


@pytest.mark.parametrize("path", ["", "/500153-200101-00000000/handle"])
async def test_every_change_needs_a_key(cadre: Phone, path: str) -> None:
    refused = await cadre.post(f"/cadre/cases{path}", key=None, **ON_BEHALF)
    assert (refused.status_code, refused.json()["type"]) == (
        400,
        "/problems/idempotency-key-required",
    )


async def test_other_posts_and_citizens_are_kept_out(new_phone: NewPhone, citizen: Phone) -> None:
    clerk = await new_phone()
    signed_in = await clerk.post("/cadre/sign-in", key=None, account="guangshun", password=PASSWORD)
    refused = await clerk.get("/cadre/cases")
    assert (signed_in.status_code, refused.status_code) == (201, 403)
    assert (await citizen.get("/cadre/cases")).status_code == 401

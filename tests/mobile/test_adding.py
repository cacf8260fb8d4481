"""A resident adds words and photos to an open case at any time (补充说明): no clock is touched, the holder sees it."""

from typing import Any

from tests import faces, people
from tests.mobile.conftest import Phone, a_picture
from tests.mobile.test_cadre import ON_BEHALF


async def limits(cadre: Phone, ref: str) -> list[dict[str, Any]]:
    clocks: list[dict[str, Any]] = (await cadre.get(f"/cadre/cases/{ref}")).json()["clocks"]
    return clocks


async def item(phone: Phone, view: str, ref: str) -> dict[str, Any]:
    asked = {"view": view, "size": "100"}
    while True:
        page = (await phone.get("/cadre/cases", **asked)).json()
        found = [one for one in page["items"] if one["ref"] == ref]
        if found:
            return dict(found[0])
        assert page["next"] is not None, f"{ref} is not among {view}"
        asked["cursor"] = page["next"]


async def test_reporter_adds_words_and_photos_and_the_holder_has_news(
    citizen: Phone, cadre: Phone
) -> None:
    ref = (await citizen.reports())["ref"]
    assert "add" in (await citizen.get(f"/reports/{ref}")).json()["actions"]
    await cadre.post(f"/cadre/cases/{ref}/handle")
    before = await limits(cadre, ref)
    photo = await citizen.sends(a_picture())
    added = await citizen.post(f"/reports/{ref}/add", addition="12栋也没有水", photos=[photo])
    assert (added.status_code, added.json()["phase"]) == (200, "handling")
    assert await limits(cadre, ref) == before
    case = (await cadre.get(f"/cadre/cases/{ref}")).json()
    entry = case["timeline"][-1]
    assert (entry["action"], entry["texts"], entry["photos"], entry["public"]) == (
        "add",
        {"addition": "12栋也没有水"},
        [photo],
        True,
    )
    assert (await cadre.get(f"/cadre/cases/{ref}/photos/{photo}")).status_code == 200
    listed = await item(cadre, "handling", ref)
    assert [(one["what"], one["by"]) for one in listed["news"]] == [("added", "reporter")]
    step = (await citizen.get(f"/reports/{ref}")).json()["timeline"][-1]
    assert (step["label"], step["texts"], step["photos"]) == (
        "您补充了说明",
        {"addition": "12栋也没有水"},
        [photo],
    )
    await cadre.post(f"/cadre/cases/{ref}/progress", report="一并检修")
    assert (await item(cadre, "handling", ref))["news"] == []


async def test_added_photo_needs_no_word_but_nothing_is_refused(citizen: Phone) -> None:
    ref = (await citizen.reports())["ref"]
    nothing = await citizen.post(f"/reports/{ref}/add", addition=" ")
    assert nothing.json()["mistakes"] == [
        {"where": "body.addition", "what": "请写一句话，或者附上照片"}
    ]
    photo = await citizen.sends(a_picture())
    assert (await citizen.post(f"/reports/{ref}/add", photos=[photo])).status_code == 200


async def test_adding_is_refused_while_supplement_is_outstanding_and_once_answered(
    citizen: Phone, cadre: Phone
) -> None:
    ref = (await citizen.reports())["ref"]
    await cadre.post(f"/cadre/cases/{ref}/request-supplement", missing="请补充房号")
    waiting = await citizen.post(f"/reports/{ref}/add", addition="13栋2单元")
    assert (waiting.status_code, "补充材料" in waiting.json()["detail"]) == (409, True)
    assert "supply" in waiting.json()["allowed"]
    await citizen.post(f"/reports/{ref}/supply", supplement="13栋2单元")
    assert (await citizen.post(f"/reports/{ref}/add", addition="还有12栋")).status_code == 200
    await cadre.post(f"/cadre/cases/{ref}/handle")
    await cadre.post(f"/cadre/cases/{ref}/answer", outcome="solved", answer="修好了")
    late = await citizen.post(f"/reports/{ref}/add", addition="又停了")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/action-not-allowed")


async def test_cadre_adds_for_the_resident_and_is_no_news_to_the_own_village(
    cadre: Phone, citizen: Phone
) -> None:
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    own = await cadre.post(f"/cadre/cases/{ref}/add", addition="老人又来说，夜里也停")
    assert own.status_code == 200, own.text
    assert (await item(cadre, "to_judge", ref))["news"] == []
    await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
    await cadre.post(f"/cadre/cases/{ref}/add", addition="已经第四天")
    async with people.signed_in(faces.desk(), "guangshun") as clerk:
        listed = await clerk.items("to_judge")
        assert [one["what"] for one in listed[ref]["news"]] == ["given", "added"]
        refused = await clerk.post(f"/cases/{ref}/add", {"addition": "冒充"})
    assert refused.status_code == 409
    assert (await citizen.post(f"/reports/{ref}/add", addition="别人的事")).status_code == 404


async def test_addition_of_one_reporter_is_not_told_to_another_of_a_merged_case(
    citizen: Phone, cadre: Phone
) -> None:
    """Here the village adds it for the resident whose case it entered."""
    joined = (await citizen.reports())["ref"]
    primary = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    for ref in (primary, joined):
        await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
        async with people.signed_in(faces.desk(), "guangshun") as clerk:
            await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    async with people.signed_in(faces.desk(), "zhihui") as center:
        await center.does(f"/cases/{joined}/merge", primary_ref=primary, reason="同一次停水")
    photo = await cadre.sends(a_picture())
    added = await cadre.post(
        f"/cadre/cases/{primary}/add", addition="王大爷家有病人", photos=[photo]
    )
    assert added.status_code == 200, added.text
    told = await citizen.get(f"/reports/{joined}")
    assert told.json()["merged"] is True
    assert "有病人" not in told.text
    assert photo not in told.text
    for named in (joined, primary):
        assert (await citizen.get(f"/reports/{named}/photos/{photo}")).status_code == 404

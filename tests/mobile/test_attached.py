"""Photos with actions and a place on the map: whoever sees the entry sees them, and nobody else."""

from typing import Any

import pytest

from tests import faces, people
from tests.mobile.conftest import VILLAGE, WATER, NewPhone, Phone, a_picture
from tests.mobile.test_cadre import ON_BEHALF
from tests.mobile.test_staff_on_phones import on_phone

POSITION = {"latitude": 29.4046, "longitude": 105.5943, "accuracy_m": 25, "datum": "wgs84"}


async def pictures(phone: Phone, number: int = 2) -> list[str]:
    return [await phone.sends(a_picture(60 + one, 40)) for one in range(number)]


async def opened(phone: Phone, path: str, photos: list[str]) -> set[int]:
    return {(await phone.get(f"{path}/photos/{one}")).status_code for one in photos}


async def of_entries(phone: Phone, path: str) -> dict[str, list[str]]:
    told: dict[str, Any] = (await phone.get(path)).json()
    return {one["action"]: one["photos"] for one in told["timeline"] if one["photos"]}


async def test_photos_of_progress_and_answer_are_seen_by_the_reporter(
    citizen: Phone, cadre: Phone
) -> None:
    told, secret, found = await pictures(cadre), await pictures(cadre), await pictures(cadre)
    ref = (await citizen.reports())["ref"]
    case, own = f"/cadre/cases/{ref}", f"/reports/{ref}"
    await cadre.post(f"{case}/handle")
    for report, photos, shown in (("在修", told, True), ("内部", secret, False)):
        done = await cadre.post(
            f"{case}/progress", report=report, tell_reporter=shown, photos=photos
        )
        assert done.status_code == 200, done.text
    before_and_after = list(reversed(found))
    answered = await cadre.post(
        f"{case}/answer", outcome="solved", answer="修好了", photos=before_and_after
    )
    assert answered.status_code == 200, answered.text
    assert await of_entries(citizen, own) == {"progress": told, "answer": before_and_after}
    assert await opened(citizen, own, told + found) == {200}
    assert await opened(citizen, own, secret) == {404}
    assert await opened(cadre, case, told + secret + found) == {200}
    staff = (await cadre.get(case)).json()["timeline"]
    assert [one["photos"] for one in staff if one["action"] == "progress"] == [told, secret]
    again = await cadre.post(f"{case}/progress", report="再用", photos=told)
    assert again.status_code in {409, 422}


async def test_photos_of_an_assistant_are_not_the_reporters(
    citizen: Phone, cadre: Phone, new_phone: NewPhone
) -> None:
    ref = (await citizen.reports())["ref"]
    case = f"/cadre/cases/{ref}"
    await cadre.post(f"{case}/escalate", finding="没有维修能力")
    async with people.signed_in(faces.desk(), "guangshun") as clerk:
        await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    async with people.signed_in(faces.desk(), "zhihui") as center:
        parts = {"lead": {"unit_code": "500153100"}, "assistants": [{"unit_code": VILLAGE}]}
        await center.does(f"/cases/{ref}/dispatch", **parts)
    await cadre.post(f"{case}/sign")
    photos = await pictures(cadre)
    done = await cadre.post(f"{case}/assist-answer", answer="已逐户检查", photos=photos)
    assert done.status_code == 200, done.text
    lead = await on_phone(new_phone, "ronglong")
    assert (await of_entries(lead, case))["assist_answer"] == photos
    assert await opened(lead, case, photos) == {200}
    assert await opened(citizen, f"/reports/{ref}", photos) == {404}
    assert await of_entries(citizen, f"/reports/{ref}") == {}
    assert await opened(await on_phone(new_phone, "jianzhi"), case, photos) == {404}


async def test_photos_of_a_supplement_are_seen_with_it(citizen: Phone, cadre: Phone) -> None:
    ref = (await citizen.reports())["ref"]
    await cadre.post(f"/cadre/cases/{ref}/request-supplement", missing="请补充照片")
    photos, others = await pictures(citizen), await pictures(cadre)
    taken = await citizen.post(f"/reports/{ref}/supply", supplement="见照片", photos=others)
    assert (taken.status_code, taken.json()["mistakes"][0]["where"]) == (422, "body.photos")
    done = await citizen.post(f"/reports/{ref}/supply", supplement="见照片", photos=photos)
    assert done.status_code == 200, done.text
    assert (await of_entries(citizen, f"/reports/{ref}"))["supply"] == photos
    assert await opened(cadre, f"/cadre/cases/{ref}", photos) == {200}


async def test_result_photos_are_seen_by_the_reporter_of_a_merged_case(
    citizen: Phone, new_citizen: NewPhone, cadre: Phone
) -> None:
    """What the other reporter sent in stays theirs."""
    other = await new_citizen()
    theirs = await pictures(other, 1)
    primary, joined = (await other.reports(photos=theirs))["ref"], (await citizen.reports())["ref"]
    for ref in (primary, joined):
        await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
        async with people.signed_in(faces.desk(), "guangshun") as clerk:
            await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    async with people.signed_in(faces.desk(), "zhihui") as center:
        await center.does(f"/cases/{joined}/merge", primary_ref=primary, reason="同一次停水")
        await center.does(f"/cases/{primary}/dispatch", lead={"unit_code": VILLAGE})
    await cadre.post(f"/cadre/cases/{primary}/sign")
    found = await pictures(cadre)
    await cadre.post(
        f"/cadre/cases/{primary}/answer", outcome="solved", answer="修好了", photos=found
    )
    assert (await of_entries(citizen, f"/reports/{joined}"))["answer"] == found
    for named in (joined, primary):
        assert await opened(citizen, f"/reports/{named}", found) == {200}
        assert await opened(citizen, f"/reports/{named}", theirs) == {404}


async def test_nine_photos_are_the_most_that_an_action_takes(cadre: Phone) -> None:
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    await cadre.post(f"/cadre/cases/{ref}/handle")
    many = [f"0197f000-0000-7000-8000-{number:012d}" for number in range(10)]
    refused = await cadre.post(f"/cadre/cases/{ref}/progress", report="在修", photos=many)
    assert (refused.status_code, refused.json()["mistakes"][0]["where"]) == (422, "body.photos")
    unknown = await cadre.post(f"/cadre/cases/{ref}/progress", report="在修", photos=many[:9])
    assert unknown.status_code == 422
    assert len((await cadre.get(f"/cadre/cases/{ref}")).json()["timeline"]) == 2


async def test_position_is_told_to_those_on_the_case_and_never_by_its_code(
    citizen: Phone, cadre: Phone, new_phone: NewPhone
) -> None:
    receipt = await citizen.reports(position=POSITION)
    ref = receipt["ref"]
    assert (await citizen.get(f"/reports/{ref}")).json()["position"] == POSITION
    case = await cadre.get(f"/cadre/cases/{ref}")
    assert case.json()["position"] == POSITION
    assert case.json()["timeline"][0]["texts"].keys() == {"title", "body"}
    tracked = await (await new_phone()).post(
        "/track", key=None, ref=ref, code=receipt["tracking_code"]
    )
    assert tracked.status_code == 200
    assert "29.4046" not in tracked.text
    assert "position" not in tracked.text
    without = (await citizen.reports())["ref"]
    assert (await citizen.get(f"/reports/{without}")).json()["position"] is None


async def test_desk_registers_with_photos_and_position(new_phone: NewPhone) -> None:
    phone = await on_phone(new_phone, "guangshun")
    photos = await pictures(phone)
    async with people.signed_in(faces.desk(), "guangshun") as desk:
        ref = await desk.registers(photos=photos, position=POSITION, body="")
        case = await desk.sees(f"/cases/{ref}")
    assert (case["photos"], case["position"], case["body"]) == (photos, POSITION, "")


@pytest.mark.parametrize(
    ("different", "where"),
    [
        ({"latitude": 91}, "body.position.latitude"),
        ({"longitude": -200}, "body.position.longitude"),
        ({"accuracy_m": -1}, "body.position.accuracy_m"),
        ({"latitude": "29.4"}, "body.position.latitude"),
        ({"latitude": True}, "body.position.latitude"),
        ({"datum": "bd09"}, "body.position.datum"),
        ({"latitude": 48.85, "longitude": 2.35}, "body.position"),
        ({"latitude": 0, "longitude": 0}, "body.position"),
    ],
)
async def test_impossible_position_is_refused(
    citizen: Phone, different: dict[str, Any], where: str
) -> None:
    refused = await citizen.post(
        "/reports", unit_code=VILLAGE, body=WATER, position=POSITION | different
    )
    assert (refused.status_code, refused.json()["mistakes"][0]["where"]) == (422, where)
    if where == "body.position":
        assert "不在国内" in refused.json()["mistakes"][0]["what"]

"""A village's cards on the phone: in red when the cadre signs in or opens the page, in lists, in full, and appealed against."""

from datetime import UTC, datetime, timedelta
from typing import Any

from qungong.dev.sample import PASSWORD
from tests.cards import at, cards_of, reminded, swept
from tests.mobile.conftest import VILLAGE, NewPhone, Phone

# A Tuesday: 2 working days end on Thursday, the card comes on Friday the 19th of September 2025.
SEPTEMBER = datetime(2025, 9, 16, 2, tzinfo=UTC)
GROUND = "当天停电，无法登录。"


async def carded(citizen: Phone) -> tuple[str, str, datetime]:
    """A case that the village did not judge in time: its reference, its card, and when that was issued."""
    with at(SEPTEMBER):
        ref = (await citizen.reports())["ref"]
    issued = await swept(ref)
    (card,) = await cards_of(ref)
    return ref, card, issued


async def told(phone: Phone, path: str, **query: str) -> Any:
    answer = await phone.get(path, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_cadre_who_signs_in_or_opens_the_page_is_shown_the_villages_cards(
    citizen: Phone, new_phone: NewPhone
) -> None:
    # The newest of the village's: at most twenty are shown.
    ref = (await citizen.reports())["ref"]
    issued = await swept(ref)
    (card,) = await cards_of(ref)
    phone = await new_phone()
    with at(issued):
        signed_in = await phone.post("/cadre/sign-in", account="gongnong", password=PASSWORD)
        again = await told(phone, "/cadre/me")
    assert signed_in.status_code == 201, signed_in.text
    for shown in (signed_in.json(), again):
        assert card in {one["id"] for one in shown["cards"]}
        assert (shown["name"], shown["post"]["unit_code"]) == ("陈桂芳", VILLAGE)


async def test_cadre_lists_the_villages_cards_and_reads_one(citizen: Phone, cadre: Phone) -> None:
    ref, card, _ = await carded(citizen)
    september = {"from": "2025-09-01", "to": "2025-09-30"}
    for whose in ("unit", "me"):
        page = await told(cadre, "/cadre/cards", whose=whose, level="yellow", size="1", **september)
        found = page["items"]
        while page["next"] is not None:
            page = await told(
                cadre, "/cadre/cards", whose=whose, size="100", cursor=page["next"], **september
            )
            found += page["items"]
        assert card in {one["id"] for one in found}, whose
    assert (await told(cadre, "/cadre/cards", level="red", **september))["items"] == []
    one = await told(cadre, f"/cadre/cards/{card}")
    assert (one["ref"], one["stage_label"], one["person"]) == (ref, "研判", "陈桂芳")
    assert one["due_at"] == "2025-09-18T23:59:59+08:00"
    refused = await cadre.get("/cadre/cards", whose="county")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-permitted")


async def test_cadre_appeals_from_phone_once_however_often_network_repeats_it(
    citizen: Phone, cadre: Phone
) -> None:
    _, card, issued = await carded(citizen)
    path = f"/cadre/cards/{card}/appeal"
    with at(issued + timedelta(days=1)):
        assert (await told(cadre, f"/cadre/cards/{card}"))["may_appeal"] is True
        assert (await cadre.post(path, key=None, ground=GROUND)).status_code == 400
        first = await cadre.post(path, key=f"appeal-{card}", ground=GROUND)
        again = await cadre.post(path, key=f"appeal-{card}", ground=GROUND)
        other = await cadre.post(path, ground=GROUND)
    assert (first.status_code, first.content) == (200, again.content)
    assert first.json()["appealed"]["by"] == "陈桂芳"
    assert (other.status_code, other.json()["type"]) == (409, "/problems/action-not-allowed")


async def test_card_is_shown_on_phone_to_carded_unit_and_its_superiors_alone(
    citizen: Phone, new_phone: NewPhone
) -> None:
    _, card, _ = await carded(citizen)
    seen = {}
    for account in ("gongnong", "ronglong", "shuiwu", "zhihui", "ducha", "lingdao", "admin"):
        phone = await new_phone()
        await phone.post("/cadre/sign-in", account=account, password=PASSWORD)
        seen[account] = (await phone.get(f"/cadre/cards/{card}")).status_code
    assert seen == {
        "gongnong": 200, "ronglong": 404, "shuiwu": 404, "zhihui": 200, "ducha": 200, "lingdao": 200, "admin": 403,
    }  # fmt: skip
    for path in ("/cadre/me", "/cadre/cards", f"/cadre/cards/{card}"):
        assert (await citizen.get(path)).status_code == 401, path


async def test_what_is_about_to_be_due_is_shown_until_it_is_over(
    citizen: Phone, cadre: Phone
) -> None:
    with at(SEPTEMBER):
        ref = (await citizen.reports())["ref"]
    remind_at, due_at = await reminded(ref)
    shown: dict[datetime, list[Any]] = {}
    for moment in (
        remind_at - timedelta(minutes=1),
        remind_at,
        due_at - timedelta(minutes=1),
        due_at + timedelta(minutes=1),
    ):
        with at(moment):
            found = (await told(cadre, "/cadre/me"))["reminders"]
        shown[moment] = [one for one in found if one["ref"] == ref]
    assert [len(one) for one in shown.values()] == [0, 1, 1, 0]
    (reminder,) = shown[remind_at]
    assert (reminder["stage_label"], reminder["due_at"]) == ("研判", "2025-09-18T23:59:59+08:00")


async def test_cadre_signs_out_of_the_village_phone(new_phone: NewPhone) -> None:
    phone = await new_phone()
    answer = await phone.post("/cadre/sign-in", account="gongnong", password=PASSWORD)
    assert answer.status_code == 201
    token = answer.json()["token"]
    assert (await phone.get("/cadre/me")).status_code == 200
    assert (await phone.client.delete("/m/v1/cadre/sessions/current")).status_code == 204
    phone.client.headers["Authorization"] = f"Bearer {token}"
    assert (await phone.get("/cadre/me")).status_code == 401

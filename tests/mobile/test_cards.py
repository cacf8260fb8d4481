"""A village's cards on the phone: in red when the cadre signs in."""

from qungong.sample import PASSWORD
from tests.cards import cards_of, swept
from tests.mobile.conftest import NewPhone, Phone


async def test_a_cadre_who_signs_in_is_shown_the_villages_cards(
    citizen: Phone, new_phone: NewPhone
) -> None:
    report = await citizen.reports()
    await swept(report["ref"])
    (card,) = await cards_of(report["ref"])
    phone = await new_phone()
    told = await phone.post("/cadre/sign-in", account="gongnong", password=PASSWORD)
    assert told.status_code == 201, told.text
    assert card in {one["id"] for one in told.json()["cards"]}

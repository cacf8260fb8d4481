"""挂牌督办 on the village phone."""

from app.api.app import create_app
from tests import people
from tests.mobile.conftest import Phone


async def test_listed_cases_are_shown_on_the_village_phone(cadre: Phone, citizen: Phone) -> None:
    receipt = await citizen.reports(place="3栋502室")
    async with people.signed_in(create_app(), "lingdao") as leader:
        await leader.does(f"/cases/{receipt['ref']}/list", reason="停水五日")
    answer = await cadre.get("/cadre/listed-cases")
    found = {one["ref"]: one for one in answer.json()["items"]}
    assert found[receipt["ref"]]["holder"] == "工农茶叶产业社区居民委员会"
    assert receipt["title"] not in answer.text
    assert "3栋" not in answer.text
    assert "502室" not in answer.text
    assert (await citizen.get("/cadre/listed-cases")).status_code == 401

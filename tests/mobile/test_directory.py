"""What a report may name can be looked up on the phone: units of the county and categories."""

from tests.mobile.conftest import VILLAGE, WATER, Phone


async def test_citizen_names_accused_unit_from_list_of_posters_county(
    citizen: Phone,
) -> None:
    found = (await citizen.get("/units", unit_code=VILLAGE, named="水务")).json()
    assert [one["code"] for one in found["items"]] == ["500153D11"]
    receipt = await citizen.reports(kind="accusation", accused_code=found["items"][0]["code"])
    assert receipt["ref"]
    first = (await citizen.get("/units", unit_code=VILLAGE, size="5")).json()
    assert len(first["items"]) == 5
    rest = await citizen.get("/units", unit_code=VILLAGE, size="5", after=first["next"])
    assert rest.json()["items"][0]["code"] > first["items"][-1]["code"]


async def test_citizen_chooses_a_category_from_the_list(citizen: Phone) -> None:
    [first, *_] = (await citizen.get("/categories")).json()
    assert (await citizen.reports(category_id=first["id"]))["ref"]


async def test_cadre_finds_the_same_units_and_categories(citizen: Phone, cadre: Phone) -> None:
    for path, query in (("/units", {"unit_code": VILLAGE}), ("/categories", {})):
        told = await citizen.get(path, **query)
        assert told.status_code == 200
        assert (await cadre.get(f"/cadre{path}")).content == told.content
    refused = await cadre.post("/cadre/cases", body=WATER, kind="help", category_id=2**31 - 1, person={"name": "王大爷"})  # fmt: skip
    assert refused.status_code == 422


async def test_units_of_an_unknown_poster_are_not_found(citizen: Phone) -> None:
    assert (await citizen.get("/units", unit_code="999999999999")).status_code == 404


async def test_lists_are_for_those_who_signed_in(citizen: Phone) -> None:
    for path in ("/cadre/units", "/cadre/categories"):
        assert (await citizen.get(path)).status_code == 401

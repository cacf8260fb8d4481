"""The posters of a county as one PDF."""

import re
from dataclasses import replace
from io import BytesIO

from app.db import Transaction
from app.directory import poster_places
from app.directory.poster_places import PosterPlace
from app.directory.terms import UnitKind
from qungong.commands import poster_drawing

COUNTY = "500153"


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def drawn(*places: PosterPlace) -> bytes:
    into = BytesIO()
    poster_drawing.draw(((place, f"https://a.test/q/{place.code}") for place in places), into)
    return into.getvalue()


async def test_posters_of_a_county_are_those_of_its_units_of_today(tx: Transaction) -> None:
    villages = await poster_places.places_of_county(tx, COUNTY, {UnitKind.VILLAGE})
    assert {"工农茶叶产业社区"} < {place.name for place in villages}
    assert {place.kind for place in villages} == {UnitKind.VILLAGE}
    assert [place.code for place in villages] == sorted(place.code for place in villages)
    assert await poster_places.places_of_county(tx, "000000", {UnitKind.VILLAGE}) == []


async def test_posters_have_a_page_for_each_unit(tx: Transaction) -> None:
    villages = await poster_places.places_of_county(tx, COUNTY, {UnitKind.VILLAGE})
    assert pages(drawn(*villages[:5])) == 5


async def test_poster_keeps_the_longest_names_on_the_sheet(tx: Transaction) -> None:
    village = (await poster_places.places_of_county(tx, COUNTY, {UnitKind.VILLAGE}))[0]
    longest = replace(village, name="村" * 40, parent="某" * 40, contact_name="买买提·吐尔逊")
    pdf = drawn(longest)
    assert pages(pdf) == 1
    assert pdf.startswith(b"%PDF")

"""The page that a poster's QR code opens, and the poster."""

import re
from datetime import date
from io import BytesIO

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import text

from app.db import transaction
from tests.auth.conftest import a_unit, letters

VILLAGE = "/q/500153003007"


@pytest_asyncio.fixture(scope="session")
async def browser(site: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://county.test")


async def test_landing_page_names_the_village_and_needs_nothing_from_elsewhere(
    browser: httpx.AsyncClient,
) -> None:
    page = await browser.get(VILLAGE)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assert "<h1>工农茶叶产业社区</h1>" in page.text
    assert "广顺街道" in page.text
    assert "http" not in page.text.replace("http-equiv", "")
    assert "<style" not in page.text
    assert " style=" not in page.text
    assert not re.findall(r"<script(?![^>]* src=)", page.text)


@pytest.mark.parametrize("code", ["500153003999", "%00", "x" * 300, "<script>", "static"])
@pytest.mark.parametrize("file", ["", "/poster.svg", "/qr.png"])
async def test_landing_page_of_unknown_code_is_a_friendly_404(
    browser: httpx.AsyncClient, code: str, file: str
) -> None:
    page = await browser.get(f"/q/{code}{file}")
    assert page.status_code == 404
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "没有找到这个二维码" in page.text
    assert "<script>" not in page.text


async def test_poster_is_drawn_with_the_villages_name_and_a_code_that_leads_here(
    browser: httpx.AsyncClient,
) -> None:
    poster = await browser.get(f"{VILLAGE}/poster.svg")
    assert poster.headers["content-type"] == "image/svg+xml"
    assert poster.headers["cache-control"] == "public, max-age=3600"
    # Without a size of its own it fills the window or the sheet, and is never cut off.
    assert 'viewBox="0 0 210 297"' in poster.text
    assert not re.match(r"<svg[^>]* width=", poster.text.split("?>", 1)[1].strip())
    assert ">工农茶叶产业社区</text>" in poster.text
    assert "http://127.0.0.1:8000/q/500153003007" in poster.text
    assert '<path transform="translate(0 .5)"' in poster.text or "<path " in poster.text
    assert _quiet_zone_is_kept(poster.text)
    code = await browser.get(f"{VILLAGE}/qr.png")
    assert code.headers["content-type"] == "image/png"
    with Image.open(BytesIO(code.content)) as drawn:
        assert drawn.width == drawn.height >= 600


async def test_merged_villages_poster_speaks_for_its_successor_and_names_are_escaped(
    browser: httpx.AsyncClient,
) -> None:
    county = await a_unit("荣昌区", "county")
    township = await a_unit("广顺街道", "township", county_id=county, parent_id=county)
    code = letters(12).upper()
    new = await a_unit("<b>新村</b>", "village", parent_id=township, county_id=county)
    old = await a_unit("旧村", "village", parent_id=township, county_id=county, code=code)
    async with transaction() as tx:
        await tx.execute(
            text("UPDATE unit SET valid_to = :ended, successor_id = :new WHERE id = :old"),
            ended=date(2024, 1, 1),
            new=new,
            old=old,
        )
    for file in ("", "/poster.svg"):
        shown = await browser.get(f"/q/{code}{file}")
        assert shown.status_code == 200
        assert "&lt;b&gt;新村&lt;/b&gt;" in shown.text
        assert "<b>新村" not in shown.text


async def test_slash_behind_the_address_leads_to_the_page(browser: httpx.AsyncClient) -> None:
    led = await browser.get(f"{VILLAGE}/")
    assert (led.status_code, led.headers["location"]) == (308, VILLAGE)
    unknown = await browser.get("/q/evil.test/")
    assert unknown.status_code == 404
    assert "没有找到这个二维码" in unknown.text


async def test_longest_names_stay_on_the_sheet(browser: httpx.AsyncClient) -> None:
    county = await a_unit("荣昌区", "county")
    township = await a_unit("某" * 40, "township", county_id=county, parent_id=county)
    code = letters(12).upper()
    await a_unit("村" * 40, "village", parent_id=township, county_id=county, code=code)
    poster = await browser.get(f"/q/{code}/poster.svg")
    for name in ("某" * 40, "村" * 40):
        written = re.search(rf'font-size="([0-9.]+)"[^>]*>{name}</text>', poster.text)
        assert written is not None
        assert 40 * float(written[1]) < 190, "wider than an A4 sheet with its margins"


def _quiet_zone_is_kept(poster: str) -> bool:
    """Whether four modules around the QR code are free of writing, as its standard asks."""
    place = re.search(
        r'<svg x="50" y="([0-9]+)" width="110"[^>]*><svg[^>]*viewBox="0 0 ([0-9]+)', poster
    )
    assert place is not None
    top, modules = float(place[1]), int(place[2])
    free = 4 * 110 / modules
    lines = [
        (float(y), float(size))
        for y, size in re.findall(r'<text x="105" y="([0-9.]+)" font-size="([0-9.]+)"', poster)
    ]
    # A Chinese character reaches about 0.88 of its size above the line, and 0.12 below.
    return all(
        y + 0.12 * size <= top - free or y - 0.88 * size >= top + 110 + free for y, size in lines
    )

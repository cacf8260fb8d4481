"""Lists as XLSX files: what the list shows, all pages, nothing sealed, no formula; counted and in the security log."""

import io
import zipfile
from typing import Any
from xml.etree import ElementTree

import pytest
from structlog.testing import capture_logs

from app.cases import exporting
from app.settings import settings
from tests.api.conftest import Who
from tests.api.test_search import a_name
from tests.people import Person

_CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def rows_of(made: bytes) -> list[list[str]]:
    """The texts of each row, as a spreadsheet shows them; numbers as they are kept."""
    with zipfile.ZipFile(io.BytesIO(made)) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - made here
    return [
        ["".join(cell.itertext()) for cell in row.iter(f"{_CELL}c")]
        for row in sheet.iter(f"{_CELL}row")
    ]


async def exported(person: Person, **wanted: Any) -> list[list[str]]:
    answer = await person.post("/cases/export", {"title": "试", **wanted})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == exporting.MEDIA_TYPE
    assert answer.headers["cache-control"] == "no-store"
    return rows_of(answer.content)


async def test_search_is_exported_with_all_its_pages(
    who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cases.search.MOST", 2)
    cadre, place = await who("gongnong"), a_name()
    made = [await cadre.registers(title=f"{place}第{number}件") for number in range(3)]
    _, head, *rows = await exported(cadre, found={"words": place})
    assert head[:4] == ["编号", "标题", "性质", "阶段"]
    assert [row[0] for row in rows] == made[::-1]
    assert [row[1] for row in rows] == [f"{place}第{number}件" for number in (2, 1, 0)]
    assert not any("王大爷" in cell or "13983001234" in cell for row in rows for cell in row)


async def test_list_of_the_county_is_exported_by_its_filters(who: Who) -> None:
    center = await who("zhihui")
    ref = await (await who("ronglong")).registers(title=f"{a_name()}没有水")
    _, _, *rows = await exported(
        center, listed={"scope": "county", "view": "open", "holder": "500153100"}
    )
    assert ref in {row[0] for row in rows}
    assert {row[4] for row in rows} == {"荣隆镇"}


async def test_list_that_one_may_not_see_is_not_exported(who: Who) -> None:
    cadre = await who("gongnong")
    refused = await cadre.post("/cases/export", {"title": "试", "listed": {"scope": "county"}})
    assert refused.status_code == 403


async def test_sealed_cases_are_left_out(who: Who) -> None:
    inspector = await who("jiwei")
    ref = await (await who("ronglong")).registers(kind="accusation", title="检举")
    assert ref in await inspector.lists("to_judge")
    _, _, *rows = await exported(inspector, listed={"view": "to_judge"})
    assert ref not in {row[0] for row in rows}


async def test_title_that_looks_like_a_formula_stays_a_text(who: Who) -> None:
    cadre, place = await who("gongnong"), a_name()
    title = f'=HYPERLINK("http://{place}.example","点这里")'
    await cadre.registers(title=title, body=place)
    answer = await cadre.post("/cases/export", {"title": "=1+1", "found": {"words": place}})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert rows_of(answer.content)[2][1] == title


@pytest.mark.parametrize("given", [{}, {"found": {"words": "水"}, "listed": {}}])
async def test_either_a_list_or_a_search_is_asked_for(who: Who, given: dict[str, Any]) -> None:
    refused = await (await who("gongnong")).post("/cases/export", {"title": "试", **given})
    assert refused.status_code == 422


async def test_more_than_one_file_holds_is_refused_in_words(
    who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST", 2)
    cadre, place = await who("gongnong"), a_name()
    for number in range(3):
        await cadre.registers(title=f"{place}第{number}件")
    refused = await cadre.post("/cases/export", {"title": "试", "found": {"words": place}})
    assert refused.status_code == 422
    assert "分几次导出" in refused.text


async def test_export_stands_in_the_security_log_without_words(
    who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    cadre, place = await who("gongnong"), a_name()
    await cadre.registers(title=f"{place}没有水")
    with capture_logs() as logged:
        await exported(cadre, found={"words": place})
    [line] = [one for one in logged if one.get("what") == "exported"]
    assert line["rows"] == 1
    assert line["who"].startswith("staff:")
    assert place not in str(logged)
    monkeypatch.setenv("EXPORTS_OF_STAFF", "1/h 1000/d")
    settings.cache_clear()
    try:
        refused = await cadre.post("/cases/export", {"title": "试", "found": {"words": place}})
        assert refused.status_code == 429
    finally:
        monkeypatch.undo()
        settings.cache_clear()

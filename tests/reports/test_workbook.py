"""The workbook says what was counted, and what people are called can do nothing in it."""

import zipfile
from io import BytesIO

from python_calamine import CalamineWorkbook

from app.directory.terms import UnitKind
from app.reports.formulas import ALL_TOLD, Measure, ranked, total
from app.reports.models import MonthEnd
from app.reports.months import Month
from app.reports.reading import Figure, Report
from app.reports.workbook import workbook

JUNE = Month(2025, 6)
NAMES = ("=HYPERLINK(\"http://evil.test\",\"水务局\")", "+1+1", "@SUM(A1)", "http://evil.test")  # fmt: skip


def report() -> Report:
    locked = MonthEnd(
        county_id=1,
        month=JUNE.first,
        formula_version=1,
        begins_at=JUNE.begins,
        ends_at=JUNE.ends,
        cutoff_at=JUNE.cutoff(10),
        locked_at=JUNE.cutoff(11),
        digest=b"",
    )
    counts = {Measure.HANDLING_DUE: 8, Measure.HANDLING_IN_TIME: 6}
    shares = ranked([(counts, ALL_TOLD)] * len(NAMES))
    units = [
        Figure(place, f"50015{place}", name, UnitKind.DEPARTMENT, None, None, dict(counts), False, ALL_TOLD, own)
        for place, (name, own) in enumerate(zip(NAMES, shares, strict=True))
    ]  # fmt: skip
    return Report([locked], units, [], total(one.counts for one in units), evaluations=True)


def test_no_name_becomes_a_formula_or_a_link() -> None:
    made = workbook("2025年6月群工月报", report(), [])
    rows = CalamineWorkbook.from_filelike(BytesIO(made)).get_sheet_by_name("各单位").to_python()
    assert [row[1] for row in rows[2:]] == [*NAMES, "全县合计"]
    with zipfile.ZipFile(BytesIO(made)) as parts:
        for name in parts.namelist():
            told = parts.read(name)
            assert b"<f>" not in told
            assert b"<hyperlink" not in told


def test_rates_are_numbers_that_can_be_reckoned_with_and_totals_come_last() -> None:
    made = workbook("2025年6月群工月报", report(), [])
    _, heads, *rows = CalamineWorkbook.from_filelike(BytesIO(made)).get_sheet_by_name("各单位").to_python()  # fmt: skip
    column = heads.index("按时办结率")
    assert [row[column] for row in rows] == [0.75] * 5
    assert [row[column + 1] for row in rows] == [1, 1, 1, 1, ""]
    assert rows[-1][heads.index("应办结")] == 32
    assert rows[0][heads.index("满意率")] == "–"


def test_it_bears_moment_of_lock_so_that_same_month_is_same_file() -> None:
    made = workbook("2025年6月群工月报", report(), [])
    with zipfile.ZipFile(BytesIO(made)) as parts:
        assert b">2025-07-10T16:00:00Z</dcterms:created>" in parts.read("docProps/core.xml")

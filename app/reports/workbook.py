"""A month or a year as an XLSX workbook, with Chinese sheets and columns. Reads nothing; text never becomes a formula."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from io import BytesIO
from typing import Any, Final

from app.clock import SHANGHAI
from app.reports import formulas
from app.reports.formulas import FEW, OF_WORK, RATES, SATISFACTION, WORK, Measure, Rate, Share
from app.reports.reading import Figure, Report
from app.reports.satisfaction import CorrectionRow

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_UNIT: Final = ("单位代码", "单位", "类别")
_PERSON: Final = ("单位代码", "单位", "姓名")
_CORRECTION: Final = ("序号", "月份", "单位", "姓名", "项目", "原数", "新数", "缘由", "理由", "更正人", "更正时间")  # fmt: skip
_WIDE: Final = 24
_NARROW: Final = 10


@dataclass(frozen=True, slots=True)
class _Formats:
    title: Any
    head: Any
    text: Any
    number: Any
    percent: Any


def workbook(title: str, report: Report, corrections: Sequence[CorrectionRow]) -> bytes:
    """Sheets: the units with the county's total, the people, the corrections, and what each column counts."""
    import xlsxwriter  # noqa: PLC0415 - few processes ever write one, and it takes long to load

    made = BytesIO()
    # Row by row to the disk: memory does not grow with the number of people.
    with xlsxwriter.Workbook(
        made, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        # When it was locked, not when it is asked for: the same month is the same file, byte for byte.
        book.set_properties(
            {"title": title, "created": report.months[-1].locked_at.astimezone(UTC)}
        )
        told = _formats(book)
        _figures(book, told, "各单位", title, _UNIT, report, report.units)
        _figures(book, told, "个人", title, _PERSON, report, report.people)
        _corrections(book, told, title, corrections)
        _explanations(book, told, report)
    return made.getvalue()


def _formats(book: Any) -> _Formats:
    return _Formats(
        title=book.add_format({"bold": True, "font_size": 14}),
        head=book.add_format({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#E8ECF2", "valign": "vcenter"}),
        text=book.add_format({"border": 1}),
        number=book.add_format({"border": 1, "num_format": "0"}),
        percent=book.add_format({"border": 1, "num_format": "0.0%"}),
    )  # fmt: skip


def _figures(
    book: Any,
    told: _Formats,
    name: str,
    title: str,
    first: tuple[str, ...],
    report: Report,
    figures: Iterable[Figure],
) -> None:
    measures: tuple[Measure, ...] = (*WORK, *(SATISFACTION if report.evaluations else ()))
    rates = RATES if report.evaluations else OF_WORK
    of_units = first is _UNIT
    sheet = book.add_worksheet(name)
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, _WIDE)
    sheet.set_column(2, len(first) + len(measures) + 2 * len(rates), _NARROW)
    sheet.freeze_panes(2, len(first))
    sheet.set_landscape()
    sheet.repeat_rows(1)
    sheet.write_string(0, 0, f"{title}　公式第{_versions(report)}版", told.title)
    heads = [*first, *(one.chinese for one in measures), *_rate_heads(rates, ranked=of_units)]
    sheet.set_row(1, 34)
    for column, head in enumerate(heads):
        sheet.write_string(1, column, head, told.head)
    row = 2
    for one in figures:
        names = (one.unit_code, one.unit_name, one.unit_kind.chinese if of_units else one.person_name or "")  # fmt: skip
        _row(sheet, told, row, names, one.counts, one.untold, one.shares, measures, ranked=of_units)
        row += 1
    if of_units:
        _row(sheet, told, row, ("", "全县合计", ""), report.total, report.total_untold, report.total_shares, measures, ranked=True)  # fmt: skip


def _rate_heads(rates: Iterable[Rate], *, ranked: bool) -> Iterable[str]:
    for rate in rates:
        yield rate.chinese
        if ranked and rate.ranked:
            yield f"{rate.chinese}排名"


def _row(
    sheet: Any,
    told: _Formats,
    row: int,
    names: Sequence[str],
    counts: formulas.Counts,
    untold: formulas.Untold,
    shares: Iterable[Share],
    measures: Iterable[Measure],
    *,
    ranked: bool,
) -> None:
    column = 0
    for name in names:
        sheet.write_string(row, column, name, told.text)
        column += 1
    for measure in measures:
        if measure in untold:
            instead = formulas.told_instead(counts.get(formulas.AMONG[measure], 0))
            sheet.write_string(row, column, instead, told.text)
        else:
            sheet.write_number(row, column, counts.get(measure, 0), told.number)
        column += 1
    for share in shares:
        if share.numerator is None or share.denominator == 0:
            sheet.write_string(row, column, share.told, told.text)
        else:
            sheet.write_number(row, column, share.numerator / share.denominator, told.percent)
        column += 1
        if ranked and share.rate.ranked:
            # A number, or sorting by it would put the tenth before the second.
            if share.rank is None:
                sheet.write_blank(row, column, None, told.text)
            else:
                sheet.write_number(row, column, share.rank, told.number)
            column += 1


def _corrections(
    book: Any, told: _Formats, title: str, corrections: Sequence[CorrectionRow]
) -> None:
    sheet = book.add_worksheet("更正")
    sheet.set_column(0, len(_CORRECTION) - 1, 14)
    sheet.freeze_panes(2, 0)
    sheet.write_string(0, 0, f"{title}　锁定后的更正", told.title)
    for column, head in enumerate(_CORRECTION):
        sheet.write_string(1, column, head, told.head)
    for row, one in enumerate(corrections, start=2):
        values: tuple[object, ...] = (
            one.seq,
            f"{one.month:%Y-%m}",
            one.unit_name,
            one.person_name or "",
            "评价" if one.measure is None else one.measure.chinese,
            one.old,
            one.new,
            one.cause.chinese,
            one.reason,
            one.by_name or "系统",
            f"{one.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        )
        for column, value in enumerate(values):
            if isinstance(value, int):
                sheet.write_number(row, column, value, told.number)
            else:
                sheet.write_string(row, column, str(value), told.text)


def _explanations(book: Any, told: _Formats, report: Report) -> None:
    sheet = book.add_worksheet("说明")
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 110)
    measures: tuple[Measure, ...] = (*WORK, *(SATISFACTION if report.evaluations else ()))
    lines = [(one.chinese, one.counts) for one in measures]
    lines += [(rate.chinese, rate.formula) for rate in (RATES if report.evaluations else OF_WORK)]
    lines += [
        ("排名", f"在同类单位中；分母不足{FEW}件的不排名"),
        (formulas.UNTOLD_TOLD, f"从合计减去其余即可推出少于{FEW}件的，也不列出"),
        ("更正", "各项数字已含“更正”表所列的更正；锁定时的数字另存，不改"),
        *(
            (f"{one.month:%Y-%m}", f"{one.locked_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 锁定，截止 {one.cutoff_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}，公式第{one.formula_version}版")
            for one in report.months
        ),
    ]  # fmt: skip
    for row, (name, meaning) in enumerate(lines):
        sheet.write_string(row, 0, name, told.head)
        sheet.write_string(row, 1, meaning, told.text)


def _versions(report: Report) -> str:
    return "、".join(str(one) for one in sorted({month.formula_version for month in report.months}))

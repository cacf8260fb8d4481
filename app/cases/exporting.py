"""A list of cases, or what a search found, as an XLSX workbook: what the list shows, no words of reporters, nothing sealed.

Text never becomes a formula.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from app.cases.lifecycle import Phase
from app.clock import SHANGHAI
from app.errors import InvalidInput
from app.limits.terms import Kind

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST: Final = 5000
_TOO_MANY: Final = f"超过 {MOST} 件，一次导不出。请按收到的日期或单位分几次导出"
_HEAD: Final = (
    "编号", "标题", "性质", "阶段", "承办单位", "村(社区)", "紧急", "收到", "当前环节到期", "全程到期", "已超期", "第几轮", "退回次数", "催办次数",
)  # fmt: skip
_WIDTHS: Final = (24, 44, 10, 10, 20, 20, 6, 17, 17, 17, 8, 8, 9, 9)

Item = Mapping[str, Any]
# The items of the page at the cursor, and the cursor of the next one.
Page = Callable[[str | None], Awaitable[tuple[Sequence[Item], str | None]]]


async def collect(page: Page) -> list[Item]:
    """All items of all pages that are not sealed. Raises InvalidInput where they are more than one file holds."""
    found: list[Item] = []
    items, cursor = await page(None)
    while True:
        found += [item for item in items if not item["sealed"]]
        if len(found) > MOST:
            raise InvalidInput(mistakes=[{"where": "body", "what": _TOO_MANY}])
        if cursor is None:
            return found
        items, cursor = await page(cursor)


def workbook(title: str, items: Iterable[Item], *, at: datetime) -> bytes:
    """One sheet; `at` is when it was asked for. Takes a fifth of a second for MOST rows."""
    import xlsxwriter  # noqa: PLC0415 - few processes ever write one, and it takes long to load

    made = BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(made, options) as book:
        head = book.add_format({"bold": True, "border": 1, "bg_color": "#E8ECF2"})
        late = book.add_format({"font_color": "#B3261E"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"})
        sheet = book.add_worksheet("事件")
        sheet.write_string(
            0, 0, f"{title}，{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 导出，不含密封的事件"
        )
        for place, (name, width) in enumerate(zip(_HEAD, _WIDTHS, strict=True)):
            sheet.set_column(place, place, width)
            sheet.write_string(1, place, name, head)
        sheet.freeze_panes(2, 2)
        row = 1
        for row, item in enumerate(items, start=2):
            for place, value in enumerate(_cells(item)):
                if isinstance(value, datetime):
                    sheet.write_datetime(row, place, value, moment)
                elif isinstance(value, int):
                    sheet.write_number(row, place, value)
                elif value:
                    sheet.write_string(row, place, value, late if value == "超期" else None)
        sheet.autofilter(1, 0, row, len(_HEAD) - 1)
    return made.getvalue()


def _cells(item: Item) -> tuple[str | int | datetime | None, ...]:
    return (
        item["ref"],
        item["title"],
        Kind(item["kind"]).chinese,
        Phase(item["phase"]).chinese,
        item["holder"],
        item["village"],
        "紧急" if item["urgent"] else None,
        _local(item["received_at"]),
        _local(item["stage_due_at"]),
        _local(item["due_at"]),
        "超期" if item["overdue"] else None,
        item["round"],
        item["returns"],
        item["presses"],
    )


def _local(moment: str | None) -> datetime | None:
    """As the county's clocks show it: a workbook knows no time zones."""
    if moment is None:
        return None
    return datetime.fromisoformat(moment).astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0)

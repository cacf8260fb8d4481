"""The A4 poster of a unit as a page of a PDF. Knows no database; its font is one that every PDF reader has."""

from collections.abc import Iterable
from typing import BinaryIO, Final

import segno
from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from app.directory.poster_places import PosterPlace

_FONT: Final = "STSong-Light"
_ACCENT, _INK, _SOFT = HexColor("#0b6663"), HexColor("#17211f"), HexColor("#4c5a58")
_WIDTH, _HEIGHT = A4
_MIDDLE: Final = _WIDTH / 2
_WIDEST: Final = _WIDTH - 30 * mm
_QR_SIDE: Final = 112 * mm
_STEPS: Final = (
    ("1", "扫一扫", "微信或相机都行"),
    ("2", "写一句、拍照或说一段", "第一次要短信验证码"),
    ("3", "看进度、作评价", "每一步都告诉您"),
)
# Strokes this much wider than the letters look bold; the font has one weight.
_BOLD: Final = 0.035


def draw(places: Iterable[tuple[PosterPlace, str]], into: BinaryIO) -> None:
    """One page for each unit and the address that its QR code leads to."""
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    canvas = Canvas(into, pagesize=A4, pageCompression=1)
    canvas.setTitle("群众反映二维码海报")
    for place, address in places:
        _page(canvas, place, address)
        canvas.showPage()
    canvas.save()


def _page(canvas: Canvas, place: PosterPlace, address: str) -> None:
    canvas.setFillColor(_ACCENT)
    canvas.rect(0, _HEIGHT - 70 * mm, _WIDTH, 70 * mm, stroke=0, fill=1)
    _write(canvas, place.parent or place.county, 24, _HEIGHT - 24 * mm, white)
    _write(canvas, place.name, 52, _HEIGHT - 50 * mm, white, bold=True)
    _write(canvas, "有事您说，我们来办，办到哪一步都看得见", 24, _HEIGHT - 86 * mm, _INK, bold=True)
    _qr_code(canvas, address, _HEIGHT - 94 * mm - _QR_SIDE)
    for number, step in enumerate(_STEPS):
        _step(canvas, 15 * mm + number * 60 * mm, 62 * mm, *step)
    _write(canvas, _whom_to_call(place), 18, 34 * mm, _INK)
    _write(canvas, "不方便用手机的，请到村(社区)办公室，干部替您登记", 13, 24 * mm, _SOFT)
    _write(canvas, f"代码 {place.code}　{address}", 9, 14 * mm, _SOFT)


def _whom_to_call(place: PosterPlace) -> str:
    own = f"{place.contact_name or ''} {_as_dialled(place.public_phone)}".strip()
    hotline = "" if place.hotline is None else f"全县热线 {_as_dialled(place.hotline)}"
    told = "　".join(filter(None, (own, hotline)))
    return f"也可以打电话：{told}" if told else "火警 119　急救 120　报警 110"


def _as_dialled(number: str | None) -> str:
    return "" if number is None else number.removeprefix("+86")


def _write(
    canvas: Canvas, words: str, size: float, y: float, colour: HexColor, *, bold: bool = False
) -> None:
    """In the middle of the sheet, smaller where the words are wider than it."""
    size = min(size, size * _WIDEST / max(_WIDEST, pdfmetrics.stringWidth(words, _FONT, size)))
    x = _MIDDLE - pdfmetrics.stringWidth(words, _FONT, size) / 2
    _put(canvas, words, size, (x, y), colour, bold=bold)


def _put(
    canvas: Canvas,
    words: str,
    size: float,
    at: tuple[float, float],
    colour: HexColor,
    *,
    bold: bool,
) -> None:
    line = canvas.beginText(*at)
    line.setFont(_FONT, size)
    line.setFillColor(colour)
    line.setStrokeColor(colour)
    canvas.setLineWidth(size * _BOLD)
    line.setTextRenderMode(2 if bold else 0)
    line.textOut(words)
    canvas.drawText(line)


def _qr_code(canvas: Canvas, address: str, y: float) -> None:
    rows = list(segno.make(address, error="q", micro=False).matrix_iter(border=4))
    side = _QR_SIDE / len(rows)
    left = _MIDDLE - _QR_SIDE / 2
    canvas.setFillColor(_INK)
    path = canvas.beginPath()
    for number, row in enumerate(rows):
        for column, dark in enumerate(row):
            if dark:
                path.rect(left + column * side, y + _QR_SIDE - (number + 1) * side, side, side)
    canvas.drawPath(path, stroke=0, fill=1)


def _step(canvas: Canvas, x: float, y: float, number: str, title: str, hint: str) -> None:
    middle = x + 30 * mm
    canvas.setFillColor(_ACCENT)
    canvas.circle(middle, y + 9 * mm, 6.5 * mm, stroke=0, fill=1)
    for words, size, line, colour, bold in (
        (number, 22, y + 6.4 * mm, white, True),
        (title, 15, y - 5 * mm, _INK, True),
        (hint, 11, y - 11 * mm, _SOFT, False),
    ):
        left = middle - pdfmetrics.stringWidth(words, _FONT, size) / 2
        _put(canvas, words, size, (left, line), colour, bold=bold)

"""Reads a list of administrative divisions (code,name,tier,parent) and names every bad line. Pure: knows no database."""

import csv
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final, NamedTuple

from app.directory.terms import UnitKind

COLUMNS: Final = ("code", "name", "tier", "parent")
CODE_LENGTH: Final = {
    UnitKind.PROVINCE: 2,
    UnitKind.CITY: 4,
    UnitKind.COUNTY: 6,
    UnitKind.TOWNSHIP: 9,
    UnitKind.VILLAGE: 12,
}
# Which tiers a tier may stand under. Codes need not begin with the parent's: one unit may be run by another (代管).
UNDER: Final = {
    UnitKind.PROVINCE: frozenset[UnitKind](),
    UnitKind.CITY: frozenset({UnitKind.PROVINCE}),
    UnitKind.COUNTY: frozenset({UnitKind.CITY, UnitKind.PROVINCE}),
    UnitKind.TOWNSHIP: frozenset({UnitKind.COUNTY}),
    UnitKind.VILLAGE: frozenset({UnitKind.TOWNSHIP}),
}
# A tree may begin at any of these; below them a parent is needed.
TOPS: Final = frozenset({UnitKind.PROVINCE, UnitKind.CITY, UnitKind.COUNTY})
_TIERS: Final = {str(tier): tier for tier in CODE_LENGTH}
_LONGEST_NAME = 100
_LONGEST_SHORT_NAME = 40
_LONGEST_LINE = 1_000
_TOLD_EVERY = 20_000
_ORDINARY_NAME = re.compile(r"[一-龥A-Za-z0-9（）()·、\-]+")
# Control, format (zero-width, bidirectional), surrogate, line and paragraph characters.
# Not private use: the official list has names written with it.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BOM = b"\xef\xbb\xbf"

Told = Callable[[str, int, int], None]
"""Hears how far a long work is: the step in people's words, how much of it is done, how much there is."""


class Division(NamedTuple):
    """One line of the list; `parent` is empty where the tree begins."""

    line: int
    code: str
    name: str
    tier: UnitKind
    parent: str


class Fault(NamedTuple):
    line: int
    told: str


@dataclass(slots=True)
class Reading:
    """What a list says: the good lines by code, and what is wrong with the bad ones."""

    divisions: dict[str, Division] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    bad_codes: dict[str, int] = field(default_factory=dict)

    def outside(self) -> Iterator[Division]:
        """Those whose parent the list does not have. A child of a bad line is not one: its parent is at fault."""
        for division in self.divisions.values():
            above = division.parent
            if above and above not in self.divisions and above not in self.bad_codes:
                yield division


def read(data: bytes, told: Told | None = None) -> Reading:
    """UTF-8 with or without a byte order mark; other encodings are refused, since a wrong guess garbles names."""
    reading = Reading()
    if len(data) > 1 << 28:
        reading.faults.append(Fault(1, "文件超过 256 MB"))
        return reading
    total = data.count(b"\n") + 1
    lines = enumerate(BytesIO(data.removeprefix(_BOM)), start=1)
    header, _ = _fields(next(lines, (1, b""))[1])
    if tuple(header) != COLUMNS:
        reading.faults.append(Fault(1, f"首行应为 {','.join(COLUMNS)}，文件应为 UTF-8 编码的 CSV"))
        return reading
    for number, line in lines:
        if line.strip():
            _take(reading, number, line)
        if told and number % _TOLD_EVERY == 0:
            told("核对", number, total)
    if not reading.divisions and not reading.faults:
        reading.faults.append(Fault(1, "首行之后没有任何单位"))
    reading.faults += _misplaced(reading)
    if told:
        told("核对", total, total)
    return reading


def short_name(name: str) -> str:
    """What people call it: 工农茶叶产业社区居民委员会 is 工农茶叶产业社区, X村村民委员会 is X村."""
    for ending in ("村民委员会", "村委会"):
        if len(name) > len(ending) and name.endswith(ending):
            return _cut(name.removesuffix(ending).removesuffix("村") + "村")
    for ending in ("居民委员会", "居委会"):
        stem = name.removesuffix(ending)
        if stem != name and stem:
            return _cut(stem if stem.endswith(("社区", "村")) else stem + "居委会")
    return _cut(name)


def misplacement(division: Division, above: UnitKind) -> str | None:
    """What is wrong with a parent of that tier; nothing, if it may be one."""
    if above in UNDER[division.tier]:
        return None
    return f"{_should(division.tier)}，而 {division.parent} 是{above.chinese}"


def _cut(name: str) -> str:
    return name[:_LONGEST_SHORT_NAME]


def _take(reading: Reading, number: int, line: bytes) -> None:
    fields, wrong = _fields(line)
    if wrong is None and len(fields) != len(COLUMNS):
        wrong = f"应有 {len(COLUMNS)} 列，实有 {len(fields)} 列"
    code = fields[0] if fields else ""
    if wrong is None:
        faults = [*_code_and_name(fields), *_repeated(reading, code)]
        wrong = "；".join(faults) or None
    if wrong is not None:
        reading.faults.append(Fault(number, wrong))
        reading.bad_codes.setdefault(code, number)
        return
    _, name, tier, parent = fields
    # The parent's own string where there is one: half a million lines share them.
    held = reading.divisions.get(parent)
    reading.divisions[code] = Division(
        number, code, name, _TIERS[tier], held.code if held else parent
    )


def _fields(line: bytes) -> tuple[list[str], str | None]:
    """The columns of one line and, if it cannot be read, why."""
    if len(line) > _LONGEST_LINE:
        return [], f"一行超过 {_LONGEST_LINE} 字节"
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return [], "不是 UTF-8 编码（用 Excel 保存时请选“CSV UTF-8（逗号分隔）”）"
    try:
        found = next(csv.reader([text], strict=True), []) if '"' in text else text.split(",")
    except csv.Error:
        return [], "引号不成对或有多余的换行"
    return [one.strip() for one in found], None


def _code_and_name(fields: list[str]) -> Iterator[str]:
    code, name, written, parent = fields
    tier = _TIERS.get(written)
    if tier is None:
        yield f"层级“{_shown(written)}”不认识，应为 {'、'.join(_TIERS)} 之一"
    elif not _digits(code, CODE_LENGTH[tier]):
        yield f"编码“{_shown(code)}”有误，{tier.chinese}的编码应为 {CODE_LENGTH[tier]} 位数字"
    if not name:
        yield "名称为空"
    elif len(name) > _LONGEST_NAME:
        yield f"名称超过 {_LONGEST_NAME} 个字"
    elif not _ORDINARY_NAME.fullmatch(name) and not _seen(name):
        yield "名称含有不可见的字符"
    if parent and not _digits(parent, len(parent)):
        yield f"上级编码“{_shown(parent)}”应为数字"
    elif tier is not None and not parent and tier not in TOPS:
        yield f"缺少上级：{_should(tier)}"


def _repeated(reading: Reading, code: str) -> Iterator[str]:
    before = reading.divisions.get(code)
    line = before.line if before else reading.bad_codes.get(code)
    if code and line:
        yield f"编码 {_shown(code)} 与第 {line} 行重复"


def _misplaced(reading: Reading) -> Iterator[Fault]:
    for division in reading.divisions.values():
        above = reading.divisions.get(division.parent)
        if above and (wrong := misplacement(division, above.tier)):
            yield Fault(division.line, wrong)


def _should(tier: UnitKind) -> str:
    above = [kind.chinese for kind in CODE_LENGTH if kind in UNDER[tier]]
    return f"{tier.chinese}的上级应为{'或'.join(above)}" if above else f"{tier.chinese}不应有上级"


def _digits(text: str, length: int) -> bool:
    return len(text) == length <= 12 and text.isascii() and text.isdigit()


def _seen(text: str) -> bool:
    return not any(unicodedata.category(character) in _UNSEEN for character in text)


def _shown(text: str) -> str:
    """Fit for a terminal: short, and without what would steer it."""
    return "".join(one if _seen(one) else "�" for one in text[:30])

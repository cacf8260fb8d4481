"""Look-ups in the directory as it is today: units and categories. Lists are JSON made by the database."""

import unicodedata
from functools import cache

from sqlalchemy import TextClause, text

from app.chinese_text import strip_invisible, to_simplified
from app.db import Transaction
from app.db.query import Query, columns
from app.directory.models import Unit
from app.directory.terms import UnitKind

# The day in Shanghai, which the transaction binds. The last valid day counts.
TODAY = "CAST(:today AS date)"
_TODAY = f"{{0}}.valid_from <= {TODAY} AND ({{0}}.valid_to IS NULL OR {{0}}.valid_to >= {TODAY})"
_UNIT_BY_CODE = Query(
    Unit,
    f"SELECT {columns('u', Unit)} FROM unit u WHERE u.code = :code AND {_TODAY.format('u')}",  # noqa: S608 - our own text
)
# A successor never has one that leads back (app/directory/units.py); the bound is for rows that were not made there.
_LONGEST_LINE = 10
_COUNTY_OF = text("SELECT county_id FROM unit WHERE code = :code")
_CATEGORIES = text("""
SELECT coalesce(json_agg(json_build_object('id', a.id, 'name', a.name, 'path', a.path, 'children', (
  SELECT coalesce(json_agg(json_build_object('id', b.id, 'name', b.name, 'path', b.path, 'children', (
    SELECT coalesce(json_agg(json_build_object('id', c.id, 'name', c.name, 'path', c.path) ORDER BY c.id), '[]')
    FROM category c WHERE c.parent_id = b.id AND c.active)) ORDER BY b.id), '[]')
  FROM category b WHERE b.parent_id = a.id AND b.active)) ORDER BY a.id), '[]')::text
FROM category a WHERE a.level = 1 AND a.active
""")
_CONDITIONS = {
    "county_id": "u.county_id = :county_id",
    "parent": "u.parent_id = (SELECT id FROM unit WHERE code = :parent)",
    "kind": "u.kind = :kind",
    "named": "u.name LIKE ANY(CAST(:named AS text[]))",
    "after": "u.code > :after",
}


def carried_on_by(which: str, *, today: str = TODAY) -> str:
    """SQL, in brackets: the id of the unit that carries on today for the one found by `which`, a condition of constants.

    Posters and people go on naming a unit that was merged or renamed, once or several times. A unit that ended without a
    successor is found itself: whether it may still be asked, the caller decides.
    """
    return f"""(
  WITH RECURSIVE line AS (
    SELECT id, valid_to, successor_id, 1 AS step FROM unit WHERE {which}
    UNION ALL
    SELECT u.id, u.valid_to, u.successor_id, line.step + 1
    FROM line JOIN unit u ON u.id = line.successor_id
    WHERE line.valid_to < {today} AND line.step < {_LONGEST_LINE}
  )
  SELECT id FROM line ORDER BY step DESC LIMIT 1)"""  # noqa: S608 - conditions of our own


def taken_over_by(which: str, *, today: str = TODAY) -> str:
    """SQL, in brackets: the id of the unit whose the work of the one found by `which` is today.

    Like carried_on_by, but work does not end with a unit: without a successor it is the next tier's above.
    """
    return f"""(
  WITH RECURSIVE line AS (
    SELECT id, parent_id, valid_to, successor_id, 1 AS step FROM unit WHERE {which}
    UNION ALL
    SELECT u.id, u.parent_id, u.valid_to, u.successor_id, line.step + 1
    FROM line JOIN unit u ON u.id = coalesce(line.successor_id, (
      SELECT desk.id FROM unit desk
      WHERE desk.parent_id = line.parent_id AND desk.kind = 'command_center' AND desk.valid_to IS NULL AND desk.id <> line.id
      LIMIT 1), line.parent_id)
    WHERE line.valid_to < {today} AND line.step < {_LONGEST_LINE}
  )
  SELECT id FROM line ORDER BY step DESC LIMIT 1)"""  # noqa: S608 - conditions of our own


def carries_on_for(unit: str) -> str:
    """SQL: an array of the ids of the unit `unit` (SQL again) and of all those whose named successor it is today."""
    return f"""ARRAY(
  WITH RECURSIVE own AS (
    SELECT id FROM unit WHERE id = {unit}
    UNION
    SELECT u.id FROM unit u JOIN own ON u.successor_id = own.id WHERE u.valid_to < {TODAY}
  ) SELECT id FROM own)"""  # noqa: S608 - conditions of our own


async def search_units(
    tx: Transaction,
    *,
    county_id: int | None = None,
    parent: str | None = None,
    kind: UnitKind | None = None,
    named: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> str:
    """A page of units by code, as JSON: {"items": [...], "next": the code to go on after, or null}.

    `parent` is a code, `named` a part of the name, `after` the code where the page before ended.
    """
    asked = {"county_id": county_id, "parent": parent, "kind": kind, "after": after}
    given: dict[str, object] = {name: value for name, value in asked.items() if value is not None}
    if named:
        given["named"] = [f"%{_literally(one)}%" for one in {named, plain_name(named)}]
    found: str = await tx.scalar(_search(frozenset(given)), limit=limit, **given)
    return found


async def county_of(tx: Transaction, code: str) -> int | None:
    """The county of a unit that is there or was: a poster outlives its village."""
    found: int | None = await tx.scalar(_COUNTY_OF, code=code)
    return found


async def category_tree(tx: Transaction) -> str:
    """All active categories as nested JSON."""
    found: str = await tx.scalar(_CATEGORIES)
    return found


async def unit_by_code(tx: Transaction, code: str) -> Unit | None:
    return await _UNIT_BY_CODE.one_or_none(tx, code=code)


@cache
def _search(asked: frozenset[str]) -> TextClause:
    """One statement for each combination of questions, so that each is planned for what it asks."""
    where = " AND ".join([_TODAY.format("u"), *(_CONDITIONS[name] for name in sorted(asked))])
    return text(f"""
WITH page AS (
  SELECT u.code, u.name, u.short_name, u.kind, p.code AS parent
  FROM unit u LEFT JOIN unit p ON p.id = u.parent_id WHERE {where} ORDER BY u.code LIMIT :limit + 1
), shown AS (SELECT * FROM page ORDER BY code LIMIT :limit)
SELECT json_build_object(
  'items', coalesce((SELECT json_agg(shown ORDER BY code) FROM shown), '[]'),
  'next', CASE WHEN (SELECT count(*) FROM page) > :limit THEN (SELECT max(code) FROM shown) END
)::text
""")  # noqa: S608 - conditions of our own


def plain_name(typed: str) -> str:
    """A unit's or a place's name as the official lists write it: 廣 順 is 广顺."""
    return "".join(to_simplified(unicodedata.normalize("NFKC", strip_invisible(typed))).split())


def _literally(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

"""A county's rules as of a version, kept in the process once read: a version never changes."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy import text

from app.calendars.working_time import Limit
from app.db import Transaction
from app.db.query import Query, columns
from app.limits.models import LimitRule
from app.limits.rules import NOTHING_SET, Measure, Place, Rule, RuleSet
from app.settings import settings

_KEPT: Final = 256
_VERSION: Final = text("SELECT version FROM limit_set WHERE county_id = :county_id")
# Of each place what its greatest version up to this one says. `ours`: made by this transaction, which may yet be undone.


class _RuleRow(Struct, frozen=True):
    """A rule, or none where the version leaves none; `ours`: made by this transaction."""

    ours: bool
    rule: LimitRule | None


_RULES: Final = Query(
    _RuleRow,
    f"""
SELECT (c.xmin = CAST(pg_current_xact_id_if_assigned() AS xid)) IS TRUE AS ours, {columns("r", LimitRule, "rule")}
FROM limit_change c LEFT JOIN LATERAL (
  SELECT * FROM (
    SELECT DISTINCT ON (stage, tier, kind, category_id, urgent) * FROM limit_rule
    WHERE county_id = c.county_id AND version <= c.version
    ORDER BY stage, tier, kind, category_id, urgent, version DESC
  ) newest WHERE NOT withdrawn
) r ON true
WHERE c.county_id = :county_id AND c.version = :version
""",  # noqa: S608 - columns of our own table
)


class _CategoryId(Struct, frozen=True):
    id: int


# The tree is three levels deep.
_LINE: Final = Query(
    _CategoryId,
    """
WITH RECURSIVE line AS (
  SELECT id, parent_id, 1 AS step FROM category WHERE id = :category_id
  UNION ALL
  SELECT c.id, c.parent_id, line.step + 1 FROM line JOIN category c ON c.id = line.parent_id WHERE line.step < 10
)
SELECT id FROM line ORDER BY step
""",
)


class _CategoryPath(Struct, frozen=True):
    id: int
    path: str


_PATHS: Final = Query(_CategoryPath, "SELECT id, path FROM category WHERE id = ANY(:categories)")


class _ChangeRow(Struct, frozen=True):
    at: datetime
    staff_name: str | None
    reason: str
    rule: LimitRule


_CHANGES: Final = Query(
    _ChangeRow,
    f"""
SELECT c.at, s.name AS staff_name, c.reason, {columns("r", LimitRule, "rule")}
FROM limit_change c JOIN limit_rule r ON r.county_id = c.county_id AND r.version = c.version
LEFT JOIN staff s ON s.id = c.staff_id
WHERE c.county_id = :county_id AND c.version < :before ORDER BY c.version DESC LIMIT :most
""",  # noqa: S608 - columns of our own table
)
_AFTER_ALL: Final = 2**31 - 1
_known: "OrderedDict[tuple[str, int, int], RuleSet]" = OrderedDict()


class Change(NamedTuple):
    """A version: what it said of one place, or withdrew, and who made it (nobody: the system itself)."""

    version: int
    at: datetime
    staff: str | None
    reason: str
    rule: Rule
    withdrawn: bool


async def rules_of(tx: Transaction, county_id: int, version: int | None = None) -> RuleSet:
    """As of that version, or as they stand; version 0, which leaves all to the defaults, where nothing was ever set.

    Where the version is given and was read before, the database is not asked.
    """
    if version is None:
        version = await tx.scalar(_VERSION, county_id=county_id) or 0
    if version == 0:
        return NOTHING_SET
    key = (settings().database_url, county_id, version)
    if (known := _known.get(key)) is not None:
        _known.move_to_end(key)
        return known
    rows = await _RULES.all(tx, county_id=county_id, version=version)
    if not rows:
        raise LookupError(f"county {county_id} has no limits of version {version}")
    found = RuleSet(version, tuple(_rule(row.rule) for row in rows if row.rule is not None))
    if not rows[0].ours:
        _known[key] = found
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return found


async def changes_of(
    tx: Transaction, county_id: int, *, before: int | None, most: int
) -> list[Change]:
    """The versions, the newest first, from before that one on."""
    rows = await _CHANGES.all(tx, county_id=county_id, before=before or _AFTER_ALL, most=most)
    return [
        Change(
            row.rule.version,
            row.at,
            row.staff_name,
            row.reason,
            _rule(row.rule),
            row.rule.withdrawn,
        )
        for row in rows
    ]


async def line_of(tx: Transaction, category_id: int | None) -> tuple[int, ...]:
    """The category and those above it, nearest first; empty for none, and for one that does not exist."""
    if category_id is None:
        return ()
    return tuple(row.id for row in await _LINE.all(tx, category_id=category_id))


async def paths_of(tx: Transaction, categories: Iterable[int]) -> Mapping[int, str]:
    """How categories are called, with those above them."""
    wanted = sorted(set(categories))
    if not wanted:
        return {}
    return {row.id: row.path for row in await _PATHS.all(tx, categories=wanted)}


def forget() -> None:
    """Where the same process turns to another database at the same address: tests."""
    _known.clear()


def _rule(row: LimitRule) -> Rule:
    measure = Measure(
        Limit.parse(row.limit),
        row.remind_before,
        Limit.parse(row.yellow_after),
        None if row.red_after is None else Limit.parse(row.red_after),
    )
    place = Place(row.stage, row.tier, row.kind, row.category_id, row.urgent)
    return Rule.made(place, measure, f"v{row.version}")

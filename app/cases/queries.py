"""What people see of cases: lists, details, progress. Each list is one statement and comes as finished JSON.

Whatever is shown to staff passes VISIBLE_TO_STAFF, in lists as in details.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from msgspec import Struct
from sqlalchemy import TextClause, text

from app.auth.actor import CitizenActor, StaffActor
from app.db import Transaction
from app.db.query import Json, Query
from app.matters.cursors import read_cursor
from app.matters.visibility import VISIBLE_TO_STAFF, viewer


class View(StrEnum):
    """The views of cases. OPEN, all that is not finished, is only the county's; REGISTERED is only one's own."""

    OPEN = "open"
    TO_JUDGE = "to_judge"
    HANDLING = "handling"
    TO_SIGN = "to_sign"
    ASSISTING = "assisting"
    TO_DECIDE = "to_decide"
    TO_REPLY = "to_reply"
    REGISTERED = "registered"
    FINISHED = "finished"

    @property
    def chinese(self) -> str:
        return _VIEWS[self]


_VIEWS = {
    View.OPEN: "全部未办结",
    View.TO_JUDGE: "待研判",
    View.HANDLING: "办理中",
    View.TO_SIGN: "待签收",
    View.ASSISTING: "我协办",
    View.TO_DECIDE: "待审批",
    View.TO_REPLY: "待回复",
    View.REGISTERED: "我登记的",
    View.FINISHED: "已办结",
}
PAGE = 50
Views = TypeVar("Views")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEFORE_ALL, _AFTER_ALL = UUID(int=0), UUID(int=2**128 - 1)

# A case has at most one open demand, so ORDER BY would only cost time.
_ITEM = """json_build_object(
  'ref', c.ref, 'title', c.title, 'kind', c.kind, 'phase', c.phase, 'urgent', c.urgent, 'sealed', c.sealed,
  'waiting', c.waiting, 'holder', h.name, 'village', v.name, 'round', c.round, 'returns', c.returns, 'presses', c.presses,
  'received_at', c.received_at, 'due_at', c.due_at, 'stage_due_at', c.stage_due_at,
  'overdue', coalesce(c.waiting IS NULL AND c.stage_due_at < :now, false), 'part', {part}, 'part_due_at', {part_due},
  'to_decide', {decides}, 'news', coalesce(c.news, '[]'), 'supervised', (
    SELECT json_build_object('unit', s.name, 'due_at', k.due_at) FROM clock k JOIN unit s ON s.id = k.unit_id
    WHERE k.matter_id = c.id AND k.ended_at IS NULL AND k.stage = 'supervised_reply' LIMIT 1))"""


class _Listing(NamedTuple):
    """A view: SQL that finds one case more than a page, and the statement of the page."""

    found: str
    page: TextClause


def _listing(
    source: str,
    where: str,
    *,
    order: str,
    key: str,
    part: str = "NULL",
    part_due: str = "NULL",
    decides: str = "NULL",
) -> _Listing:
    more = ", a.role AS part_role, a.due_at AS part_due_at" if "assignment" in source else ""
    found = f"""
        SELECT c.* {more}
        FROM {source}
        WHERE {where} AND {VISIBLE_TO_STAFF}
        ORDER BY {order}
        LIMIT :size + 1"""  # noqa: S608 - put together from constants of this module
    page = listing_of(found, order=order, key=key, part=part, part_due=part_due, decides=decides)
    return _Listing(found, page)


def listing_of(
    found: str,
    *,
    order: str,
    key: str,
    part: str = "NULL",
    part_due: str = "NULL",
    decides: str = "NULL",
) -> TextClause:
    """The statement of a page. `found` is SQL of constants: one case more than a page, of those that the asker may see."""
    item = _ITEM.format(part=part, part_due=part_due, decides=decides)
    return text(f"""
    SELECT CAST(json_build_object(
      'items', coalesce(json_agg(item) FILTER (WHERE place <= :size), '[]'),
      'next', max(cursor) FILTER (WHERE place = :size AND total > :size)) AS text)
    FROM (
      SELECT {item} AS item, row_number() OVER w AS place, count(*) OVER () AS total,
        ({key} || '~' || c.id) AS cursor
      FROM ({found}) c
      JOIN unit h ON h.id = c.holder_unit_id
      LEFT JOIN unit v ON v.id = c.village_id
      WINDOW w AS (ORDER BY {order})
    ) page""")  # noqa: S608 - put together from constants of this module


# The cursor is the last item's due time in microseconds since 1970, and its id.
BY_DUE = {
    "order": "c.stage_due_at, c.id",
    "key": "CAST(extract(epoch FROM c.stage_due_at) * 1000000 AS bigint)",
}
NEWEST = {"order": "c.id DESC", "key": "'-'"}


def _after(due: str) -> str:
    """SQL: due later than the last item of the page before; `due` is a column.

    A first page begins after what comes before everything: one statement and one plan serve every page.
    """
    return f"({due}, c.id) > (CAST(:after_due AS timestamptz), CAST(:after_id AS uuid))"


AFTER_DUE = _after("c.stage_due_at")
_AFTER_ID = "c.id < CAST(:before_id AS uuid)"
_FINISHED = "c.phase NOT IN ('pending', 'handling')"
_OWN_PART = "assignment a JOIN grievance c ON c.id = a.matter_id AND c.round = a.round"
_PART = {"part": "c.part_role", "part_due": "c.part_due_at"}
# What was asked of the unit and nobody has decided: of a case with several requests, the one to be decided first.
_ASKED_OF_UNIT = """(
  SELECT DISTINCT ON (k.matter_id) g.*, k.stage AS asked, k.due_at AS asked_due_at
  FROM clock k JOIN grievance g ON g.id = k.matter_id
  WHERE k.unit_id = :unit_id AND k.ended_at IS NULL
    AND k.stage IN ('hand_back_decision', 'extension_decision', 'wait_decision', 'review', 'reexamination')
  ORDER BY k.matter_id, k.due_at, k.id
) c"""
# What was demanded of the unit, wherever the case is now.
_DEMANDED_OF_UNIT = """(
  SELECT g.*, k.due_at AS asked_due_at FROM clock k JOIN grievance g ON g.id = k.matter_id
  WHERE k.unit_id = :unit_id AND k.ended_at IS NULL AND k.stage = 'supervised_reply'
) c"""
_BY_ASKED = {
    "order": "c.asked_due_at, c.id",
    "key": "CAST(extract(epoch FROM c.asked_due_at) * 1000000 AS bigint)",
    "part_due": "c.asked_due_at",
}
_AFTER_ASKED = _after("c.asked_due_at")

_OF_UNIT = {
    View.TO_JUDGE: _listing(
        "grievance c",
        f"c.holder_unit_id = :unit_id AND c.phase = 'pending' AND {AFTER_DUE}",
        **BY_DUE,
    ),
    View.HANDLING: _listing(
        "grievance c",
        f"c.holder_unit_id = :unit_id AND c.phase = 'handling' AND {AFTER_DUE}",
        **BY_DUE,
    ),
    View.TO_SIGN: _listing(
        _OWN_PART,
        f"a.unit_id = :unit_id AND a.state = 'offered' AND {AFTER_DUE}",
        **BY_DUE,
        **_PART,
    ),
    View.ASSISTING: _listing(
        _OWN_PART,
        f"a.unit_id = :unit_id AND a.role = 'assist' AND a.state IN ('offered', 'signed') AND {AFTER_DUE}",
        **BY_DUE,
        **_PART,
    ),
    View.TO_DECIDE: _listing(_ASKED_OF_UNIT, _AFTER_ASKED, **_BY_ASKED, decides="c.asked"),
    View.TO_REPLY: _listing(_DEMANDED_OF_UNIT, _AFTER_ASKED, **_BY_ASKED),
    # The person may have entered them in a former post; the present post must be allowed to see them.
    View.REGISTERED: _listing(
        "grievance c",
        f"c.entered_by_staff_id = :viewer_id AND NOT c.sealed AND {_AFTER_ID}",
        **NEWEST,
    ),
    View.FINISHED: _listing(
        "matter_party own JOIN grievance c ON c.id = own.matter_id",
        f"own.unit_id = :unit_id AND {_FINISHED} AND own.matter_id < CAST(:before_id AS uuid)",
        **NEWEST,
    ),
}
OWN_VIEWS: Final = frozenset(_OF_UNIT)
# Those who look over the county find there what their own unit does not hold.
_OF_COUNTY = _OF_UNIT | {
    View.HANDLING: _listing(
        "grievance c",
        f"c.county_id = :county_id AND c.phase = 'handling' AND NOT c.sealed AND {AFTER_DUE}",
        **BY_DUE,
    ),
    View.FINISHED: _listing(
        "grievance c",
        f"c.county_id = :county_id AND NOT c.sealed AND {_FINISHED} AND {_AFTER_ID}",
        **NEWEST,
    ),
}
# What a supervisor's unit holds sealed has no parties and no county list: it stands in the unit's own lists.
_OF_SUPERVISOR = _OF_COUNTY | {
    View.HANDLING: _listing(
        "grievance c",
        f"c.phase = 'handling' AND (c.holder_unit_id = :unit_id OR (c.county_id = :county_id AND NOT c.sealed)) AND {AFTER_DUE}",
        **BY_DUE,
    ),
    View.FINISHED: _listing(
        "grievance c",
        f"(c.holder_unit_id = :unit_id OR (c.county_id = :county_id AND NOT c.sealed)) AND {_FINISHED} AND {_AFTER_ID}",
        **NEWEST,
    ),
}


async def inbox(
    tx: Transaction, view: View, *, by: StaffActor, cursor: str | None, size: int = PAGE
) -> str:
    """One page of one of OWN_VIEWS, as JSON: `items` and the cursor of the `next` page or null. Nothing is counted."""
    now = await tx.now()
    return await page(
        tx,
        _of(by, _OF_SUPERVISOR, _OF_COUNTY, _OF_UNIT)[view].page,
        cursor,
        size=size,
        now=now,
        **viewer(by),
    )


# More are not counted: they are shown as so many and more.
COUNTED: Final = 99


class _Counts(Struct, frozen=True):
    by_view: Json[dict[View, int]]


def _counting(views: Mapping[View, _Listing]) -> Query[_Counts]:
    """Each view read as its list reads it, up to one case more than is shown: the cost is that of a few pages."""
    counted = ", ".join(
        f"'{view}', (SELECT count(*) FROM ({one.found}) found)"  # noqa: S608 - put together from constants of this module
        for view, one in views.items()
    )
    return Query(_Counts, f"SELECT json_build_object({counted}) AS by_view")


_COUNT_OF_UNIT, _COUNT_OF_COUNTY, _COUNT_OF_SUPERVISOR = map(
    _counting, (_OF_UNIT, _OF_COUNTY, _OF_SUPERVISOR)
)


async def counts(tx: Transaction, *, by: StaffActor) -> dict[View, int]:
    """How many cases each view of the inbox has, up to COUNTED + 1."""
    found = await _of(by, _COUNT_OF_SUPERVISOR, _COUNT_OF_COUNTY, _COUNT_OF_UNIT).one(
        tx,
        size=COUNTED,
        after_due=_EPOCH,
        after_id=_BEFORE_ALL,
        before_id=_AFTER_ALL,
        **viewer(by),
    )
    return found.by_view


def _of(by: StaffActor, supervisor: Views, county: Views, unit: Views) -> Views:
    """The views of a supervisor, of an actor who sees the county, or of a unit."""
    return supervisor if viewer(by)["supervises"] else county if by.sees_county else unit


_MINE = text("""
SELECT CAST(json_build_object(
  'items', coalesce(json_agg(item) FILTER (WHERE place <= :size), '[]'),
  'next', max(cursor) FILTER (WHERE place = :size AND total > :size)) AS text)
FROM (
  SELECT json_build_object('ref', c.ref, 'title', c.title, 'phase', t.phase, 'received_at', c.received_at,
      'holder', h.name, 'waiting', t.waiting, 'answered_at', t.answered_at, 'merged', t.id <> c.id) AS item,
    row_number() OVER (ORDER BY c.id DESC) AS place, count(*) OVER () AS total, '-~' || c.id AS cursor
  FROM (
    SELECT * FROM grievance
    WHERE citizen_id = :citizen_id AND id < CAST(:before_id AS uuid)
    ORDER BY id DESC LIMIT :size + 1
  ) c
  -- What was joined to another case stands as that one does.
  CROSS JOIN LATERAL (
    WITH RECURSIVE above AS (
      SELECT c.id, c.phase, c.waiting, c.answered_at, c.holder_unit_id, c.primary_id, c.sealed
      UNION
      SELECT g.id, g.phase, g.waiting, g.answered_at, g.holder_unit_id, g.primary_id, g.sealed
      FROM above a JOIN grievance g ON g.id = a.primary_id AND g.sealed = a.sealed
    ) SELECT * FROM above WHERE primary_id IS NULL
  ) t
  JOIN unit h ON h.id = t.holder_unit_id
) page""")


async def mine(tx: Transaction, *, by: CitizenActor, cursor: str | None, size: int = PAGE) -> str:
    """The cases of the citizen, newest first; as JSON like an inbox."""
    return await page(tx, _MINE, cursor, size=size, citizen_id=by.citizen_id)


async def page(tx: Transaction, statement: TextClause, cursor: str | None, **binds: Any) -> str:
    due, after = read_cursor(cursor)
    page: str = await tx.scalar(
        statement,
        after_due=due or _EPOCH,
        after_id=after or _BEFORE_ALL,
        before_id=after or _AFTER_ALL,
        **binds,
    )
    return page

"""The county's cases with filters, for those who look over the county. What they have to do themselves is in queries.py.

Open cases come by the due time of their present stage, finished ones newest first. Nothing is counted, and what the asker
may not see is left out before a page is cut.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import TextClause

from app.auth.actor import StaffActor
from app.cases import access
from app.cases.lifecycle import Phase
from app.cases.queries import AFTER_DUE, BY_DUE, NEWEST, View, listing_of, page
from app.db import Transaction
from app.db.query import Query
from app.directory.queries import carries_on_for
from app.errors import InvalidInput
from app.limits.terms import Kind
from app.matters.visibility import VISIBLE_TO_STAFF, viewer

PAGE: Final = 50
VIEWS: Final = frozenset(View) - {View.REGISTERED}


class Due(StrEnum):
    """How a case stands with the limit of its present stage. SOON: it has been reminded of (预警) and is not over."""

    OVERDUE = "overdue"
    SOON = "soon"


@dataclass(frozen=True, slots=True)
class Filter:
    """What of a list is asked for; None is everything. Units by their codes; the moments from the first to before the last.

    `township` is where a case arose: its village, or where it has none the unit that took it in; with all below.
    `category_id` stands for all categories below it. `due_since` and `due_until` are about the present stage.
    """

    holder: str | None = None
    lead: str | None = None
    assistant: str | None = None
    township: str | None = None
    category_id: int | None = None
    kind: Kind | None = None
    phase: Phase | None = None
    urgent: bool | None = None
    listed: bool | None = None
    supervised: bool | None = None
    due: Due | None = None
    received_since: datetime | None = None
    received_until: datetime | None = None
    due_since: datetime | None = None
    due_until: datetime | None = None


_OPEN: Final = (Phase.PENDING, Phase.HANDLING)
_PHASES: Final = {View.OPEN: _OPEN, View.TO_DECIDE: _OPEN, View.TO_REPLY: _OPEN,
    View.TO_JUDGE: (Phase.PENDING,)}  # fmt: skip
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)


class _FilterIds(Struct, frozen=True):
    holder: list[int] | None
    lead: list[int] | None
    assistant: list[int] | None
    township: list[int] | None
    category_id: list[int] | None


# Who a code stands for: the unit, and those that it carries on for. An empty list: there is no such unit, place or category.
_MEANT: Final = Query(
    _FilterIds,
    f"""
SELECT {
        ", ".join(
            f'''CASE WHEN CAST(:{name} AS text) IS NOT NULL THEN {
                carries_on_for(
                    f"(SELECT id FROM unit WHERE code = :{name} AND county_id = :county_id AND kind NOT IN ('county', 'city', 'province'))"
                )
            } END AS {name}'''
            for name in ("holder", "lead", "assistant")
        )
    },
  CASE WHEN CAST(:township AS text) IS NOT NULL THEN ARRAY(
    WITH RECURSIVE below AS (
      SELECT id FROM unit WHERE id = ANY({
        carries_on_for(
            "(SELECT id FROM unit WHERE code = :township AND county_id = :county_id AND kind IN ('township', 'village'))"
        )
    })
      UNION SELECT u.id FROM unit u JOIN below ON u.parent_id = below.id
    ) SELECT id FROM below) END AS township,
  CASE WHEN CAST(:category_id AS int) IS NOT NULL THEN ARRAY(
    WITH RECURSIVE below AS (
      SELECT id FROM category WHERE id = :category_id
      UNION SELECT k.id FROM category k JOIN below ON k.parent_id = below.id
    ) SELECT id FROM below) END AS category_id""",  # noqa: S608 - conditions of our own
)


def _has(table: str, condition: str) -> str:
    """Whether there is such a row. Not by EXISTS, which the planner may answer by reading all of a table that was small."""
    return f"((SELECT true FROM {table} WHERE {condition} LIMIT 1) IS TRUE)"  # noqa: S608 - constants


def _has_part(condition: str) -> str:
    return _has("assignment a", f"a.matter_id = c.id AND a.round = c.round AND {condition}")


def _has_running(condition: str) -> str:
    return _has("clock k", f"k.matter_id = c.id AND k.ended_at IS NULL AND {condition}")


_STATES_WITH_A_PART: Final = "('offered', 'signed', 'answered')"
# Each holds where nothing is asked for. Those that an index finds rows by stand in the sources below as well.
ASKED: Final = f"""
  (CAST(:holders AS int[]) IS NULL OR c.holder_unit_id = ANY(:holders))
  AND (CAST(:leads AS int[]) IS NULL OR
    {_has_part(f"a.role = 'lead' AND a.state IN {_STATES_WITH_A_PART} AND a.unit_id = ANY(:leads)")})
  AND (CAST(:assistants AS int[]) IS NULL OR
    {_has_part(f"a.role = 'assist' AND a.state IN {_STATES_WITH_A_PART} AND a.unit_id = ANY(:assistants)")})
  AND (CAST(:places AS int[]) IS NULL OR coalesce(c.village_id, c.first_unit_id) = ANY(:places))
  AND (CAST(:categories AS int[]) IS NULL OR c.category_id = ANY(:categories))
  AND (CAST(:kind AS text) IS NULL OR c.kind = :kind)
  AND (CAST(:phases AS text[]) IS NULL OR c.phase = ANY(:phases))
  AND (CAST(:urgent AS boolean) IS NULL OR c.urgent = :urgent)
  AND (CAST(:listed AS boolean) IS NULL OR (c.listed_at IS NOT NULL) = :listed)
  AND (CAST(:supervised AS boolean) IS NULL OR {_has_running("k.stage = 'supervised_reply'")} = :supervised)
  AND (NOT CAST(:to_sign AS boolean) OR {_has_part("a.state = 'offered'")})
  AND (NOT CAST(:assisting AS boolean) OR {_has_part("a.role = 'assist' AND a.state IN ('offered', 'signed')")})
  AND (NOT CAST(:to_decide AS boolean) OR
    {_has_running("k.stage IN ('hand_back_decision', 'extension_decision', 'wait_decision', 'review', 'reexamination')")})
  AND (NOT CAST(:overdue AS boolean) OR c.waiting IS NULL AND c.stage_due_at < :now)
  AND (NOT CAST(:soon AS boolean) OR c.waiting IS NULL AND c.stage_due_at > :now AND
    {_has_running("k.stage IN ('judge', 'handle') AND k.remind_at <= :now AND k.due_at > :now")})
  AND c.received_at >= :received_since AND c.received_at < :received_until
  AND {VISIBLE_TO_STAFF}"""
_IS_OPEN: Final = "c.phase IN ('pending', 'handling')"
_IS_FINISHED: Final = "c.phase NOT IN ('pending', 'handling')"
_DUE: Final = f"{AFTER_DUE} AND c.stage_due_at >= :due_since AND c.stage_due_at < :due_until"
# Ids are made in the order in which cases come in: so the time of receipt is a range of the index.
_IN_ORDER: Final = "c.id < CAST(:before_id AS uuid) AND c.id >= CAST(:first_id AS uuid) AND c.id < CAST(:last_id AS uuid)"


def _some(source: str, where: str, order: str) -> str:
    """So many of one source as a page needs, each found by its place in an index."""
    return f"(SELECT c.* FROM {source} WHERE {where} AND {ASKED} ORDER BY {order} LIMIT :size + 1)"  # noqa: S608 - constants


@cache
def _statement(by: str) -> TextClause:
    """`by`: what the rows are found by, which is a key of the tables below."""
    finished = by in _FINISHED_BY
    order, state = ("c.id DESC", _IS_FINISHED) if finished else ("c.stage_due_at, c.id", _IS_OPEN)
    place = _IN_ORDER if finished else _DUE
    each, sources = (_FINISHED_BY if finished else _OPEN_BY)[by]
    ordinary = [
        _some(source, f"c.county_id = :county_id AND NOT c.sealed AND {state} AND {which} AND {place}", order)
        for source, which in sources
    ]  # fmt: skip
    # What is sealed is there for the inspectors of the unit that holds it, and has a source of its own.
    sealed = _some(
        "grievance c",
        f":supervises AND c.sealed AND c.holder_unit_id = :unit_id AND {state} AND {place}",
        order,
    )
    found = f"SELECT c.* FROM {each} ({' UNION ALL '.join(ordinary)}) c UNION ALL {sealed}"  # noqa: S608 - constants
    # A unit and the one that it carries on for may both be parties.
    once = "DISTINCT ON (c.id)" if finished else ""
    found = f"SELECT {once} c.* FROM ({found}) c ORDER BY {order} LIMIT :size + 1"  # noqa: S608 - constants
    return listing_of(found, **(NEWEST if finished else BY_DUE))


_EACH_PHASE: Final = "unnest(CAST(:phases AS text[])) AS open(phase)"
_OPEN_BY: Final = {
    "open_county": (
        f"{_EACH_PHASE} CROSS JOIN LATERAL",
        [("grievance c", "c.phase = open.phase")],
    ),
    "open_holder": (
        f"{_EACH_PHASE} CROSS JOIN unnest(CAST(:holders AS int[])) AS one(id) CROSS JOIN LATERAL",
        [("grievance c", "c.phase = open.phase AND c.holder_unit_id = one.id")],
    ),
}
_FINISHED_BY: Final = {
    "finished_county": ("", [("grievance c", "true")]),
    # Whoever holds, leads or assists is a party to it.
    "finished_party": (
        "unnest(CAST(:parties AS int[])) AS one(id) CROSS JOIN LATERAL",
        [("matter_party own JOIN grievance c ON c.id = own.matter_id",
          "own.unit_id = one.id AND own.matter_id < CAST(:before_id AS uuid)")],
    ),
    "finished_category": (
        "unnest(CAST(:categories AS int[])) AS one(id) CROSS JOIN LATERAL",
        [("grievance c", "c.category_id = one.id")],
    ),
    "finished_place": (
        "unnest(CAST(:places AS int[])) AS one(id) CROSS JOIN LATERAL",
        [("grievance c", "c.village_id = one.id"),
         ("grievance c", "c.village_id IS NULL AND c.first_unit_id = one.id")],
    ),
}  # fmt: skip


async def county_page(
    tx: Transaction,
    view: View,
    asked: Filter,
    *,
    by: StaffActor,
    cursor: str | None,
    size: int = PAGE,
) -> str:
    """One page as JSON, like an inbox. Two statements where units, places or categories are named, else one.

    Raises NotPermitted for those who do not look over the county, InvalidInput for a unit, place or category that is not there.
    """
    access.require_county_view(by)
    finished = view is View.FINISHED
    _require_sense(asked, finished=finished)
    meant = await _meant(tx, asked, by)
    binds = _binds(view, asked, meant, _phases(view, asked.phase))
    return await page(
        tx,
        _statement(_found_by(meant, finished=finished)),
        cursor,
        size=size,
        now=await tx.now(),
        **viewer(by),
        **binds,
        parties=next((meant[name] for name in _UNITS if meant[name] is not None), None),
        **_times(asked),
    )


async def binds_of(
    tx: Transaction, asked: Filter, *, finished: bool | None, by: StaffActor
) -> dict[str, Any]:
    """The binds of ASKED, for a statement of its own; `finished` None: open and finished ones. Reads where codes are given.

    Raises InvalidInput for a unit, place or category that is not there.
    """
    phases = None if finished is None else [p for p in Phase if (p not in _OPEN) is finished]
    meant = await _meant(tx, asked, by)
    times = {name: at for name, at in _times(asked).items() if name.startswith("received")}
    return {
        "now": await tx.now(),
        **viewer(by),
        **_binds(View.OPEN, asked, meant, phases),
        **times,
    }


def _binds(
    view: View, asked: Filter, meant: dict[str, list[int] | None], phases: list[Phase] | None
) -> dict[str, Any]:
    return {
        **meant,
        "phases": phases,
        "to_sign": view is View.TO_SIGN,
        "assisting": view is View.ASSISTING,
        "to_decide": view is View.TO_DECIDE,
        "supervised": True if view is View.TO_REPLY else asked.supervised,
        "overdue": asked.due is Due.OVERDUE,
        "soon": asked.due is Due.SOON,
        "kind": asked.kind,
        "urgent": asked.urgent,
        "listed": asked.listed,
    }


_UNITS: Final = ("holders", "leads", "assistants")
_NAMES: Final = {
    "holder": "holders", "lead": "leads", "assistant": "assistants", "township": "places", "category_id": "categories",
}  # fmt: skip


async def _meant(tx: Transaction, asked: Filter, by: StaffActor) -> dict[str, list[int] | None]:
    given = {name: getattr(asked, name) for name in _NAMES}
    if not any(one is not None for one in given.values()):
        return dict.fromkeys(_NAMES.values())
    found = await _MEANT.one(tx, county_id=by.county_id, **given)
    ids: dict[str, list[int] | None] = {name: getattr(found, name) for name in _NAMES}
    unknown = [name for name in _NAMES if ids[name] == []]
    if unknown:
        raise InvalidInput(
            mistakes=[
                {"where": f"query.{name}", "what": "没有这一项，请重新选择"} for name in unknown
            ]
        )
    return {many: ids[name] for name, many in _NAMES.items()}


def _phases(view: View, asked: Phase | None) -> list[Phase] | None:
    if view is View.FINISHED:
        return None if asked is None else [asked]
    return [one for one in _PHASES.get(view, (Phase.HANDLING,)) if asked in (None, one)]


def _found_by(meant: dict[str, list[int] | None], *, finished: bool) -> str:
    if not finished:
        return "open_county" if meant["holders"] is None else "open_holder"
    if any(meant[name] is not None for name in _UNITS):
        return "finished_party"
    if meant["categories"] is not None:
        return "finished_category"
    return "finished_county" if meant["places"] is None else "finished_place"


def _require_sense(asked: Filter, *, finished: bool) -> None:
    """Raises InvalidInput for what the view has none of: a list that is always empty would be taken for an answer."""
    mistakes = []
    if asked.phase is not None and (asked.phase in _OPEN) is finished:
        mistakes.append({"where": "query.phase", "what": "与所选视图不符"})
    if finished and (asked.due or asked.due_since or asked.due_until):
        mistakes.append({"where": "query.due", "what": "已办结的事件没有当前环节的期限"})
    if mistakes:
        raise InvalidInput(mistakes=mistakes)


def _times(asked: Filter) -> dict[str, Any]:
    since, until = asked.received_since or _FIRST, asked.received_until or _LAST
    return {
        "received_since": since,
        "received_until": until,
        "first_id": _id_at(since),
        "last_id": _id_at(until),
        "due_since": asked.due_since or _FIRST,
        "due_until": asked.due_until or _LAST,
    }


def _id_at(moment: datetime) -> UUID:
    """Before every id that is made at that moment (app/identifiers.py)."""
    return UUID(int=(moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) << 80)

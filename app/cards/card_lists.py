"""What people see of cards: lists, one in full, what is shown in red at sign-in, and the counts per unit. Changes nothing.

A card must not betray a sealed case: whatever is listed, shown or counted passes SEEN, for each viewer anew.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from app.auth.actor import StaffActor
from app.auth.posts import held_in
from app.calendars.reading import calendar_of
from app.calendars.working_time import Limit, LimitUnit, WorkingCalendar
from app.cards.models import Appeal, Card, CardCause, CardLevel
from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query, columns
from app.directory.queries import carried_on_by, carries_on_for
from app.errors import NotFound, NotPermitted
from app.matters import visibility
from app.matters.cursors import read_cursor
from app.matters.visibility import VISIBLE_TO_STAFF

# How long after it was issued a card may be appealed against.
APPEAL_WINDOW: Final = Limit(5, LimitUnit.WORKING_DAYS)
SHOWN_AT_SIGN_IN: Final = timedelta(days=30)
MOST_AT_SIGN_IN: Final = 20
PAGE: Final = 50
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=SHANGHAI)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=SHANGHAI)
_AFTER_ALL: Final = UUID(int=2**128 - 1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# A unit that was merged or renamed keeps its cards under its name; they count for the one that carries on.
_OWN_UNITS: Final = carries_on_for(":unit_id")
_NAMED_UNITS: Final = carries_on_for("(SELECT id FROM unit WHERE code = :code)")
# Binds: those of VISIBLE_TO_STAFF, and :staff_id. A card stays its unit's and its person's, wherever the case or the
# person has gone; of a sealed case it is there for those alone who see the case.
SEEN: Final = f"""({VISIBLE_TO_STAFF} OR (NOT c.sealed AND (
  k.staff_id = :staff_id OR (:acts_or_looks AND k.unit_id = ANY({_OWN_UNITS})))))"""

# Whether the asker is, or was on the day that ended when the card took effect, of the unit carded, or is of the one that
# appealed. Binds :staff_id.
_CONFLICT: Final = f"""({held_in("k.unit_id")} OR {held_in("a.by_unit_id")} OR EXISTS (
  SELECT FROM post o WHERE o.staff_id = :staff_id AND o.unit_id = k.unit_id
    AND o.valid_from <= CAST(k.effective_at - interval '1 second' AS date)
    AND (o.valid_to IS NULL OR o.valid_to >= CAST(k.effective_at - interval '1 second' AS date))))"""

_FROM: Final = """
FROM card k
JOIN matter_facts c ON c.id = k.matter_id
JOIN unit u ON u.id = k.unit_id
LEFT JOIN appeal a ON a.card_id = k.id"""


def _columns(field: str = "") -> str:
    """The SELECT list for a SeenCard, or for the field of that type."""
    of = f"{field}_" if field else ""
    return f"""
  {columns("k", Card, f"{of}card")}, {columns("a", Appeal, f"{of}appeal")},
  c.ref AS {of}ref, CASE WHEN {VISIBLE_TO_STAFF} THEN c.title END AS {of}title, u.code AS {of}unit_code,
  k.unit_id = ANY({_OWN_UNITS}) AS {of}of_own_unit"""


class Whose(StrEnum):
    """Whose cards are listed."""

    UNIT = "unit"
    ME = "me"
    COUNTY = "county"
    # The county's against which an appeal was made that nobody has decided.
    APPEALED = "appealed"
    # The county's that rest on a calendar which has changed since.
    REVIEW = "review"


class AppealState(StrEnum):
    NONE = "none"
    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"

    @property
    def chinese(self) -> str:
        return {"none": "未申诉", "open": "申诉中", "upheld": "申诉成立", "rejected": "维持"}[self]


@dataclass(frozen=True, slots=True)
class Filter:
    """What of a list is asked for; None is everything. `person_id` is for those who look over the county."""

    level: CardLevel | None = None
    cause: CardCause | None = None
    unit_code: str | None = None
    person_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeenCard:
    """A card as somebody sees it, with the appeal against it; `title` is empty for those who no longer see the case."""

    card: Card
    appeal: Appeal | None
    ref: str
    title: str | None
    unit_code: str
    # Of the asker's unit, or one that it carries on for.
    of_own_unit: bool

    @property
    def state(self) -> AppealState:
        if self.appeal is None:
            return AppealState.NONE
        if self.appeal.decided_at is None:
            return AppealState.OPEN
        return AppealState.UPHELD if self.appeal.upheld else AppealState.REJECTED


@dataclass(frozen=True, slots=True)
class Page:
    cards: list[SeenCard]
    next: str | None


@dataclass(frozen=True, slots=True)
class InFull:
    """A card with the names of those who issued it, appealed and decided.

    `appeal_until`: until when an appeal may be made, by the county's calendar as it is now; empty where none may be.
    `conflict`: whether the asker has a post, in which they need not be acting, that keeps them from deciding about it.
    """

    seen: SeenCard
    appeal_until: datetime | None
    conflict: bool
    issued_by: str | None = None
    appealed_by: str | None = None
    appealed_by_unit: str | None = None
    decided_by: str | None = None
    decided_by_unit: str | None = None


@dataclass(frozen=True, slots=True)
class UnitCount:
    """Cards of a unit that took effect in a period: all there were (gross), and those that stand (net)."""

    unit_code: str
    unit_name: str
    yellow: int
    red: int
    yellow_standing: int
    red_standing: int
    appeals_open: int

    @property
    def gross(self) -> int:
        return self.yellow + self.red

    @property
    def net(self) -> int:
        return self.yellow_standing + self.red_standing


def _listing(which: str) -> Query[SeenCard]:
    return Query(
        SeenCard,
        f"""
    SELECT {_columns()} {_FROM}
    WHERE {which} AND k.effective_at >= :since AND k.effective_at < :until
      AND (k.effective_at, k.id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid))
      AND k.level = coalesce(:level, k.level) AND k.cause = coalesce(:cause, k.cause)
      AND (CAST(:code AS text) IS NULL OR k.unit_id = ANY({_NAMED_UNITS})) AND {SEEN}
    ORDER BY k.effective_at DESC, k.id DESC LIMIT :most""",
    )


_OF_UNIT = _listing(f"k.unit_id = ANY({_OWN_UNITS})")
_OF_ME = _listing("k.staff_id = :staff_id")
_OF_COUNTY = _listing("k.county_id = :county_id")
_OF_A_UNIT = _listing(f"k.county_id = :county_id AND k.unit_id = ANY({_NAMED_UNITS})")
_OF_A_PERSON = _listing("k.county_id = :county_id AND k.staff_id = :person")
_APPEALED = _listing("k.county_id = :county_id AND a.id IS NOT NULL AND a.decided_at IS NULL")
# No card is changed because a calendar was: those whose limit ran over a day that has been changed since are listed, for
# somebody to look at (what a year said when it was published is no change: no card rests on one that was not); and those
# that began at an hour which was after hours before and no longer is, or the other way round, or counted office hours that
# have been changed.
_TO_REVIEW = _listing("""k.county_id = :county_id AND k.revoked_at IS NULL AND EXISTS (
    SELECT FROM clock w
    JOIN calendar_change h ON h.county_id = k.county_id AND h.at > k.issued_at
    JOIN calendar_day d ON d.county_id = h.county_id AND d.version = h.version
    JOIN calendar_year y ON y.county_id = d.county_id AND y.year = EXTRACT(year FROM d.day) AND y.version < d.version
    WHERE w.id = k.clock_id AND d.day BETWEEN CAST(w.started_at AS date) AND CAST(k.effective_at AS date)
    UNION ALL
    SELECT FROM clock w
    JOIN calendar_change h ON h.county_id = k.county_id AND h.at > k.issued_at
    JOIN calendar_change p ON p.county_id = h.county_id AND p.version = h.version - 1
    WHERE w.id = k.clock_id AND (
      CAST(w.started_at AS time) > least(p.closes, h.closes) AND CAST(w.started_at AS time) <= greatest(p.closes, h.closes)
      OR (w."limit" LIKE '%wh' OR w.yellow_after LIKE '%wh' OR w.red_after LIKE '%wh')
        AND (p.opens, p.noon_from, p.noon_to, p.closes) IS DISTINCT FROM (h.opens, h.noon_from, h.noon_to, h.closes)))""")
_OF_COUNTYS = {Whose.APPEALED: _APPEALED, Whose.REVIEW: _TO_REVIEW}
_AT_SIGN_IN = Query(
    SeenCard,
    f"""
SELECT {_columns()} {_FROM}
WHERE k.unit_id = ANY({_OWN_UNITS}) AND k.revoked_at IS NULL AND (k.issued_at > :recent OR a.id IS NOT NULL AND a.decided_at IS NULL) AND {SEEN}
ORDER BY k.effective_at DESC, k.id DESC LIMIT :most""",
)


class _CardInFull(Struct, frozen=True):
    """A card, and what InFull tells besides."""

    seen: SeenCard
    conflict: bool
    sealed: bool
    issued_by: str | None
    appealed_by: str | None
    appealed_by_unit: str | None
    decided_by: str | None
    decided_by_unit: str | None
    calendar_version: int | None


_ONE = Query(
    _CardInFull,
    f"""
SELECT {_columns("seen")}, {_CONFLICT} AS conflict, c.sealed, issuer.name AS issued_by, appellant.name AS appealed_by,
  appellant_unit.name AS appealed_by_unit, decider.name AS decided_by, decider_unit.name AS decided_by_unit,
  (SELECT version FROM calendar WHERE county_id = k.county_id) AS calendar_version
{_FROM}
LEFT JOIN staff issuer ON issuer.id = k.issued_by_staff_id
LEFT JOIN staff appellant ON appellant.id = a.by_staff_id
LEFT JOIN unit appellant_unit ON appellant_unit.id = a.by_unit_id
LEFT JOIN staff decider ON decider.id = a.decided_by_staff_id
LEFT JOIN unit decider_unit ON decider_unit.id = a.decided_by_unit_id
WHERE k.id = :id AND {SEEN}""",  # noqa: S608 - constants of this module
)


def _counting(which: str) -> Query[UnitCount]:
    return Query(
        UnitCount,
        f"""
    SELECT heir.code AS unit_code, heir.name AS unit_name, CAST(sum(counted.yellow) AS int) AS yellow, CAST(sum(counted.red) AS int) AS red,
      CAST(sum(counted.yellow_standing) AS int) AS yellow_standing, CAST(sum(counted.red_standing) AS int) AS red_standing,
      CAST(sum(counted.appeals_open) AS int) AS appeals_open
    FROM (
    SELECT k.unit_id,
      count(*) FILTER (WHERE k.level = 'yellow') AS yellow, count(*) FILTER (WHERE k.level = 'red') AS red,
      count(*) FILTER (WHERE k.level = 'yellow' AND k.revoked_at IS NULL) AS yellow_standing,
      count(*) FILTER (WHERE k.level = 'red' AND k.revoked_at IS NULL) AS red_standing,
      count(*) FILTER (WHERE a.id IS NOT NULL AND a.decided_at IS NULL) AS appeals_open
    {_FROM}
    WHERE {which} AND k.effective_at >= :since AND k.effective_at < :until AND {SEEN}
    GROUP BY k.unit_id
    ) counted JOIN unit heir ON heir.id = {carried_on_by("id = counted.unit_id")}
    GROUP BY heir.id ORDER BY sum(counted.yellow_standing + counted.red_standing) DESC, heir.code""",  # noqa: S608 - constants
    )


_COUNTS_OF_UNIT = _counting(f"k.unit_id = ANY({_OWN_UNITS})")
_COUNTS_OF_COUNTY = _counting("k.county_id = :county_id")


def viewer(by: StaffActor) -> dict[str, Any]:
    """The binds of SEEN."""
    return {**visibility.viewer(by), "staff_id": by.staff_id}


async def page(
    tx: Transaction,
    whose: Whose,
    asked: Filter,
    *,
    by: StaffActor,
    cursor: str | None,
    size: int = PAGE,
) -> Page:
    """Cards by when they took effect, the newest first; nothing is counted. One statement.

    Raises NotPermitted for the county's where one does not look over it.
    """
    before_at, before_id = read_cursor(cursor)
    statement, binds = _chosen(whose, asked, by)
    rows = await statement.all(
        tx,
        since=asked.since or _EARLIEST,
        until=asked.until or _LATEST,
        before_at=before_at or _LATEST,
        before_id=before_id or _AFTER_ALL,
        level=asked.level,
        cause=asked.cause,
        code=asked.unit_code,
        most=size + 1,
        **binds,
    )
    cards = rows[:size]
    return Page(cards, _cursor(cards[-1]) if len(rows) > size else None)


async def get_card(tx: Transaction, card_id: UUID, *, by: StaffActor) -> InFull:
    """Raises NotFound for cards that are not there or not the asker's to see."""
    row = await _ONE.one_or_none(tx, id=card_id, **viewer(by))
    if row is None:
        raise NotFound
    seen = row.seen
    calendar = await calendar_of(tx, seen.card.county_id, row.calendar_version or 0)
    return InFull(
        seen=seen,
        appeal_until=appeal_until(seen.card, calendar, sealed=row.sealed),
        conflict=row.conflict,
        issued_by=row.issued_by,
        appealed_by=row.appealed_by,
        appealed_by_unit=row.appealed_by_unit,
        decided_by=row.decided_by,
        decided_by_unit=row.decided_by_unit,
    )


def appeal_until(card: Card, calendar: WorkingCalendar, *, sealed: bool) -> datetime | None:
    """Of a sealed case never: somebody outside the unit would have to decide, who must not learn that it exists."""
    return None if sealed else calendar.due(card.issued_at, APPEAL_WINDOW).at


async def shown_at_sign_in(tx: Transaction, *, by: StaffActor, now: datetime) -> list[SeenCard]:
    """What is shown in red to anyone of the unit who signs in: cards that stand, recent or with an appeal undecided.

    An appeal takes none off sooner than silence does: nobody is to appeal for that.
    """
    return await _AT_SIGN_IN.all(
        tx, recent=now - SHOWN_AT_SIGN_IN, most=MOST_AT_SIGN_IN, **viewer(by)
    )


async def count_by_unit(
    tx: Transaction, *, by: StaffActor, since: datetime, until: datetime
) -> list[UnitCount]:
    """The county's for those who look over it, else the own unit's; units without cards are not named."""
    statement = _COUNTS_OF_COUNTY if by.sees_county else _COUNTS_OF_UNIT
    return await statement.all(tx, since=since, until=until, **viewer(by))


def require_county_wide(by: StaffActor) -> None:
    """Raises NotPermitted for those who do not look over the county."""
    if not by.sees_county:
        raise NotPermitted("只有县领导、指挥中心调度员和督查员可以查看全县的情况。")


def _chosen(whose: Whose, asked: Filter, by: StaffActor) -> tuple[Query[SeenCard], dict[str, Any]]:
    binds = viewer(by)
    if whose is Whose.UNIT:
        return _OF_UNIT, binds
    if whose is Whose.ME:
        return _OF_ME, binds
    require_county_wide(by)
    if whose in _OF_COUNTYS:
        return _OF_COUNTYS[whose], binds
    if asked.person_id is not None:
        return _OF_A_PERSON, {**binds, "person": asked.person_id}
    if asked.unit_code is not None:
        return _OF_A_UNIT, binds
    return _OF_COUNTY, binds


def _cursor(seen: SeenCard) -> str:
    card = seen.card
    return f"{(card.effective_at - _EPOCH) // timedelta(microseconds=1)}~{card.id}"

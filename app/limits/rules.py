"""Which limit holds for a stage: a county's rules, most specific first, then the defaults. Pure; knows no table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple, Self

from msgspec import Struct

from app.calendars.working_time import Limit, LimitUnit
from app.directory.terms import UnitKind
from app.limits.terms import WITHOUT_CARDS, Kind, Stage


class Place(NamedTuple):
    """What a rule speaks of; None is "any". A county has at most one rule for each place."""

    stage: Stage
    tier: UnitKind | None = None
    kind: Kind | None = None
    category_id: int | None = None
    urgent: bool | None = None

    def named(self, source: str) -> str:
        """Such as default/judge/village or v3/handle/category-12/complaint/urgent."""
        parts = (
            source,
            self.stage,
            None if self.category_id is None else f"category-{self.category_id}",
            self.kind,
            None if self.urgent is None else "urgent" if self.urgent else "ordinary",
            self.tier,
        )
        return "/".join(part for part in parts if part is not None)


class Measure(NamedTuple):
    """What a rule says of its place: how long, and what follows."""

    limit: Limit
    remind_before: int
    yellow_after: Limit
    red_after: Limit | None


class Rule(Struct, frozen=True):
    """A limit and what follows from it; `name` is what is kept on the case.

    `remind_before` are working days before the due day, 0 being no reminder. `yellow_after` and `red_after` count from
    the due time, 0 being that itself; without `red_after` there is no red card.
    """

    stage: Stage
    limit: Limit
    remind_before: int
    yellow_after: Limit
    red_after: Limit | None
    tier: UnitKind | None
    kind: Kind | None
    category_id: int | None
    urgent: bool | None
    name: str

    @property
    def place(self) -> Place:
        return Place(self.stage, self.tier, self.kind, self.category_id, self.urgent)

    @property
    def measure(self) -> Measure:
        return Measure(self.limit, self.remind_before, self.yellow_after, self.red_after)

    @classmethod
    def made(cls, place: Place, measure: Measure, source: str) -> Self:
        """Named after where it comes from: the defaults, or the version that set it."""
        return cls(
            place.stage,
            *measure,
            place.tier,
            place.kind,
            place.category_id,
            place.urgent,
            place.named(source),
        )


_Asked = tuple[Stage, UnitKind | None, Kind, tuple[int, ...], bool]


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """The rules a county set, as of a version. What they leave open, the defaults say."""

    version: int
    rules: tuple[Rule, ...]
    _at: Mapping[Place, Rule] = field(init=False, repr=False)
    _categories: frozenset[int] = field(init=False, repr=False)
    # No larger than the combinations that rules tell apart: categories without a rule are left out of the key.
    _answered: dict[_Asked, Rule] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        at = {rule.place: rule for rule in self.rules}
        if len(at) != len(self.rules):
            raise ValueError("two rules for one place")
        object.__setattr__(self, "_at", at)
        named = frozenset(one.category_id for one in self.rules if one.category_id is not None)
        object.__setattr__(self, "_categories", named)

    def at(self, place: Place) -> Rule | None:
        """What the county set for exactly this place."""
        return self._at.get(place)

    def of(
        self,
        stage: Stage,
        *,
        tier: UnitKind | None,
        kind: Kind,
        categories: Sequence[int],
        urgent: bool,
    ) -> Rule:
        """The most specific rule: by category (nearest first), then kind, then urgency, then tier of the holder.

        `categories` are the case's own and those above it. A tier of None (of the whole case) finds rules for any tier.
        """
        named = tuple(one for one in categories if one in self._categories)
        asked = (stage, tier, kind, named, urgent)
        found = self._answered.get(asked)
        if found is None:
            found = self._first(asked) or DEFAULTS._first((stage, tier, kind, (), urgent))
            assert found is not None, "the defaults are total"
            self._answered[asked] = found
        return found

    def _first(self, asked: _Asked) -> Rule | None:
        return next((rule for place in _places(asked) if (rule := self._at.get(place))), None)


def _places(asked: _Asked) -> Iterator[Place]:
    """All that match, most specific first. No two weigh the same."""
    stage, asked_tier, asked_kind, categories, asked_urgent = asked
    for category in (*categories, None):
        for kind in (asked_kind, None):
            for urgent in (asked_urgent, None):
                for tier in (asked_tier, None):
                    yield Place(stage, tier, kind, category, urgent)


def usual_reminder(limit: Limit) -> int:
    """How many working days before the end one is reminded, where nothing else is said."""
    if limit.amount == 0 or limit.unit is LimitUnit.WORKING_HOURS:
        return 0
    if limit.amount <= 3:
        return 1
    return 2 if limit.amount < 10 else 5


AT_ONCE: Final = Limit(0, LimitUnit.WORKING_DAYS)
LONG_OVERDUE: Final = Limit(5, LimitUnit.WORKING_DAYS)
URGENT_LONG_OVERDUE: Final = Limit(1, LimitUnit.WORKING_DAYS)


def _default(
    stage: Stage,
    written: str,
    *,
    tier: UnitKind | None = None,
    kind: Kind | None = None,
    urgent: bool | None = None,
) -> Rule:
    limit = Limit.parse(written)
    red = URGENT_LONG_OVERDUE if urgent else LONG_OVERDUE
    measure = Measure(
        limit, usual_reminder(limit), AT_ONCE, None if stage in WITHOUT_CARDS else red
    )
    return Rule.made(Place(stage, tier, kind, None, urgent), measure, "default")


def _by_kind(stage: Stage, limits: Mapping[Kind, str], *, urgent: str) -> Iterable[Rule]:
    """Urgency outweighs the kind here, so each kind has an urgent rule of its own."""
    for kind, limit in limits.items():
        yield _default(stage, limit, kind=kind)
        yield _default(stage, urgent, kind=kind, urgent=True)


_HANDLE: Final = {
    Kind.QUESTION: "3wd",
    Kind.SUGGESTION: "5wd",
    Kind.HELP: "10wd",
    Kind.COMPLAINT: "10wd",
    Kind.ACCUSATION: "10wd",
}
_WHOLE: Final = {
    Kind.QUESTION: "10wd",
    Kind.SUGGESTION: "15wd",
    Kind.HELP: "30wd",
    Kind.COMPLAINT: "30wd",
    Kind.ACCUSATION: "30wd",
}
DEFAULTS: Final = RuleSet(
    0,
    (
        _default(Stage.JUDGE, "3wd"),
        _default(Stage.JUDGE, "2wd", tier=UnitKind.VILLAGE),
        _default(Stage.JUDGE, "3wd", tier=UnitKind.TOWNSHIP),
        _default(Stage.JUDGE, "1wd", tier=UnitKind.COMMAND_CENTER),
        _default(Stage.JUDGE, "0wd", urgent=True),
        _default(Stage.SUPPLEMENT, "15d"),
        _default(Stage.SIGN, "1wd"),
        *_by_kind(Stage.HANDLE, _HANDLE, urgent="0wd"),
        _default(Stage.ASSIST, "5wd"),
        _default(Stage.HAND_BACK_DECISION, "1wd"),
        _default(Stage.EXTENSION_DECISION, "1wd"),
        _default(Stage.WAIT_DECISION, "1wd"),
        _default(Stage.SUPERVISED_REPLY, "3wd"),
        _default(Stage.WAITING, "30wd"),
        *_by_kind(Stage.WHOLE, _WHOLE, urgent="5wd"),
        # 信访工作条例: 15 days to inform the petitioner what becomes of it, 60 to handle it.
        _default(Stage.INFORM, "15d"),
        _default(Stage.STATUTORY, "60d"),
        # 信访工作条例: a review and a re-examination are answered within 30 days each.
        _default(Stage.REVIEW, "30d"),
        _default(Stage.REEXAMINATION, "30d"),
    ),
)
# What a county that set nothing has.
NOTHING_SET: Final = RuleSet(0, ())

# A unit may object to an assignment within 5 working days (信访工作条例).
HAND_BACK_WINDOW: Final = Limit(5, LimitUnit.WORKING_DAYS)
# 信访工作条例: so many calendar days after the answer, or the review, the citizen may ask for the next.
REVIEW_ASKED_WITHIN: Final = 30
# 信访工作条例: by so much the 60 days may be extended, at most.
STATUTORY_EXTENSION: Final = Limit(30, LimitUnit.CALENDAR_DAYS)
PRESS_COOL_DOWN: Final = timedelta(hours=24)

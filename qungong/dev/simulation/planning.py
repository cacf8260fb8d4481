"""What is to become of each case of the invented year, drawn before the first is told. Pure: same seed, same plan."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final

from app.cases.models import Channel
from app.evaluation.terms import Value
from app.limits.terms import Kind
from qungong.dev.simulation import distributions
from qungong.dev.simulation.people import County, Office, Reporter
from qungong.dev.simulation.wording import Topic, Wording

# What takes long is more often what went up, and seldom a question or a suggestion. Only who takes how long is decided by it.
_SLOWER: Final = {"village": 0.0, "township": 0.7, "county": 1.5}
_QUICK: Final = {Kind.QUESTION: -2.0, Kind.SUGGESTION: -1.2}
# Too short a case is not there any more when somebody else tells the same.
_TOLD_TWICE_FROM_DAYS: Final = 8.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A case to be: who tells what, when and where; who solves it in how many days; what is answered to the survey.

    `same_as` is the number of the case told before that is the same grievance. `reply` is what comes back by text: an
    answer (`value`), something unclear, or nothing.
    """

    number: int
    told_at: datetime
    channel: Channel
    fate: str
    level: str
    topic: Topic
    kind: Kind
    urgent: bool
    village: Office
    reporter: Reporter
    days: float = 1.0
    same_as: int | None = None
    reply: str = "none"
    value: Value | None = None


def plan_year(cases: int, year: int, county: County, words: Wording, *, seed: int) -> list[Plan]:
    """By number, which is the order in which they are told but for those told twice."""
    rng = Random(f"{seed}/{year}/{cases}")  # noqa: S311 - an invented year, no secret
    told = distributions.moments_told(cases, year, county.calendar, rng)
    fates = distributions.spread(distributions.FATES, cases, rng, "answered")
    channels = distributions.spread(distributions.CHANNELS, cases, rng, Channel.CADRE)
    plans: list[Plan] = []
    for number, moment in enumerate(told):
        plans.append(_plan(number, moment, fates[number], channels[number], plans, county, words, rng))  # fmt: skip
    return _answered_how(_told_twice(_lasting(plans, rng), county, rng), rng)


def repeaters(plans: Sequence[Plan]) -> frozenset[int]:
    """Reporters with more than one case."""
    seen: set[int] = set()
    return frozenset(
        plan.reporter.number
        for plan in plans
        if plan.reporter.number in seen or seen.add(plan.reporter.number)  # type: ignore[func-returns-value]  # add is the point
    )


def _plan(
    number: int,
    moment: datetime,
    fate: str,
    channel: Channel,
    before: Sequence[Plan],
    county: County,
    words: Wording,
    rng: Random,
) -> Plan:
    if fate == "objected" and channel is Channel.HOTLINE:
        channel = Channel.CLERK  # above the county nobody is there to object to
    village = rng.choice(county.villages)
    reporter = _reporter(number, channel, words, rng)
    if number and rng.random() < distributions.REPORTS_AGAIN:
        earlier = rng.choice(before)
        if earlier.reporter.phone is not None:
            village, reporter = earlier.village, earlier.reporter
    topic = rng.choices(words.topics, [one.weight for one in words.topics])[0]
    accusation = fate == "accusation"
    in_office = channel in (Channel.CLERK, Channel.HOTLINE)
    return Plan(
        number=number,
        told_at=distributions.in_office(moment, county.calendar, rng) if in_office else moment,
        channel=channel,
        fate=fate,
        level=distributions.drawn(distributions.LEVELS[channel], rng),
        topic=topic,
        kind=Kind.ACCUSATION if accusation else distributions.drawn(topic.kinds, rng),
        urgent=fate == "answered" and rng.random() < distributions.URGENT,
        village=village,
        reporter=reporter,
    )


def _reporter(number: int, channel: Channel, words: Wording, rng: Random) -> Reporter:
    spoken_for = channel in (Channel.CADRE, Channel.CLERK)
    phone = f"+86139{rng.randrange(10**8):08d}"
    without = spoken_for and rng.random() < distributions.WITHOUT_NUMBER
    return Reporter(number, words.names.person(rng), None if without else phone)


def _lasting(plans: Sequence[Plan], rng: Random) -> list[Plan]:
    """Give each its days: the distribution as a whole, the longest to those that would take longest."""
    urgent = [replace(one, days=_urgent_days(rng)) for one in plans if one.urgent]
    weighed = [(_weight(one, rng), one.number, one) for one in plans if not one.urgent]
    lengths = distributions.answer_days(len(weighed)) if weighed else []
    others = [
        replace(one, days=days)
        for days, (_, _, one) in zip(lengths, sorted(weighed, key=lambda of: of[:2]), strict=True)
    ]
    return sorted(urgent + others, key=lambda one: one.number)


def _weight(plan: Plan, rng: Random) -> float:
    return _SLOWER[plan.level] + _QUICK.get(plan.kind, 0.0) + rng.gauss(0, 1)


def _urgent_days(rng: Random) -> float:
    return distributions.URGENT_MEDIAN_HOURS / 24 * rng.lognormvariate(0, 0.5)


def _told_twice(plans: Sequence[Plan], county: County, rng: Random) -> list[Plan]:
    """Those to be merged tell what somebody of the same village has told a little before."""
    first = [
        one
        for one in plans
        if one.fate == "answered"
        and one.days >= _TOLD_TWICE_FROM_DAYS
        and (one.told_at + timedelta(days=one.days)).year == one.told_at.year
    ]
    return [
        one if one.fate != "merged" else _the_same(one, rng.choice(first), county, rng)
        for one in plans
        if one.fate != "merged" or first
    ]


def _the_same(plan: Plan, first: Plan, county: County, rng: Random) -> Plan:
    later = first.told_at + timedelta(days=first.days * rng.uniform(0.1, 0.3))
    return replace(
        plan,
        told_at=distributions.awake(later, rng),
        channel=Channel.CADRE,
        topic=first.topic,
        kind=first.kind,
        village=first.village,
        days=first.days,
        same_as=first.number,
    )


def _answered_how(plans: Sequence[Plan], rng: Random) -> list[Plan]:
    replies = distributions.spread(distributions.REPLIES, len(plans), rng, "none")
    values = iter(
        distributions.spread(distributions.VALUES, replies.count("answer"), rng, Value.SATISFIED)
    )
    return [
        replace(one, reply=reply, value=next(values) if reply == "answer" else None)
        for one, reply in zip(plans, replies, strict=True)
    ]

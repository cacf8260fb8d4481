"""How a case is worked on and answered: by its holder, or by a lead and assistants that the county names."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from app.cards import pressing, supervising
from app.cases.actions import dispatching, extending, handling, judging, waiting
from app.cases.actions.dispatching import Part
from app.cases.dossier import Dossier
from app.cases.models import Channel, Outcome, Waiting
from app.clock import SHANGHAI
from app.db import Transaction
from qungong.dev.simulation import distributions
from qungong.dev.simulation.people import Office
from qungong.dev.simulation.scene import Scene, Step, Story
from qungong.dev.simulation.telling import judged_at

# Something that happens during the work: at which part of it, and how it goes from that moment on.
Incident: TypeAlias = tuple[float, Callable[[Scene, datetime], Story[None]]]

_OUTCOME_WORDS = {
    Outcome.EXPLAINED: "explained",
    Outcome.PARTLY_SOLVED: "partly",
    Outcome.PASSED_ON: "passed_on",
}


def solved_by_holder(scene: Scene) -> Story[None]:
    dossier: Dossier = yield scene.act(judged_at(scene), judging.handle, by=scene.holder.desk)
    yield from _worked_on(scene, dossier, _usual(scene))


def solved_by_others(scene: Scene) -> Story[None]:
    """Dispatched to a lead and assistants; a lead may object, and then another is named."""
    lead, assistants = _named(scene)
    dossier: Dossier = yield _dispatch(scene, lead, assistants)
    if scene.chance(distributions.HANDED_BACK):
        agreed = yield from _objected(scene, lead)
        if agreed:
            lead = scene.county.township_of(scene.plan.village)
            assistants = [one for one in assistants if one is not lead]
            dossier = yield _dispatch(scene, lead, assistants)
    scene.holder = lead
    yield from _signed(scene, [lead, *assistants])
    incidents = _usual(scene) + [_assisting(scene, one) for one in assistants]
    yield from _worked_on(scene, dossier, incidents)


def answered_by(scene: Scene, moment: datetime, office: Office, outcome: Outcome) -> Story[None]:
    answer = (
        scene.words.told(scene.plan.topic.answers, scene.place, scene.rng)
        if outcome is Outcome.SOLVED
        else scene.say(_OUTCOME_WORDS[outcome])
    )
    basis = scene.say("bases") if outcome is Outcome.EXPLAINED else ""
    yield scene.step(
        scene.office_nearest(moment),
        _answer,
        scene=scene,
        by=office.answers,
        outcome=outcome,
        answer=answer,
        basis=basis,
    )


async def _answer(tx: Transaction, scene: Scene, *, now: datetime, **given: object) -> Dossier:
    dossier: Dossier = await handling.answer(tx, scene.ref, now=now, **given)  # type: ignore[arg-type]  # as answered_by names them
    scene.open = False
    return dossier


def _worked_on(scene: Scene, dossier: Dossier, incidents: list[Incident]) -> Story[None]:
    begin, left = scene.now, max(scene.due - scene.now, timedelta(minutes=20))
    incidents += _longer(scene, dossier, begin, left)
    for part, how in sorted(incidents, key=lambda one: one[0]):
        yield from how(scene, begin + part * left)
    if scene.plan.fate != "unfinished":
        outcome = Outcome(distributions.drawn(distributions.OUTCOMES, scene.rng))
        yield from answered_by(scene, scene.due, scene.holder, outcome)


def _named(scene: Scene) -> tuple[Office, list[Office]]:
    county, topic = scene.county, scene.plan.topic
    own = {one.code[6:]: one for one in county.departments}
    department = own.get(topic.department) or scene.rng.choice(county.departments)
    lead = (
        scene.rng.choice(county.townships)
        if scene.chance(distributions.LEAD_IS_TOWNSHIP)
        else department
    )
    wanted = [own[code] for code in topic.assistants if code in own]
    wanted = [department, *wanted] if lead is not department else wanted
    number = distributions.drawn(distributions.ASSISTANTS, scene.rng)
    return lead, wanted[:number]


def _dispatch(scene: Scene, lead: Office, assistants: Sequence[Office]) -> Step:
    moment = judged_at(scene)
    needs = max((scene.due - moment).days * 5 // 7 + 1, 1)
    fits = scene.chance(distributions.LIMIT_FITS) and not scene.plan.urgent
    return scene.act(
        moment,
        dispatching.dispatch,
        by=scene.county.center.desk,
        lead=Part(lead.code, scene.say("tasks"), needs if fits else None),
        assistants=[
            Part(one.code, scene.say("assist_tasks"), max(needs - 1, 2) if fits else None)
            for one in assistants
        ],
        note=scene.say("notes"),
    )


def _objected(scene: Scene, lead: Office) -> Story[bool]:
    yield scene.act(
        scene.before_the_work(1.0),
        handling.hand_back,
        by=lead.desk,
        reason=scene.say("hand_back_reasons"),
    )
    agreed = scene.chance(distributions.HAND_BACK_AGREED)
    yield scene.act(
        scene.before_the_work(1.0),
        dispatching.settle,
        by=scene.county.center.desk,
        unit_code=lead.code,
        agreed=agreed,
        reason=scene.say("settle_agreed" if agreed else "settle_refused"),
    )
    return agreed


def _signed(scene: Scene, offices: Sequence[Office]) -> Story[None]:
    """Each when it gets round to it, none waiting for another."""
    moments = [(scene.before_the_work(1.0), place) for place in range(len(offices))]
    for moment, place in sorted(moments):
        yield scene.act(moment, handling.sign, by=offices[place].desk)


def _usual(scene: Scene) -> list[Incident]:
    """What may happen during any work."""
    shares: tuple[tuple[float, Callable[[Scene, datetime], Story[None]]], ...] = (
        (distributions.PROGRESS, _progress),
        (distributions.PRESSED, _pressed),
        (distributions.INSTRUCTED, _instructed),
        (distributions.SUPERVISED if scene.plan.days > distributions.LONG_DAYS else 0.0, _supervised),
        (distributions.LISTED if scene.plan.days > distributions.VERY_LONG_DAYS else 0.0, _listed),
    )  # fmt: skip
    sealed = scene.plan.fate == "accusation"
    return [
        (scene.rng.uniform(0.25, 0.9), how)
        for share, how in shares
        if scene.chance(share) and not sealed
    ]


def _assisting(scene: Scene, office: Office) -> Incident:
    def ends(scene: Scene, moment: datetime) -> Story[None]:
        if scene.chance(distributions.ASSISTANT_EXCUSED):
            yield scene.act(
                scene.office_at(moment),
                dispatching.excuse,
                by=scene.county.center.desk,
                unit_code=office.code,
                reason=scene.say("excuses"),
            )
            return
        yield scene.act(
            scene.office_at(moment),
            handling.assist_answer,
            by=office.desk,
            answer=scene.say("assist_answers"),
        )

    return scene.rng.uniform(0.2, 0.7), ends


def _progress(scene: Scene, moment: datetime) -> Story[None]:
    yield scene.act(
        scene.office_at(moment),
        handling.progress,
        by=scene.holder.desk,
        report=scene.say("progress"),
        tell_reporter=scene.chance(0.7),
    )


def _pressed(scene: Scene, moment: datetime) -> Story[None]:
    by_reporter = scene.plan.channel is Channel.POSTER
    by = scene.reporter if by_reporter else scene.county.center.desk
    at = distributions.awake(moment, scene.rng) if by_reporter else scene.office_at(moment)
    yield scene.act(at, pressing.press, by=by, note=scene.say("presses"))


def _instructed(scene: Scene, moment: datetime) -> Story[None]:
    yield scene.act(
        scene.office_at(moment),
        pressing.instruct,
        by=scene.county.leader,
        instruction=scene.say("instructions"),
    )


def _supervised(scene: Scene, moment: datetime) -> Story[None]:
    yield scene.act(
        scene.office_at(moment),
        supervising.supervise,
        by=scene.county.supervisor,
        demand=scene.say("demands"),
        days=3,
    )
    yield scene.act(
        scene.in_office(scene.rng.uniform(0.5, 4.0)),
        supervising.reply_supervision,
        by=scene.holder.head,
        reply=scene.say("supervision_replies"),
    )


def _listed(scene: Scene, moment: datetime) -> Story[None]:
    by = scene.county.supervisor
    yield scene.act(
        scene.office_at(moment), supervising.list_publicly, by=by, reason=scene.say("listings")
    )
    yield scene.act(
        scene.in_office(scene.rng.uniform(2, 10)),
        supervising.unlist,
        by=by,
        reason=scene.say("unlistings"),
    )


def _longer(scene: Scene, dossier: Dossier, begin: datetime, left: timedelta) -> list[Incident]:
    """Work that takes long is extended before it is due, or waits for somebody outside; not both."""
    due = dossier.case.stage_due_at
    decider = scene.decider(dossier)
    if scene.plan.days < distributions.LONG_DAYS or due is None or decider is None:
        return []
    if scene.chance(distributions.WAITED):
        return [(scene.rng.uniform(0.2, 0.4), _waiting(decider, begin + left))]
    if scene.due > due and scene.chance(distributions.EXTENDED):
        asked = due - timedelta(days=scene.rng.uniform(1.5, 4.0))
        if asked > begin + timedelta(hours=1):
            return [((asked - begin) / left, _extension(decider, due))]
    return []


def _extension(decider: Office, due: datetime) -> Callable[[Scene, datetime], Story[None]]:
    def goes(scene: Scene, moment: datetime) -> Story[None]:
        asks = scene.office_at(moment)
        # A weekend or what came before may have used up the time in which one may ask.
        if max(asks, scene.now) + timedelta(hours=8) > due:
            return
        yield scene.act(
            asks,
            extending.extend,
            by=scene.holder.desk,
            days=min(max((scene.due - due).days * 5 // 7 + 1, 1), 30),
            reason=scene.say("extensions"),
        )
        decides = scene.in_office(scene.rng.uniform(0.05, 0.8))
        granted = scene.chance(distributions.GRANTED) and decides < due
        yield scene.act(
            decides,
            extending.decide_extension,
            by=decider.desk,
            granted=granted,
            days=None,
            reason=scene.say("extension_yes" if granted else "extension_no"),
        )

    return goes


def _waiting(decider: Office, end: datetime) -> Callable[[Scene, datetime], Story[None]]:
    def goes(scene: Scene, moment: datetime) -> Story[None]:
        asks = max(scene.office_at(moment), scene.now)
        until = (asks + min(0.6 * (end - asks), timedelta(days=20))).astimezone(SHANGHAI).date()
        if (until - asks.astimezone(SHANGHAI).date()).days < 3:
            return
        yield scene.act(
            asks,
            waiting.wait,
            by=scene.holder.desk,
            why=Waiting.OUTSIDE_AUTHORITY,
            reason=scene.say("waits"),
            until=until,
        )
        decides = scene.in_office(scene.rng.uniform(0.05, 0.8))
        granted = (
            scene.chance(distributions.GRANTED) and decides.astimezone(SHANGHAI).date() < until
        )
        yield scene.act(
            decides,
            waiting.decide_wait,
            by=decider.desk,
            granted=granted,
            reason=scene.say("wait_yes" if granted else "extension_no"),
        )
        if granted:
            yield from _gone_on(scene, until_day_ends=datetime.combine(until, datetime.max.time(), SHANGHAI))  # fmt: skip

    return goes


def _gone_on(scene: Scene, *, until_day_ends: datetime) -> Story[None]:
    """What was waited for comes, or the time runs out and the system goes on."""
    comes = scene.office_at(scene.now + 0.8 * (until_day_ends - scene.now))
    if scene.chance(0.7) and comes < until_day_ends:
        yield scene.act(comes, waiting.resume, by=scene.holder.desk, reason="")
    else:
        scene.now = until_day_ends + timedelta(minutes=5)

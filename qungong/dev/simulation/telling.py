"""How a case begins: signing up, telling, supplementing, taking back, and the way up or down to who will solve it."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from app.auth import codes
from app.auth.actor import CitizenActor
from app.auth.devices import Device, Place
from app.auth.phones import phone_key
from app.cases.actions import dispatching, filing, judging
from app.cases.actions.filing import Intake, Registered
from app.cases.models import Channel
from app.cases.number_given import PersonHelped
from app.db import Transaction
from app.directory.terms import UnitKind
from app.limits.terms import Kind
from app.texts.outbox import MessageKind, open_params
from qungong.dev.simulation import distributions
from qungong.dev.simulation.people import Office
from qungong.dev.simulation.scene import Scene, Story

# The newest code owed; the phone of the simulation is read by nobody else.
_CODE: Final = text("""
SELECT id, params_sealed FROM outbox_message WHERE state = 'queued' AND kind = :kind AND due_at < :soon
ORDER BY due_at DESC, id DESC LIMIT 1
""")
_JUDGE_DAYS: Final = {UnitKind.VILLAGE: 2.0, UnitKind.TOWNSHIP: 3.0}
_TITLE: Final = 100
_NO_COOKIES: Final = Device.of(None)


def told(scene: Scene) -> Story[None]:
    """From the first word to the receipt."""
    plan = scene.plan
    if plan.channel is Channel.POSTER and plan.reporter.number not in scene.cast.citizens:
        yield from _signed_up(scene)
    registered: Registered = yield scene.step(
        scene.plan.told_at, _register, intake=_intake(scene), scene=scene
    )
    scene.ref, scene.open = registered.case.ref, True
    scene.holder = next(
        one
        for one in (scene.county.discipline, scene.taken_in_by)
        if one.posts and one.desk.unit_id == registered.holder.unit_id
    )


def supplemented(scene: Scene) -> Story[None]:
    """What was missing is asked for once, and comes, or does not come and the system goes on."""
    yield scene.act(
        scene.before_the_work(1.0),
        judging.request_supplement,
        by=scene.holder.desk,
        missing=scene.say("missing"),
    )
    if scene.chance(distributions.SUPPLEMENT_COMES):
        days = min(scene.rng.lognormvariate(0.7, 0.6), 12.0)
        moment = distributions.awake(scene.now + timedelta(days=days), scene.rng)
        yield scene.act(
            moment, filing.supply, by=scene.reporter, supplement=scene.say("supplements")
        )
    else:
        scene.now += timedelta(days=distributions.SUPPLEMENT_WAITS)


def withdrawn(scene: Scene) -> Story[None]:
    moment = distributions.awake(
        scene.now + timedelta(days=scene.plan.days * scene.rng.uniform(0.1, 0.5)), scene.rng
    )
    scene.open = False
    yield scene.act(moment, filing.withdraw, by=scene.reporter, reason=scene.say("withdrawals"))


def merged(scene: Scene, first: Scene) -> Story[bool]:
    """The command center notices that the same was told before. False: what was told before has ended meanwhile."""
    moment = scene.office_at(
        scene.now + timedelta(days=scene.plan.days * scene.rng.uniform(0.02, 0.15))
    )
    joined: bool = yield scene.step(
        moment, _merge, scene=scene, first=first, reason=scene.say("merges")
    )
    return joined


def declined(scene: Scene) -> Story[None]:
    """A township or the center does not take it up; a village may not decline and hands it up."""
    if scene.holder.kind is UnitKind.VILLAGE:
        yield from _escalated(scene)
    yield scene.act(
        judged_at(scene),
        judging.decline,
        by=scene.holder.desk,
        reason=scene.say("decline_reasons"),
        basis=scene.say("decline_bases"),
    )
    if scene.plan.fate != "objected":
        scene.open = False
        return
    moment = distributions.awake(scene.now + timedelta(days=scene.rng.uniform(0.5, 6.0)), scene.rng)
    yield scene.act(
        moment, filing.object_refusal, by=scene.reporter, reason=scene.say("objections")
    )
    scene.holder = scene.county.center


def brought_to(scene: Scene, target: Office) -> Story[None]:
    """Handed up with a finding or down with a reason until whoever will solve it holds it."""
    while scene.holder is not target:
        if scene.holder is scene.county.center or target is scene.plan.village:
            yield from _sent_down(scene, target)
        else:
            yield from _escalated(scene)


def judged_at(scene: Scene) -> datetime:
    """When the holder has made up its mind."""
    return scene.before_the_work(_JUDGE_DAYS.get(scene.holder.kind, 1.0))


def _escalated(scene: Scene) -> Story[None]:
    yield scene.act(
        judged_at(scene), judging.escalate, by=scene.holder.desk, finding=scene.say("findings")
    )
    scene.holder = (
        scene.county.township_of(scene.plan.village)
        if scene.holder.kind is UnitKind.VILLAGE
        else scene.county.center
    )


def _sent_down(scene: Scene, target: Office) -> Story[None]:
    yield scene.act(
        judged_at(scene),
        judging.send_down,
        by=scene.holder.desk,
        to_code=target.code,
        reason=scene.say("send_down_reasons"),
    )
    scene.holder = target


def _signed_up(scene: Scene) -> Story[None]:
    phone = scene.plan.reporter.phone
    assert phone is not None, "whoever scans a poster holds a phone"
    code = yield scene.step(scene.now, _ask_for_code, phone=phone)
    scene.cast.citizens[scene.plan.reporter.number] = yield scene.step(
        scene.now, _redeem, phone=phone, code=code, village=scene.plan.village.code
    )


async def _ask_for_code(tx: Transaction, phone: str, *, now: datetime) -> str:
    await codes.ask(tx, phone, address_key=phone_key(phone), device=_NO_COOKIES)
    await tx.flush()
    soon = now + timedelta(minutes=1)
    owed = (await tx.all(_CODE, kind=MessageKind.ONE_TIME_CODE, soon=soon))[0]
    return open_params(owed.id, owed.params_sealed)["code"]


async def _redeem(
    _tx: Transaction, phone: str, code: str, village: str, *, now: datetime
) -> CitizenActor:
    place = Place(phone_key(phone), _NO_COOKIES, "手机")
    signed_in = await codes.redeem(phone, code, village_code=village, place=place)
    assert now is not None
    assert signed_in.session.citizen_id is not None, "a session of a citizen's"
    return CitizenActor(signed_in.session.citizen_id, None)


async def _register(tx: Transaction, intake: Intake, scene: Scene, *, now: datetime) -> Registered:
    return await filing.register(tx, intake, by=scene.reporter, now=now)


async def _merge(
    tx: Transaction, scene: Scene, first: Scene, reason: str, *, now: datetime
) -> bool:
    if not first.open:
        return False
    by = scene.county.center.desk
    await dispatching.merge(tx, scene.ref, by=by, primary_ref=first.ref, reason=reason, now=now)
    scene.open = False
    first.joined.append(scene)
    return True


def _intake(scene: Scene) -> Intake:
    plan, rng, words = scene.plan, scene.rng, scene.words
    accused = _accused(scene)
    titles, bodies = (
        (plan.topic.titles, plan.topic.bodies)
        if accused is None
        else (words.words["accusation_titles"], words.words["accusation_bodies"])
    )
    name = scene.place if accused is None else accused.short_name
    spoken_for = plan.channel is not Channel.POSTER
    return Intake(
        title=words.told(titles, name, rng)[:_TITLE],
        body=words.told(bodies, name, rng),
        kind=plan.kind,
        channel=plan.channel,
        place=scene.place,
        asked_code=plan.village.code,
        village_code=plan.village.code,
        category_id=scene.county.categories.get(plan.topic.category),
        urgent=plan.urgent,
        accused_code=None if accused is None else accused.code,
        occurred_at=None,
        person=PersonHelped(plan.reporter.name, plan.reporter.phone) if spoken_for else None,
    )


def _accused(scene: Scene) -> Office | None:
    if scene.plan.kind is not Kind.ACCUSATION:
        return None
    # Nobody types an accusation against a unit above their own.
    others = [one for one in scene.county.townships if one.code != scene.plan.village.parent_code]
    return scene.rng.choice((*others, *scene.county.departments))

"""What follows the answer: the person replies to the survey or not, is called back, and the case may be done again."""

from datetime import datetime, timedelta
from typing import Final

from app.auth.actor import StaffActor
from app.cases.actions import closing, handling
from app.cases.models import Channel, Outcome
from app.db import Transaction
from app.evaluation import receiving, return_calls
from app.evaluation.return_calls import Finding
from app.evaluation.terms import CallResult, Value
from app.texts.inbound import InboundText
from qungong.dev.simulation import distributions
from qungong.dev.simulation.carded import irregular
from qungong.dev.simulation.scene import Scene, Step, Story
from qungong.dev.simulation.working import answered_by

_MOST_CALLS: Final = 500
_FAVOURABLE: Final = {Value.SATISFIED: 0.8, Value.BASICALLY_SATISFIED: 0.2}


def evaluated(scene: Scene, round_: int = 1) -> Story[None]:
    """One round's reply, and the call that follows where one is owed."""
    plan = scene.plan
    if plan.reporter.phone is None:
        yield from _called(scene, round_)
        return
    if plan.reply == "none":
        return
    days = min(scene.rng.lognormvariate(-1.2, 1.2), 6.0)
    moment = distributions.awake(scene.now + timedelta(days=days), scene.rng)
    value = plan.value if round_ == 1 else distributions.drawn(_FAVOURABLE, scene.rng)
    if value is not None and _by_page(scene):
        yield scene.act(moment, receiving.evaluate, by=scene.reporter, value=value, remark="")
    else:
        yield scene.step(
            moment,
            receiving.receive,
            texts=[
                InboundText(
                    f"simulated-{scene.ref}-{round_}",
                    plan.reporter.phone,
                    scene.say(f"replies_{plan.reply if value is None else value}"),
                )
            ],
        )
    if value is Value.DISSATISFIED:
        yield from _called(scene, round_)


def _by_page(scene: Scene) -> bool:
    return (
        scene.plan.channel is Channel.POSTER
        and scene.plan.reporter.number not in scene.cast.repeaters
        and scene.chance(0.3)
    )


def _called(scene: Scene, round_: int) -> Story[None]:
    """Who makes the call asks whether the complaint is valid; a valid one is done again where the person agrees."""
    sealed = scene.plan.fate == "accusation"
    by = _caller(scene, round_)
    finding = _found(scene)
    if scene.chance(distributions.NOT_REACHED):
        yield _call(scene, by, round_, Finding(CallResult.NOT_REACHED))
    made: bool = yield _call(scene, by, round_, finding)
    if (
        not made
        or finding.result is not CallResult.VALID
        or sealed
        or scene.plan.same_as is not None
    ):
        return
    if scene.chance(distributions.IRREGULAR):
        yield from irregular(scene)
    if finding.consent and round_ == 1:
        yield from _done_again(scene, by)


def _caller(scene: Scene, round_: int) -> StaffActor:
    """Nobody who had a part in the round: who agreed that the same person answers it had one."""
    county = scene.county
    if scene.plan.fate == "accusation":
        return county.inspector
    if round_ > 1 or scene.holder.code == county.center.code:
        return county.supervisor
    return county.center.desk


def _call(scene: Scene, by: StaffActor, round_: int, finding: Finding) -> Step:
    moment = scene.in_office(scene.rng.uniform(0.4, 2.0))
    return scene.step(moment, _record, ref=scene.ref, round_=round_, finding=finding, by=by)


def _found(scene: Scene) -> Finding:
    """Of somebody without a number the call also brings the evaluation."""
    unheard = scene.plan.reporter.phone is None
    value = distributions.drawn(distributions.VALUES, scene.rng) if unheard else scene.plan.value
    evaluation = value if unheard else None
    if value is not Value.DISSATISFIED:
        return Finding(CallResult.EVALUATED, False, scene.say("call_evaluated"), evaluation)
    if scene.chance(distributions.FOUND_VALID):
        consent = scene.chance(distributions.AGREES_TO_REWORK)
        return Finding(CallResult.VALID, consent, scene.say("call_valid"), evaluation)
    return Finding(CallResult.UNREASONABLE, False, scene.say("call_unreasonable"), evaluation)


def _done_again(scene: Scene, by: StaffActor) -> Story[None]:
    yield scene.act(
        scene.in_office(scene.rng.uniform(0.1, 1.0)),
        return_calls.rework,
        by=by,
        reason=scene.say("reworks"),
    )
    yield scene.act(
        scene.in_office(scene.rng.uniform(0.1, 0.9)), handling.sign, by=scene.holder.desk
    )
    # In many units one person does it all; the center has a look and agrees.
    yield scene.act(
        scene.in_office(scene.rng.uniform(0.1, 0.5)),
        closing.approve_answer,
        by=by,
        reason=scene.say("reworks"),
    )
    again = scene.now + timedelta(days=max(scene.plan.days / 3, 1.0))
    yield from answered_by(scene, again, scene.holder, Outcome.SOLVED)
    yield from evaluated(scene, 2)


async def _record(
    tx: Transaction, ref: str, round_: int, finding: Finding, by: StaffActor, *, now: datetime
) -> bool:
    """False: there is no such call; the person's text was taken for another of their cases."""
    calls = await return_calls.open_calls(tx, by=by, after=None, most=_MOST_CALLS)
    meant = next((one for one in calls if (one.ref, one.round) == (ref, round_)), None)
    if meant is None:
        return False
    await return_calls.record_finding(tx, meant.id, finding, by=by, now=now)
    return True

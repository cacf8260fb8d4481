"""The whole course of one case of the invented year, from the first word to the last evaluation."""

from random import Random

from qungong.dev.simulation import distributions
from qungong.dev.simulation.carded import appealed
from qungong.dev.simulation.evaluating import evaluated
from qungong.dev.simulation.people import County
from qungong.dev.simulation.planning import Plan
from qungong.dev.simulation.scene import Cast, Scene, Story
from qungong.dev.simulation.telling import (
    brought_to,
    declined,
    merged,
    supplemented,
    told,
    withdrawn,
)
from qungong.dev.simulation.wording import Wording
from qungong.dev.simulation.working import solved_by_holder, solved_by_others


def set_scene(plan: Plan, county: County, words: Wording, cast: Cast, *, seed: int) -> Scene:
    scene = Scene(
        plan=plan,
        county=county,
        words=words,
        cast=cast,
        # Each case draws for itself, so that none depends on the order in which others are played.
        rng=Random(f"{seed}/{plan.number}"),  # noqa: S311 - an invented year, no secret
        now=plan.told_at,
        left=plan.days * distributions.BEFORE_THE_WORK,
        holder=county.center,
    )
    cast.scenes[plan.number] = scene
    return scene


def course(scene: Scene) -> Story[None]:
    yield from told(scene)
    if (yield from _ends_early(scene)):
        return
    yield from _solved(scene)
    if scene.plan.fate == "unfinished":
        return
    for one in scene.joined:
        one.now = scene.now
        scene.beside.append(evaluated(one))
    if scene.plan.fate != "accusation" and scene.chance(distributions.APPEALED):
        scene.beside.append(appealed(scene))
    yield from evaluated(scene)


def _ends_early(scene: Scene) -> Story[bool]:
    plan = scene.plan
    if plan.fate == "withdrawn":
        yield from withdrawn(scene)
        return True
    if plan.same_as is not None:
        joined: bool = yield from merged(scene, scene.cast.scenes[plan.same_as])
        return joined
    if plan.fate in ("declined", "objected"):
        yield from declined(scene)
        return plan.fate == "declined"
    return False


def _solved(scene: Scene) -> Story[None]:
    plan, county = scene.plan, scene.county
    if plan.fate == "accusation":
        yield from solved_by_holder(scene)
        return
    if not plan.urgent and scene.chance(distributions.SUPPLEMENT):
        yield from supplemented(scene)
    if plan.level == "county" or plan.fate == "objected":
        yield from brought_to(scene, county.center)
        yield from solved_by_others(scene)
        return
    target = plan.village if plan.level == "village" else county.township_of(plan.village)
    yield from brought_to(scene, target)
    yield from solved_by_holder(scene)

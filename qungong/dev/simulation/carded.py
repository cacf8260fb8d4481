"""Cards in the invented year, as far as people have a hand in them: appeals by the unit, and cards for irregular handling.

Those for what is overdue come by themselves, from the sweep.
"""

from datetime import datetime
from uuid import UUID

from app.auth.actor import StaffActor
from app.cards import appeals, card_lists, irregular_cards
from app.cards.models import CardLevel
from app.db import Transaction
from qungong.dev.simulation import distributions
from qungong.dev.simulation.scene import Scene, Story


def appealed(scene: Scene) -> Story[None]:
    """Somebody of the unit sees its cards on signing in, and objects to the one for this case, if there is still time."""
    card_id: UUID | None = yield scene.step(
        scene.in_office(scene.rng.uniform(0.05, 2.0)),
        _appeal,
        ref=scene.ref,
        by=scene.holder.desk,
        ground=scene.say("appeals"),
    )
    if card_id is None:
        return
    upheld = scene.chance(distributions.APPEAL_UPHELD)
    yield scene.step(
        scene.in_office(scene.rng.uniform(1.0, 5.0)),
        appeals.decide,
        card_id=card_id,
        by=scene.county.supervisor,
        upheld=upheld,
        reason=scene.say("appeal_yes" if upheld else "appeal_no"),
    )


def irregular(scene: Scene) -> Story[None]:
    """A supervisor's card to whoever answered what was not so."""
    yield scene.act(
        scene.in_office(scene.rng.uniform(0.1, 1.5)),
        irregular_cards.issue,
        by=scene.county.supervisor,
        level=CardLevel.YELLOW,
        unit_code=scene.holder.code,
        person=None,
        reason=scene.say("irregular"),
    )


async def _appeal(
    tx: Transaction, ref: str, by: StaffActor, ground: str, *, now: datetime
) -> UUID | None:
    for seen in await card_lists.shown_at_sign_in(tx, by=by, now=now):
        known = await card_lists.get_card(tx, seen.card.id, by=by)
        if seen.ref == ref and appeals.may_appeal(known, by, now):
            await appeals.appeal(tx, seen.card.id, by=by, ground=ground, now=now)
            return seen.card.id
    return None

"""Appeals against cards (申诉): once, within a window, decided by a supervisor outside the unit. Both stand on the record."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import SYSTEM, StaffActor
from app.cards import card_lists
from app.cards.card_lists import SEEN, AppealState, InFull, SeenCard
from app.cards.irregular_cards import is_supervisor, require_supervisor
from app.cards.models import Appeal
from app.cases import access, history
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Condition, Standing
from app.db import Transaction
from app.errors import NotFound, NotPermitted
from app.identifiers import uuid7

_CASE_OF: Final = text(f"""
SELECT c.ref FROM card k JOIN matter_facts c ON c.id = k.matter_id WHERE k.id = :id AND {SEEN}""")  # noqa: S608 - a constant of ours


async def appeal(
    tx: Transaction, card_id: UUID, *, by: StaffActor, ground: str, now: datetime
) -> InFull:
    """By staff of the carded unit or the person carded; they may since have lost sight of the case, not of the card."""
    dossier, known = await _locked(tx, card_id, by)
    seen, card = known.seen, known.seen.card
    if not _carded(seen, by):
        raise NotPermitted("只有被发牌的单位或本人可以申诉。")
    access.take(
        dossier,
        Action.APPEAL,
        by=by,
        now=now,
        also=[Standing.CARDED_UNIT],
        named=_open_to_appeal(known, now),
    )
    asked = Appeal(
        id=uuid7(now),
        card_id=card.id,
        asked_at=now,
        by_staff_id=by.staff_id,
        by_unit_id=by.unit_id,
        ground=ground,
    )
    tx.add(asked)
    history.record(
        tx,
        dossier,
        Action.APPEAL,
        by=by,
        now=now,
        public=False,
        texts={"ground": ground},
        card=card.id,
    )
    return replace(
        known,
        seen=replace(seen, appeal=asked),
        appealed_by=by.name,
        appealed_by_unit=by.unit_name,
    )


async def decide(
    tx: Transaction, card_id: UUID, *, by: StaffActor, upheld: bool, reason: str, now: datetime
) -> InFull:
    """Upheld, the card is revoked; it stays to be seen, and counts as given but no longer as standing."""
    require_supervisor(by)
    dossier, known = await _locked(tx, card_id, by)
    card, asked = known.seen.card, known.seen.appeal
    access.take(
        dossier,
        Action.DECIDE_APPEAL,
        by=by,
        now=now,
        named={
            Condition.APPEAL_OPEN: undecided(known.seen),
            Condition.NO_PART_IN_CARD: may_decide(known, by),
        },
    )
    assert asked is not None, "the lifecycle allows it only where an appeal is open"
    asked.decided_at, asked.upheld, asked.reason = now, upheld, reason
    asked.decided_by_staff_id, asked.decided_by_unit_id = by.staff_id, by.unit_id
    tx.change(asked)
    if upheld:
        card.revoked_at = now
        tx.change(card)
    history.record(
        tx,
        dossier,
        Action.DECIDE_APPEAL,
        by=by,
        now=now,
        public=False,
        texts={"reason": reason},
        card=card.id,
        upheld=upheld,
        to=card.unit_id,
    )
    return replace(known, decided_by=by.name, decided_by_unit=by.unit_name)


def may_appeal(known: InFull, by: StaffActor, now: datetime) -> bool:
    return _carded(known.seen, by) and all(_open_to_appeal(known, now).values())


def _open_to_appeal(known: InFull, now: datetime) -> dict[Condition, bool]:
    until = known.appeal_until
    return {
        Condition.FIRST_APPEAL: known.seen.appeal is None,
        Condition.CARD_OPEN_TO_APPEAL: until is not None,
        Condition.APPEAL_IN_TIME: until is None or now <= until,
    }


def may_decide(known: InFull, by: StaffActor) -> bool:
    """Nobody decides about his own card, one he issued, an appeal he made, or what any of his units was carded or asked for."""
    card, asked = known.seen.card, known.seen.appeal
    concerned = {card.staff_id, card.issued_by_staff_id, asked and asked.by_staff_id}
    return is_supervisor(by) and not known.conflict and by.staff_id not in concerned


def undecided(seen: SeenCard) -> bool:
    return seen.state is AppealState.OPEN


def _carded(seen: SeenCard, by: StaffActor) -> bool:
    """Oneself, or a unit that carries on for the one that was carded."""
    return seen.of_own_unit or by.staff_id == seen.card.staff_id


async def _locked(tx: Transaction, card_id: UUID, by: StaffActor) -> tuple[Dossier, InFull]:
    """The card with its case, whose lock holds for all its cards. Raises NotFound for cards not there or not to be seen."""
    ref = await tx.scalar(_CASE_OF, id=card_id, **card_lists.viewer(by))
    if ref is None:
        raise NotFound
    # Whoever may see the card may add to its record, though perhaps the case is no longer there for them.
    dossier = await access.lock_case(tx, ref, by=SYSTEM)
    return dossier, await card_lists.get_card(tx, card_id, by=by)

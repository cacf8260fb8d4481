"""催办 and 批示: pressing a holder, and a leader's instruction. Both go on record and are counted; no clock moves."""

from datetime import datetime

from app.auth.actor import CitizenActor, StaffActor
from app.cases import access, history
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.db import Transaction


async def press(
    tx: Transaction, ref: str, *, by: StaffActor | CitizenActor, note: str, now: datetime
) -> Dossier:
    """A reporter may press once per cool-down; leaders and the command center at any time."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.PRESS, by=by, now=now)
    dossier.case.presses += 1
    if isinstance(by, CitizenActor):
        dossier.case.pressed_at = now
    history.record(
        tx,
        dossier,
        Action.PRESS,
        by=by,
        now=now,
        public=True,
        texts={"note": note} if note else None,
    )
    return dossier


async def instruct(
    tx: Transaction, ref: str, *, by: StaffActor, instruction: str, now: datetime
) -> Dossier:
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.INSTRUCT, by=by, now=now)
    history.record(
        tx,
        dossier,
        Action.INSTRUCT,
        by=by,
        now=now,
        public=False,
        texts={"instruction": instruction},
    )
    return dossier

"""督办 and 挂牌: a formal demand with a paper and a reply limit, and a case put on the public list. Moves no other clock."""

from datetime import datetime

from app.auth.actor import StaffActor
from app.calendars.working_time import Limit, LimitUnit
from app.cases import access, history
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.db import Transaction
from app.limits.terms import Stage
from app.matters import notices, papers
from app.matters.papers import PaperKind
from app.settings import NoticeKind


async def supervise(
    tx: Transaction, ref: str, *, by: StaffActor, demand: str, days: int, now: datetime
) -> Dossier:
    """Demand of the holder, on paper, a reply within so many working days. One at a time.

    The unit that is asked owes the reply, also where the case moves on; an answered case owes none. It is told to sign in.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.SUPERVISE, by=by, now=now)
    handling, holder = dossier.running(Stage.HANDLE), dossier.holder
    clock = dossier.begin(
        Stage.SUPERVISED_REPLY,
        holder.unit_id,
        holder.kind,
        now,
        limit=Limit(days, LimitUnit.WORKING_DAYS),
    )
    clock.staff_id = None if handling is None else handling.staff_id
    paper = await papers.issue(tx, dossier.matter, PaperKind.SUPERVISION, now)
    history.record(
        tx,
        dossier,
        Action.SUPERVISE,
        by=by,
        now=now,
        public=True,
        texts={"demand": demand},
        days=days,
        until=clock.due_at,
        paper=paper.name,
        to=holder.unit_id,
    )
    person = clock.staff_id or notices.NOBODY
    notices.owe(tx, [(holder.unit_id, NoticeKind.TIME, person)], now=now)
    return dossier


async def reply_supervision(
    tx: Transaction, ref: str, *, by: StaffActor, reply: str, now: datetime
) -> Dossier:
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.REPLY_SUPERVISION, by=by, now=now)
    dossier.end(dossier.running(Stage.SUPERVISED_REPLY), now)
    history.record(
        tx,
        dossier,
        Action.REPLY_SUPERVISION,
        by=by,
        now=now,
        public=False,
        texts={"reply": reply},
    )
    return dossier


async def list_publicly(
    tx: Transaction, ref: str, *, by: StaffActor, reason: str, now: datetime
) -> Dossier:
    """Put the case on the list that everybody sees (挂牌督办), with a notice to its holder."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.LIST, by=by, now=now)
    dossier.case.listed_at = now
    paper = await papers.issue(tx, dossier.matter, PaperKind.LISTING, now)
    history.record(
        tx,
        dossier,
        Action.LIST,
        by=by,
        now=now,
        public=True,
        texts={"reason": reason},
        paper=paper.name,
        to=dossier.case.holder_unit_id,
    )
    return dossier


async def unlist(
    tx: Transaction, ref: str, *, by: StaffActor, reason: str, now: datetime
) -> Dossier:
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.UNLIST, by=by, now=now)
    dossier.case.listed_at = None
    history.record(
        tx, dossier, Action.UNLIST, by=by, now=now, public=True, texts={"reason": reason}
    )
    return dossier

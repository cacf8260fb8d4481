"""Answered cases of people who can be asked, in the sample county."""

import itertools
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from sqlalchemy import text

from app.auth.actor import CitizenActor
from app.cases.actions import filing, handling, judging
from app.cases.actions.filing import Intake
from app.cases.models import Channel, Outcome
from app.cases.number_given import PersonHelped
from app.db import transaction
from app.evaluation import invitations, privacy_role
from app.limits.terms import Kind
from app.texts.outbox import MessageKind, announce
from tests.conftest import Staff

_OWED = text("SELECT id FROM outbox_message WHERE matter_id = :matter_id AND kind = 'survey_owed'")
_STILL_OWED = text("""
SELECT id FROM outbox_message WHERE matter_id = :matter_id AND kind = 'survey_owed' AND state = 'queued'
""")
_OWED_ABOUT = text("""
SELECT o.id FROM outbox_message o JOIN grievance g ON g.id = o.matter_id
WHERE g.ref = :ref AND o.kind = 'survey_owed' AND o.state = 'queued'
""")
_DUE = text("""
SELECT s.id FROM surveys.survey s JOIN grievance g ON g.id = s.matter_id WHERE g.ref = :ref AND s.next_at IS NOT NULL
""")
_OPEN_BESIDE = text("""
UPDATE surveys.survey w SET asked_at = now(), window_ends_at = now() + INTERVAL '7 days', next_at = NULL, short_number = (
  SELECT count(*) + 1 FROM surveys.survey s WHERE s.citizen_id = w.citizen_id AND s.asked_at IS NOT NULL)
WHERE w.matter_id = :matter_id AND w.asked_at IS NULL RETURNING id
""")
_SENT = text("""
UPDATE outbox_message SET state = 'accepted', settled_at = now()
WHERE matter_id = (SELECT id FROM grievance WHERE ref = :ref) AND kind = 'survey' AND state = 'queued'
""")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Asked:
    """A case whose reporter has been asked."""

    ref: str
    matter_id: UUID
    phone: str | None
    citizen: CitizenActor
    owed: list[UUID]


def new_phone() -> str:
    return f"+86139{next(_numbers):08d}"


async def sent(asked: Asked) -> Asked:
    """The provider has taken what asks, if anything does."""
    await sent_about(asked.ref)
    return asked


async def sent_about(ref: str) -> None:
    """The same about a case that was answered elsewhere."""
    async with transaction() as tx:
        await tx.execute(_SENT, ref=ref)


class Village:
    """The village of the story answers what it is told by itself; the system then asks.

    An accusation goes past it, by `solver`: jiwei inspects for the discipline commission, ducha for the command center.
    """

    def __init__(self, staff: Staff) -> None:
        self._staff = staff

    async def answered(
        self,
        phone: str | None,
        *,
        kind: Kind = Kind.HELP,
        solver: str = "gongnong",
        accused: str | None = None,
    ) -> Asked:
        # An accusation against the village is typed elsewhere.
        cadre = await self._staff("gongnong" if accused is None else "ronglong")
        by = await self._staff(solver)
        intake = Intake(
            "路灯不亮",
            "村口路灯不亮三天了。",
            kind,
            Channel.CADRE,
            accused_code=accused,
            person=PersonHelped("李大姐", phone),
        )
        async with transaction() as tx:
            case = (await filing.register(tx, intake, by=cadre, now=await tx.now())).case
        async with transaction() as tx:
            await judging.handle(tx, case.ref, by=by, now=await tx.now())
        async with transaction() as tx:
            await handling.answer(
                tx,
                case.ref,
                by=by,
                outcome=Outcome.SOLVED,
                answer="已修好",
                basis="",
                now=await tx.now(),
            )
            assert case.citizen_id is not None
        async with transaction() as tx:
            owed = [row.id for row in await tx.all(_OWED, matter_id=case.id)]
        return Asked(case.ref, case.id, phone, CitizenActor(case.citizen_id, None), owed)

    async def asked(self, phone: str | None) -> Asked:
        """By a text that is on its way, where it is by text."""
        return await sent(await self.ask(await self.answered(phone)))

    async def asked_soon(self, phone: str) -> Asked:
        """By a text that no worker has taken up yet."""
        return await self.ask(await self.answered(phone))

    async def asked_beside(self, phone: str) -> Asked:
        """Asked while another question is open, as it was before people were asked one at a time."""
        return await self._open(await self.asked(phone))

    async def asked_about_an_accusation(
        self, phone: str | None, *, solver: str = "jiwei", accused: str | None = None
    ) -> Asked:
        answered = await self.answered(phone, kind=Kind.ACCUSATION, solver=solver, accused=accused)
        return await self._open(await self.ask(answered))

    async def asked_again(self, found: Asked) -> Asked:
        """About the round that has just been answered."""
        async with transaction() as tx:
            owed = [row.id for row in await tx.all(_STILL_OWED, matter_id=found.matter_id)]
        return await self.ask(replace(found, owed=owed))

    async def ask_about(self, ref: str) -> None:
        """Whatever is owed about a case that was answered elsewhere."""
        async with transaction() as tx:
            owed = [row.id for row in await tx.all(_OWED_ABOUT, ref=ref)]
        for one in owed:
            async with transaction() as tx:
                assert await invitations.ask(tx, one)
        await sent_about(ref)

    async def turn(self, found: Asked) -> None:
        """What the sweep does about the survey when it is due."""
        await self.turn_about(found.ref)

    async def turn_about(self, ref: str) -> None:
        """The same about a case that was answered elsewhere."""
        async with transaction() as tx:
            await privacy_role.enter(tx)
            surveys = await tx.all(_DUE, ref=ref)
        for one in surveys:
            async with transaction() as tx:
                await invitations.see_to(tx, one.id)
        await sent_about(ref)

    async def _open(self, found: Asked) -> Asked:
        async with transaction() as tx:
            await privacy_role.enter(tx)
            for row in await tx.all(_OPEN_BESIDE, matter_id=found.matter_id):
                announce(
                    tx,
                    MessageKind.SURVEY,
                    now=await tx.now(),
                    citizen_id=found.citizen.citizen_id,
                    matter_id=found.matter_id,
                    once=f"survey-text/{row.id}",
                    ref=found.ref,
                    title="路灯不亮",
                )
        return await sent(found)

    async def ask(self, found: Asked) -> Asked:
        for one in found.owed:
            async with transaction() as tx:
                assert await invitations.ask(tx, one)
        return found


@pytest.fixture
def village(staff: Staff) -> Village:
    return Village(staff)

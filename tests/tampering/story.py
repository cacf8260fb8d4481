"""Ordinary use of every kind, in one transaction that is never committed: what the tamperings are done to."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import StaffActor
from app.auth.phones import phone_key
from app.cards import appeals, irregular_cards, supervising, sweep
from app.cards.models import CardLevel
from app.cases.actions import dispatching, erasing, extending, filing, handling, judging
from app.cases.actions.dispatching import Part
from app.cases.actions.filing import Intake
from app.cases.models import Case, Channel, Outcome
from app.cases.number_given import PersonHelped
from app.db import Transaction
from app.directory import official_numbers
from app.evaluation import access_log, invitations, privacy_role, receiving, return_calls
from app.evaluation.return_calls import Finding
from app.evaluation.terms import CallResult
from app.identifiers import uuid7
from app.limits.terms import Kind
from app.matters import attachments
from app.matters.attachments import Content, Media
from app.texts.inbound import InboundText
from tests.conftest import Staff

_OWED = text("SELECT id FROM outbox_message WHERE kind = 'survey_owed' AND matter_id = :matter_id AND state = 'queued'")  # fmt: skip
_CALL = text("""
SELECT r.id FROM surveys.return_call r JOIN surveys.survey s ON s.id = r.survey_id WHERE s.matter_id = :matter_id ORDER BY r.id""")
_STAGE = text(
    "SELECT id FROM clock WHERE matter_id = :matter_id AND stage = 'judge' AND ended_at IS NULL"
)
_CARDS = text(
    "SELECT id, cause, level, unit_id FROM card WHERE matter_id = :matter_id ORDER BY level DESC, cause"
)


@dataclass
class Story:
    """`cases` by what happened to them; `snapshots`: rows as they were at moments in between, oldest first."""

    tx: Transaction
    staff: Staff
    cases: dict[str, Case]
    snapshots: list[dict[str, dict[str, dict[str, Any]]]]
    number_id: UUID | None = None
    tag: str = ""
    # Of whoever opted out.
    opted_out: bytes = b""

    @property
    def ids(self) -> list[UUID]:
        return [case.id for case in self.cases.values()]

    def reply_id(self, number: int) -> str:
        return f"SM-tamper-{self.tag}-{number}"


def a_phone() -> str:
    return f"+86138{secrets.randbelow(10**8):08d}"


async def play(tx: Transaction, staff: Staff, snap: Any) -> Story:
    """Registered, merged, dispatched, answered, evaluated, corrected, called, done again; carded; with photos; erased."""
    story = Story(tx, staff, {}, [], tag=secrets.token_hex(4))
    now = await tx.now()
    await _handled(story, now, snap)
    await _evaluated(story, now, snap)
    await _done_again(story, now, snap)
    await _carded(story, now, snap)
    await _with_photos(story, now)
    await _erased(story, now, snap)
    await _number_entered(story, now)
    await snap(story)
    return story


async def _register(story: Story, name: str, now: datetime, **more: Any) -> Case:
    cadre = await story.staff("gongnong")
    intake = Intake(
        f"路灯不亮{name}", "村口路灯不亮三天了。", Kind.HELP, Channel.CADRE, place="村口",
        person=PersonHelped("李大姐", more.pop("phone", a_phone())), **more,
    )  # fmt: skip
    story.cases[name] = (await filing.register(story.tx, intake, by=cadre, now=now)).case
    await story.tx.flush()
    return story.cases[name]


async def _handled(story: Story, now: datetime, snap: Any) -> None:
    tx, staff = story.tx, story.staff
    cadre, clerk, center = await staff("gongnong"), await staff("guangshun"), await staff("zhihui")
    lead, assistant = await staff("ronglong"), await staff("shuiwu")
    case = await _register(story, "handled", now, phone="+8613896112233")
    joined = await _register(story, "joined", now)
    await snap(story)
    for by in (cadre, clerk):
        await judging.escalate(tx, case.ref, by=by, finding="没有维修能力", now=now)
        await tx.flush()
    await dispatching.merge(
        tx, joined.ref, by=center, primary_ref=case.ref, reason="同一件事", now=now
    )
    await tx.flush()
    await dispatching.dispatch(
        tx, case.ref, by=center, lead=Part("500153100", "恢复供水"), note="尽快",
        assistants=[Part("500153D11", "检修管网")], now=now,
    )  # fmt: skip
    await tx.flush()
    await snap(story)
    for by in (lead, assistant):
        await handling.sign(tx, case.ref, by=by, now=now)
        await tx.flush()
    await supervising.supervise(tx, case.ref, by=center, demand="三日内恢复", days=3, now=now)
    await tx.flush()
    await supervising.reply_supervision(tx, case.ref, by=lead, reply="已在抢修", now=now)
    await tx.flush()
    await extending.extend(tx, case.ref, by=lead, days=2, reason="等待配件", now=now)
    await tx.flush()
    await extending.decide_extension(
        tx, case.ref, by=await staff("zhihui"), granted=True, days=2, reason="同意", now=now
    )
    await tx.flush()
    await handling.assist_answer(tx, case.ref, by=assistant, answer="管网已修复", now=now)
    await tx.flush()
    await snap(story)
    await _answer(story, case, lead, now)


async def _answer(story: Story, case: Case, by: StaffActor, now: datetime) -> None:
    await handling.answer(
        story.tx, case.ref, by=by, outcome=Outcome.SOLVED, answer="已修好", basis="", now=now
    )
    await story.tx.flush()


async def _evaluated(story: Story, now: datetime, snap: Any) -> None:
    """满意, an hour later 不满意; a call finds nobody, then the complaint valid. Somebody else opts out."""
    tx, case = story.tx, story.cases["handled"]
    for name in ("handled", "joined"):
        for owed in await tx.all(_OWED, matter_id=story.cases[name].id):
            assert await invitations.ask(tx, owed.id)
            await tx.flush()
    await snap(story)
    for number, (words, after) in enumerate((("满意", 1), ("不满意，水还是没有", 2), ("谢谢", 3))):
        at = now + timedelta(hours=after)
        said = InboundText(story.reply_id(number), "+8613896112233", words)
        await receiving.receive(tx, [said], now=at)
        await tx.flush()
        await snap(story)
    phone = a_phone()
    story.opted_out = phone_key(phone)
    out = InboundText(story.reply_id(9), phone, "TD")
    await receiving.receive(tx, [out], now=now)
    await tx.flush()
    call, caller = await tx.scalar(_CALL, matter_id=case.id), await story.staff("ducha")
    later = now + timedelta(hours=5)
    for result in (CallResult.NOT_REACHED, CallResult.VALID):
        finding = Finding(result, consent=result is CallResult.VALID, note="属实")
        await return_calls.record_finding(tx, call, finding, by=caller, now=later)
        await snap(story)
    await access_log.look(tx, case.ref, by=caller, round_=None, reason="核对原始评价", now=later)


async def _done_again(story: Story, now: datetime, snap: Any) -> None:
    tx, case, lead = story.tx, story.cases["handled"], await story.staff("ronglong")
    ducha = await story.staff("ducha")
    await return_calls.rework(tx, case.ref, by=ducha, reason="五楼仍没有水", now=now)
    await tx.flush()
    await handling.sign(tx, case.ref, by=lead, now=now)
    await tx.flush()
    await irregular_cards.issue(
        tx, case.ref, by=ducha, level=CardLevel.YELLOW, unit_code="500153D11", person=None,
        reason="未见面核实", now=now,
    )  # fmt: skip
    await tx.flush()
    await snap(story)
    [card] = await tx.all(_CARDS, matter_id=case.id)
    await appeals.appeal(tx, card.id, by=await story.staff("shuiwu"), ground="当天停电", now=now)
    await tx.flush()
    await snap(story)
    await appeals.decide(
        tx, card.id, by=await story.staff("jiwei"), upheld=True, reason="停电属实", now=now
    )
    await tx.flush()


async def _carded(story: Story, now: datetime, snap: Any) -> None:
    """Overdue long ago: reminded, a yellow and a red card; the appeal against one is rejected."""
    tx = story.tx
    case = await _register(story, "overdue", now - timedelta(days=40))
    await snap(story)
    clock_id = await tx.scalar(_STAGE, matter_id=case.id)
    await sweep.issue(tx, await sweep.claim_one(tx, clock_id))
    await tx.flush()
    cards = await tx.all(_CARDS, matter_id=case.id)
    assert {one.level for one in cards} == {"yellow", "red"}


async def _with_photos(story: Story, now: datetime) -> None:
    cadre, ids = await story.staff("gongnong"), []
    for number in range(2):
        photo_id = uuid7(now)
        picture = Content(Media.JPEG, b"\xff\xd8 picture %d" % number, width=4, height=3)
        await attachments.put(photo_id, picture)
        await attachments.keep(story.tx, photo_id, picture, by=cadre, now=now)
        ids.append(photo_id)
    await story.tx.flush()
    await _register(story, "photos", now, photos=tuple(ids))


async def _erased(story: Story, now: datetime, snap: Any) -> None:
    case = await _register(story, "erased", now)
    await snap(story)
    await erasing.erase_texts(story.tx, case.ref, reason="依本人申请", now=now)
    await story.tx.flush()


async def _number_entered(story: Story, now: datetime) -> None:
    admin = await story.staff("admin")
    entered = await official_numbers.enter(
        story.tx, a_phone(), unit_code="500153100", account=None, county_id=admin.county_id,
        staff_id=admin.staff_id, now=now,
    )  # fmt: skip
    story.number_id = entered.id
    await privacy_role.enter(story.tx)

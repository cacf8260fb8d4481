"""What may happen in a county, by chance that a seed repeats: whoever may do something with a case does it. Knows no rule."""

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import text

from app.auth.actor import StaffActor
from app.cards import appeals, irregular_cards, supervising
from app.cards.models import CardLevel
from app.cases import access
from app.cases.actions import (
    closing,
    dispatching,
    extending,
    filing,
    handling,
    judging,
    recategorising,
    reviewing,
)
from app.cases.actions.dispatching import Part
from app.cases.actions.recategorising import Correction
from app.cases.lifecycle import Action
from app.cases.models import Outcome, ReviewOutcome
from app.errors import NotFound, Problem
from app.evaluation import invitations, manual_review, return_calls
from app.evaluation.return_calls import Finding
from app.evaluation.terms import CallResult, HandReading, Value
from app.limits.terms import Kind
from tests.reports.conftest import ASSISTANT, LEAD, TOWNSHIP, VILLAGE, Books

Act = Callable[..., Awaitable[Any]]
_ACTS: Final[Mapping[Action, Act]] = {
    Action.REQUEST_SUPPLEMENT: partial(judging.request_supplement, missing="楼栋号"),
    Action.SUPPLY: partial(filing.supply, supplement="13栋"),
    Action.ADD: partial(filing.add, addition="12栋也没有水"),
    Action.DECLINE: partial(judging.decline, reason="不属实", basis="条例"),
    Action.OBJECT_REFUSAL: partial(filing.object_refusal, reason="属实"),
    Action.HANDLE: judging.handle,
    Action.ESCALATE: partial(judging.escalate, finding="没有资质"),
    Action.SEND_DOWN: partial(judging.send_down, to_code=TOWNSHIP, reason="属街道"),
    Action.SIGN: handling.sign,
    Action.HAND_BACK: partial(handling.hand_back, reason="不在本镇"),
    Action.ASSIST_ANSWER: partial(handling.assist_answer, answer="管网已修复"),
    Action.ANSWER: partial(handling.answer, outcome=Outcome.SOLVED, answer="已修好", basis=""),
    Action.CLOSE: closing.close,
    Action.WITHDRAW: partial(filing.withdraw, reason="已自行解决"),
    Action.EXTEND: partial(extending.extend, days=5, reason="等配件"),
    Action.DECIDE_EXTENSION: partial(extending.decide_extension, granted=True, days=None, reason="同意"),
    Action.APPROVE_ANSWER: partial(closing.approve_answer, reason="只有一人"),
    Action.ASK_REVIEW: partial(reviewing.ask_review, reason="不服"),
    Action.DECIDE_REVIEW: partial(reviewing.decide_review, outcome=ReviewOutcome.REVOKED, reason="属实"),
    Action.ASK_REEXAMINATION: partial(reviewing.ask_reexamination, reason="不服"),
    Action.DECIDE_REEXAMINATION: partial(reviewing.decide_reexamination, outcome=ReviewOutcome.UPHELD, reason="维持"),
    Action.SUPERVISE: partial(supervising.supervise, demand="尽快修好", days=3),
    Action.REPLY_SUPERVISION: partial(supervising.reply_supervision, reply="正在修"),
    Action.RECATEGORISE: partial(recategorising.recategorise, correction=Correction(kind=Kind.QUESTION), reason="登记错了"),
    Action.CARD: partial(irregular_cards.issue, level=CardLevel.YELLOW, unit_code=LEAD, person=None, reason="推诿"),
}  # fmt: skip
# What ends a case or changes little, so that the rest gets its turn.
_RARE: Final = frozenset({
    Action.WITHDRAW, Action.DECLINE, Action.MERGE, Action.RECATEGORISE, Action.SUPERVISE, Action.REQUEST_SUPPLEMENT,
    Action.CARD, Action.CLOSE, Action.EXTEND, Action.HAND_BACK, Action.REPLY_SUPERVISION, Action.SEND_DOWN,
})  # fmt: skip
_STAFF: Final = (
    "gongnong", "guangshun", "zhihui", "ronglong", "ronglong_head", "shuiwu", "shuiwu_head", "ducha", "jiwei",
)  # fmt: skip
_WORDS: Final = ("满意", "基本满意", "不满意", "水又没了，哪里满意", "谢谢")
_FINDINGS: Final = (
    Finding(CallResult.VALID, consent=True),
    Finding(CallResult.EVALUATED, evaluation=Value.SATISFIED),
    Finding(CallResult.EVALUATED),
    Finding(CallResult.NOT_REACHED),
)
_OWED = text("SELECT id, matter_id FROM outbox_message WHERE kind = 'survey_owed' AND state = 'queued' AND matter_id = ANY(:own) ORDER BY id")  # fmt: skip
_CARDS = text(
    "SELECT id FROM card WHERE matter_id = ANY(:own) ORDER BY effective_at DESC, id DESC LIMIT 5"
)
_UNIT = text("SELECT id, name, code FROM unit WHERE code = :code")
_SUCCESSORS: Final = ((VILLAGE, "500153003008"), (LEAD, "500153005"), (ASSISTANT, "500153D36"))


class County:
    """Cases and who does what with them; `did` is what came of it, for whoever asks why."""

    def __init__(self, books: Books, seed: int) -> None:
        self._books, self._tx = books, books.tx
        self._chance = random.Random(seed)  # noqa: S311 - it hides nothing
        self._cases: list[Any] = []
        self._heirs: dict[str, str] = {}
        self.did: set[str] = set()

    async def lives(self, begins: datetime, ends: datetime, steps: int) -> None:
        """So many things happen between two moments, in order."""
        for number in range(steps):
            now = begins + (ends - begins) * number / steps
            await self._books.swept(now)
            await self._happens(now)

    async def reorganised(self, which: int, now: datetime) -> None:
        """A unit ends, another one carries on, and its people go on there."""
        old, new = _SUCCESSORS[which]
        await self._books.ends(old, new, now)
        self._heirs[old] = new

    async def _happens(self, now: datetime) -> None:
        what: list[Act] = [self._told, self._act, self._act, self._act, self._act, self._asked, self._read, self._called, self._appealed]  # fmt: skip
        await self._tx.execute(text("SAVEPOINT what"))
        try:
            await self._chance.choice(what)(now)
            await self._tx.flush()
        except Problem:
            # Nobody may do that now. What it had collected is not to be written with the next.
            self._tx._added, self._tx._changed = {}, {}
            await self._tx.execute(text("ROLLBACK TO SAVEPOINT what"))

    async def _who(self, account: str) -> StaffActor:
        by = await self._books.who(account)
        heir = self._heirs.get(by.unit_code)
        if heir is None:
            return by
        unit = (await self._tx.all(_UNIT, code=heir))[0]
        return replace(by, unit_id=unit.id, unit_name=unit.name, unit_code=unit.code)

    async def _told(self, now: datetime) -> None:
        kind = Kind.ACCUSATION if self._chance.random() < 0.1 else Kind.HELP
        by = "gongnong" if VILLAGE not in self._heirs else "guangshun"
        self._cases.append(await self._books.told(now, by=by, kind=kind))

    async def _act(self, now: datetime) -> None:
        case = self._any(self._cases)
        may = [
            (by, action) for account in _STAFF for by, action in await self._may(account, case, now)
        ]
        by, action = self._any([one for one in may for _ in range(1 if one[1] in _RARE else 6)])
        act = _ACTS.get(action) or self._named[action](self)
        await act(self._tx, case.ref, by=by, now=now)
        self.did.add(action)

    async def _may(self, account: str, case: Any, now: datetime) -> list[tuple[StaffActor, Action]]:
        by = await self._who(account)
        try:
            dossier = await access.get_case(self._tx, case.ref, by=by)
        except NotFound:
            return []
        allowed = access.actions(dossier, by, now)
        return [(by, one) for one in allowed if one in _ACTS or one in self._named]

    def _dispatch(self) -> Act:
        lead, helper = self._heirs.get(LEAD, LEAD), self._heirs.get(ASSISTANT, ASSISTANT)
        return partial(dispatching.dispatch, lead=Part(lead), assistants=[Part(helper)], note="")

    def _settle(self) -> Act:
        code = self._heirs.get(LEAD, LEAD)
        agreed = self._chance.random() < 0.5
        return partial(dispatching.settle, unit_code=code, agreed=agreed, reason="查过")

    def _merge(self) -> Act:
        primary = self._any(self._cases)
        return partial(dispatching.merge, primary_ref=primary.ref, reason="同一件事")

    _named: Mapping[Action, Callable[["County"], Act]] = {
        Action.DISPATCH: _dispatch,
        Action.SETTLE: _settle,
        Action.MERGE: _merge,
    }

    @property
    def _own(self) -> list[UUID]:
        """Other tests may have left cases behind."""
        return [one.id for one in self._cases]

    async def _asked(self, now: datetime) -> None:
        for owed in await self._tx.all(_OWED, own=self._own):
            self._tx.began(now)
            await invitations.ask(self._tx, owed.id)
            await self._tx.flush()
            case = next(one for one in self._cases if one.id == owed.matter_id)
            for _ in range(self._chance.randrange(3)):
                now += timedelta(minutes=1)
                await self._books.says(case, self._chance.choice(_WORDS), now)
            self.did.add("asked")

    async def _read(self, now: datetime) -> None:
        by = await self._who("zhihui")
        waiting = await manual_review.unread(
            self._tx, by=by, after=(now - timedelta(days=400), ""), most=9
        )
        reading = self._chance.choice(list(HandReading))
        own = [one for one in waiting if self._books.said(one.id)]
        await manual_review.settle(self._tx, self._any(own).id, reading, ref=None, by=by, now=now)
        self.did.add("read")

    async def _called(self, now: datetime) -> None:
        by = await self._who("zhihui")
        calls = await return_calls.open_calls(self._tx, by=by, after=None, most=9)
        refs = {one.ref for one in self._cases}
        call = self._any([one for one in calls if one.ref in refs])
        finding = self._chance.choice(_FINDINGS)
        await return_calls.record_finding(self._tx, call.id, finding, by=by, now=now)
        self.did.add("called")
        if finding.consent:
            await return_calls.rework(self._tx, call.handled_ref, by=by, reason="属实", now=now)
            self.did.add("rework")

    async def _appealed(self, now: datetime) -> None:
        card = self._any(await self._tx.all(_CARDS, own=self._own))
        if self._chance.random() < 0.5:
            by = await self._who(self._chance.choice(_STAFF))
            await appeals.appeal(self._tx, card.id, by=by, ground="停电", now=now)
        else:
            by = await self._who("ducha")
            await appeals.decide(self._tx, card.id, by=by, upheld=True, reason="属实", now=now)
            self.did.add("upheld")

    def _any(self, some: list[Any]) -> Any:
        if not some:
            raise NotFound
        return self._chance.choice(some)

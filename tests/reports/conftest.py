"""Cases at moments of 2025, told, handled and evaluated through the product's own use cases; nothing is committed."""

import itertools
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from app import keys
from app.auth.actor import StaffActor
from app.cards import sweep
from app.cases.actions import filing, handling, judging, reorganising
from app.cases.actions.filing import Intake
from app.cases.models import Channel, Outcome
from app.cases.number_given import PersonHelped
from app.clock import SHANGHAI
from app.db import Database, Transaction, transaction
from app.directory.units import end_unit
from app.evaluation import invitations, receiving, return_calls
from app.evaluation.models import Survey
from app.evaluation.return_calls import Finding
from app.evaluation.terms import CallResult
from app.limits.terms import Kind
from app.matters.clocks import Clock
from app.reports import closing, exclusions, reading
from app.reports.formulas import Measure
from app.reports.models import MonthEnd
from app.reports.months import HEARD, Month
from app.reports.reading import Report
from app.settings import settings
from app.texts.inbound import InboundText
from qungong.dev import sample
from tests.conftest import Staff, find_staff
from tests.services import Addresses, database_copy

JUNE = Month(2025, 6)
CLOSING_DAY = 10
VILLAGE, TOWNSHIP, LEAD, ASSISTANT = "500153003007", "500153003", "500153100", "500153D11"
_OWED = text("SELECT id FROM outbox_message WHERE kind = 'survey_owed' AND state = 'queued' AND matter_id = :matter_id")  # fmt: skip
_SURVEY = text(
    "SELECT * FROM surveys.survey WHERE matter_id = :matter_id ORDER BY round DESC LIMIT 1"
)
_phones = itertools.count(1)


def june(day: int, hour: int = 10, *, month: int = 6) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=SHANGHAI)


class Books:
    """A county's books for tests: what is done in it, and the month that is locked over it."""

    def __init__(self, tx: Transaction, staff: Staff) -> None:
        self.tx, self._staff = tx, staff
        self._said = set[str]()

    async def who(self, account: str) -> StaffActor:
        return await self._staff(account)

    async def told(
        self,
        at: datetime,
        *,
        kind: Kind = Kind.HELP,
        by: str = "gongnong",
        phone: str | None = None,
    ) -> Any:
        """A case as it was registered."""
        number = phone or f"+86136{next(_phones):08d}"
        intake = Intake(
            "路灯不亮",
            "村口路灯不亮三天了。",
            kind,
            Channel.CADRE,
            person=PersonHelped("李大姐", number),
        )
        case = (await filing.register(self.tx, intake, by=await self.who(by), now=at)).case
        await self.tx.flush()
        return case

    async def does(self, action: Any, case: Any, at: datetime, by: str, **told: Any) -> None:
        await action(self.tx, case.ref, by=await self.who(by), now=at, **told)
        await self.tx.flush()

    async def solved(
        self, told: datetime, answered: datetime, *, by: str = "gongnong", says: str | None = None
    ) -> Any:
        """The village solves it by itself; `says` is what the reporter texts an hour later, after being asked."""
        case = await self.told(told, by=by)
        await self.does(judging.handle, case, told + timedelta(hours=1), by)
        await self.answers(case, answered, by)
        await self.asked(case, answered, says)
        return case

    async def answers(self, case: Any, at: datetime, by: str) -> None:
        await self.does(
            handling.answer, case, at, by, outcome=Outcome.SOLVED, answer="已修好", basis=""
        )

    async def asked(self, case: Any, at: datetime, says: str | None = None) -> Survey:
        self.tx.began(at)
        assert await invitations.ask(self.tx, await self.tx.scalar(_OWED, matter_id=case.id))
        await self.tx.flush()
        survey = Survey.read((await self.tx.all(_SURVEY, matter_id=case.id))[0])
        if says is not None:
            await self.says(case, says, at + timedelta(hours=1))
        return survey

    def said(self, reply_id: str) -> bool:
        """Whether it came by `says`, and not from another test."""
        return reply_id in self._said

    async def says(self, case: Any, words: str, at: datetime) -> None:
        person = (await self.tx.all(_PHONE, matter_id=case.id))[0]
        phone = keys.decrypt(person.phone_sealed, keys.at("citizen.phone_sealed", person.id))
        reply = InboundText(f"SM{case.ref}{at.timestamp()}", phone, words)
        self._said.add(reply.provider_message_id)
        await receiving.receive(self.tx, [reply], now=at)
        await self.tx.flush()

    async def swept(self, at: datetime) -> int:
        """Cards for all that came due by then."""
        self.tx.began(at)
        done = 0
        while clocks := await _due(self.tx, at):
            swept = await sweep.issue(self.tx, clocks)
            done += swept.cards
            await self.tx.flush()
            for wait in swept.waits_over:
                await sweep.resume(self.tx, wait)
                await self.tx.flush()
        return done

    async def county_id(self) -> int:
        county_id = (await self.who("gongnong")).county_id
        assert county_id is not None
        return county_id

    async def locked(self, month: Month = JUNE, *, late: timedelta = HEARD) -> MonthEnd:
        """The month end, `late` after the cut-off; what had come due by then has been swept."""
        await self.swept(month.cutoff(CLOSING_DAY))
        done = await closing.close_month(
            self.tx,
            await self.county_id(),
            month,
            now=month.cutoff(CLOSING_DAY) + late,
            closing_day=CLOSING_DAY,
        )
        assert done is not None
        return done

    async def locked_late(self, month: Month = JUNE) -> MonthEnd:
        """The month end after an outage of weeks, whatever was done meanwhile."""
        done = await closing.close_month(
            self.tx,
            await self.county_id(),
            month,
            now=month.cutoff(CLOSING_DAY) + timedelta(days=70),
            closing_day=CLOSING_DAY,
        )
        assert done is not None
        return done

    async def ends(self, old: str, new: str, at: datetime) -> None:
        """A unit ends, and another one carries on with all that it has open."""
        self.tx.began(at)
        last_day = at.astimezone(SHANGHAI).date() - timedelta(days=1)
        await end_unit(self.tx, old, successor=new, last_day=last_day)
        await self.tx.flush()
        await self.swept(at)
        while await reorganising.hand_over(self.tx, now=at):
            await self.tx.flush()

    async def report(self, first: Month = JUNE, last: Month | None = None) -> Report:
        return await reading.county(
            self.tx, await self.county_id(), first, last or first, evaluations=True, people=True
        )

    async def counts(
        self, code: str, person: str | None = None, *, months: tuple[Month, Month] = (JUNE, JUNE)
    ) -> dict[Measure, int]:
        """What is locked and not zero, of a unit or a person in it."""
        report = await self.report(*months)
        for one in [*report.units, *report.people]:
            if (one.unit_code, one.person_name) == (code, person):
                return {measure: number for measure, number in one.counts.items() if number}
        return {}


_PHONE = text("SELECT p.id, p.phone_sealed FROM matter_facts c JOIN citizen p ON p.id = c.citizen_id WHERE c.id = :matter_id")  # fmt: skip
_DUE = text("SELECT * FROM clock WHERE next_at <= :at ORDER BY next_at, id LIMIT 200 FOR UPDATE")


async def _due(tx: Transaction, at: datetime) -> list[Clock]:
    return [Clock.read(row) for row in await tx.all(_DUE, at=at)]


@pytest_asyncio.fixture(scope="session")
async def _ledger(addresses: Addresses, redis_url: str, worker_number: int) -> AsyncIterator[str]:
    """The address of a county of its own with June 2025 in it, committed and not locked."""
    assert redis_url
    for url in database_copy(addresses, f"ledger{worker_number}"):
        with pytest.MonkeyPatch.context() as patch:
            own = _on(url, patch)
            await sample.load()
            async with transaction(own) as tx:
                await fill(Books(tx, find_staff))
            await own.close()
        settings.cache_clear()
        yield url


@pytest_asyncio.fixture
async def ledger(_ledger: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The application at that county, for one test; they share it."""
    own = _on(_ledger, monkeypatch)
    yield _ledger
    await own.close()
    monkeypatch.undo()
    settings.cache_clear()


def _on(url: str, patch: pytest.MonkeyPatch) -> Database:
    patch.setenv("DATABASE_URL", url)
    settings.cache_clear()
    own = Database(url, pool_size=4)
    patch.setattr("app.db.transactions.database", lambda: own)
    return own


async def fill(books: Books) -> None:
    """The village is evaluated by twelve, of whom one is excluded; the township by three, another by two; an accusation; a card."""
    for number, says in enumerate(("满意", "满意", "基本满意", "不满意", "不满意", *["满意"] * 6)):
        await books.solved(june(2 + number), june(3 + number, 16), says=says)
    await exclude(books, await books.solved(june(7), june(8, 16), says="不满意"))
    for number in range(3):
        case = await books.told(june(9 + number))
        await books.does(
            judging.escalate, case, june(9 + number, 12), "gongnong", finding="没有资质"
        )
        await books.does(judging.handle, case, june(9 + number, 14), "guangshun")
        await books.answers(case, june(10 + number), "guangshun")
        await books.asked(case, june(10 + number), "满意")
    for number in range(2):
        await books.solved(june(9 + number), june(10 + number), by="ronglong", says="满意")
    await books.told(june(2), kind=Kind.ACCUSATION)
    late = await books.told(june(6))
    await books.does(judging.handle, late, june(6, 12), "gongnong")
    await books.swept(JUNE.cutoff(CLOSING_DAY))


async def exclude(books: Books, case: Any, at: datetime | None = None) -> None:
    """The command center found the case's complaint unreasonable, and excludes the evaluation."""
    center, at = await books.who("zhihui"), at or june(12)
    call = await books.tx.scalar(_CALL, matter_id=case.id)
    finding = Finding(CallResult.UNREASONABLE, note="坚持法外诉求")
    await return_calls.record_finding(books.tx, call, finding, by=center, now=at)
    await books.tx.flush()
    await exclusions.exclude(books.tx, call, by=center, reason="诉求不合理", now=at)
    await books.tx.flush()


_CALL = text("SELECT r.id FROM surveys.return_call r JOIN surveys.survey s ON s.id = r.survey_id WHERE s.matter_id = :matter_id")  # fmt: skip


@pytest.fixture
def books(tx: Transaction, staff: Staff) -> Books:
    return Books(tx, staff)

"""What a clock does: surveys asked, answered cases archived, whatever else goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import TextClause, text
from structlog.testing import capture_logs
from typing_extensions import override

from app import clock
from app.auth.actor import StaffActor
from app.calendars import editing
from app.calendars.working_time import Day
from app.cards import pressing
from app.cases.actions import filing, handling, judging, reorganising
from app.cases.actions.filing import Intake
from app.cases.models import Channel, Outcome
from app.cases.number_given import PersonHelped
from app.db import OWNER, Database, Transaction, transaction
from app.directory.terms import UnitKind
from app.directory.units import end_unit
from app.evaluation import privacy_role
from app.kinds import verification
from app.limits.terms import Kind
from tests.conftest import find_staff
from tests.units import founded, yesterday
from tests.workers.conftest import Workers, until
from workers import housekeeping
from workers.deadlines import Deadlines

_REASSIGNED = text("SELECT count(*) FROM record_entry WHERE action = 'reassign'")
_HOLDERS = text("""
SELECT g.ref, u.code FROM grievance g JOIN unit u ON u.id = g.holder_unit_id WHERE g.phase = 'pending'
""")
_CASE = text("SELECT phase, closed_at, close_at FROM grievance WHERE ref = :ref")
_LAST_EVENT = text("""
SELECT e.action, e.staff_id, e.public FROM record_entry e JOIN grievance g ON g.id = e.matter_id WHERE g.ref = :ref
ORDER BY e.seq DESC LIMIT 1
""")
_SURVEYS = text("SELECT count(*) FROM surveys.survey")
_TEXTS = text("SELECT count(*) FROM outbox_message WHERE kind = 'survey'")
_OWED = text("SELECT count(*) FROM outbox_message WHERE kind = 'survey_owed' AND state = 'queued'")
# A head that does not fit its chain: closing this case fails on the record's key.
# As the sweep locks what it is at.
_SWEPT = text("SELECT 1 FROM matter WHERE ref = :ref FOR NO KEY UPDATE")
_BREAK = text("UPDATE matter SET head_seq = head_seq - 1 WHERE ref = :ref")
_BEHIND = text("""
SELECT DISTINCT g.ref FROM grievance g JOIN clock w ON w.matter_id = g.id JOIN calendar c ON c.county_id = w.county_id
WHERE w.calendar_version < c.version
""")
# As a migration that went wrong would leave it.
_ANOTHER_RELEASE = text("ALTER TABLE sweep_pulse RENAME TO sweep_pulse_of_another_release")
_OLD_ANSWER = text("""
INSERT INTO given_answer (owner, key, request_digest, status, body_sealed, created_at)
VALUES ('staff:1', 'old', '', 200, '', now() - INTERVAL '3 days'), ('staff:1', 'new', '', 200, '', now())
""")
_KEPT = text("SELECT array_agg(key) FROM given_answer")


async def answered(cadre: StaffActor, number: int) -> str:
    intake = Intake(
        "路灯不亮",
        "村口路灯不亮三天了。",
        Kind.HELP,
        Channel.CADRE,
        person=PersonHelped("李大姐", f"+86139{number:08d}"),
    )
    async with transaction() as tx:
        ref = (await filing.register(tx, intake, by=cadre, now=await tx.now())).case.ref
    async with transaction() as tx:
        await judging.handle(tx, ref, by=cadre, now=await tx.now())
    async with transaction() as tx:
        await handling.answer(
            tx, ref, by=cadre, outcome=Outcome.SOLVED, answer="已修好", basis="", now=await tx.now()
        )
    return ref


async def scalar(statement: Any, **values: Any) -> Any:
    async with transaction() as tx:
        await privacy_role.enter(tx)
        return await tx.scalar(statement, **values)


async def case(ref: str) -> Any:
    async with transaction() as tx:
        return (await tx.all(_CASE, ref=ref))[0]


async def test_worker_asks_what_is_owed_without_redis(cadre: StaffActor, workers: Workers) -> None:
    await workers.start("deadlines", REDIS_URL="redis://127.0.0.1:1/0")
    for number in range(3):
        await answered(cadre, number)

    async def all_asked() -> bool:
        return bool(await scalar(_TEXTS) == 3)

    await until(all_asked)
    assert (await scalar(_SURVEYS), await scalar(_OWED)) == (3, 0)


async def test_answered_case_is_archived_when_survey_window_has_ended_and_not_before(
    cadre: StaffActor,
) -> None:
    ref = await answered(cadre, 1)
    close_at = (await case(ref)).close_at
    work = Deadlines()
    async with transaction() as tx:
        left = close_at - await tx.now()
    with clock.moved(left - timedelta(minutes=1)):
        await work.once()
        assert (await case(ref)).phase == "answered"
    with clock.moved(left + timedelta(seconds=1)):
        await work.once()
        assert (await case(ref)).phase == "closed"
    async with transaction() as tx:
        last = (await tx.all(_LAST_EVENT, ref=ref))[0]
        assert (last.action, last.staff_id) == ("close", None)
        assert [fault async for _, found in verification.verify(tx) for fault in found] == []


async def test_one_case_that_cannot_be_archived_holds_up_no_other(cadre: StaffActor) -> None:
    refs = [await answered(cadre, number) for number in range(3)]
    async with transaction() as tx:
        await tx.execute(_BREAK, ref=refs[0])
    with clock.moved(timedelta(days=30)):
        await Deadlines().once()
    assert [(await case(ref)).phase for ref in refs] == ["answered", "closed", "closed"]


async def test_two_workers_archive_each_case_once(cadre: StaffActor) -> None:
    refs = [await answered(cadre, number) for number in range(4)]
    await Deadlines().once()
    with clock.moved(timedelta(days=30)):
        async with transaction() as tx:
            # The sweep of another worker is at the first one.
            await tx.execute(_SWEPT, ref=refs[0])
            with capture_logs() as logged:
                await Deadlines().once()
        assert not [entry for entry in logged if entry["log_level"] == "error"]
        assert [(await case(ref)).phase for ref in refs] == [
            "answered",
            "closed",
            "closed",
            "closed",
        ]
        await Deadlines().once()
    assert (await case(refs[0])).phase == "closed"


@pytest.mark.usefixtures("database")
async def test_old_answers_are_cleared_out_and_new_ones_kept() -> None:
    async with transaction() as tx:
        await tx.execute(_OLD_ANSWER)
    dropped = await housekeeping.tidy()
    assert dropped["given_answer"] == 1
    assert await scalar(_KEPT) == ["new"]


async def test_one_case_that_cannot_be_handed_over_holds_up_no_other(cadre: StaffActor) -> None:
    refs = [await told(cadre) for _ in range(4)]
    async with transaction() as tx:
        heir = await founded(tx, UnitKind.VILLAGE, "500153003")
        await end_unit(tx, cadre.unit_code, successor=heir, last_day=await yesterday(tx))
        await tx.execute(_BREAK, ref=refs[1])
    work = Deadlines()
    with capture_logs() as logs:
        while await work.once():
            pass
    assert await holders() == dict.fromkeys(refs, heir) | {refs[1]: cadre.unit_code}
    assert {entry["what"] for entry in logs if entry["log_level"] == "error"} == {"handing over"}


async def test_case_that_a_sweep_holds_is_handed_over_at_the_next_look(cadre: StaffActor) -> None:
    refs = [await told(cadre) for _ in range(3)]
    async with transaction() as tx:
        heir = await founded(tx, UnitKind.VILLAGE, "500153003")
        await end_unit(tx, cadre.unit_code, successor=heir, last_day=await yesterday(tx))
    async with transaction() as sweep:
        await sweep.execute(_SWEPT, ref=refs[0])
        with capture_logs() as logs:
            await Deadlines().once()
        assert await holders() == dict.fromkeys(refs, heir) | {refs[0]: cadre.unit_code}
    assert not [entry for entry in logs if entry["log_level"] == "error"]
    await Deadlines().once()
    assert await holders() == dict.fromkeys(refs, heir)


async def test_one_case_whose_limits_cannot_be_computed_anew_holds_up_no_other(
    cadre: StaffActor,
) -> None:
    refs = [await told(cadre) for _ in range(4)]
    async with transaction() as tx:
        today = (await tx.now()).astimezone(clock.SHANGHAI).date()
        off = {today + timedelta(days=n): Day(False, name="停工") for n in range(1, 8)}
        assert cadre.county_id is not None
        await editing.change_days(tx, cadre.county_id, off, reason="-", staff_id=None, now=await tx.now())  # fmt: skip
        await tx.execute(_BREAK, ref=refs[1])
    work = Deadlines()
    with capture_logs() as logs:
        while await work.once():
            pass
    async with transaction() as tx:
        behind = {row.ref for row in await tx.all(_BEHIND)}
        assert behind == {refs[1]}
    assert [entry["what"] for entry in logs if entry["log_level"] == "error"] == ["limits"] * 2


async def test_what_fails_as_a_whole_holds_up_nothing_that_comes_after_it(
    cadre: StaffActor,
) -> None:
    ref = await answered(cadre, 1)
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(_ANOTHER_RELEASE)
    with clock.moved(timedelta(days=30)), capture_logs() as logs:
        await Deadlines().once()
    assert (await case(ref)).phase == "closed"
    assert [entry["what"] for entry in logs if entry["log_level"] == "error"] == ["cards"]


async def holders() -> dict[str, str]:
    """The code of the unit that holds each pending case."""
    async with transaction() as tx:
        return {row.ref: row.code for row in await tx.all(_HOLDERS)}


async def told(cadre: StaffActor) -> str:
    intake = Intake("路灯不亮", "村口路灯不亮三天了。", Kind.HELP, Channel.CADRE)
    async with transaction() as tx:
        return (await filing.register(tx, intake, by=cadre, now=await tx.now())).case.ref


class SlowToLock(Transaction):
    """Rows are chosen as of when a statement begins, and locked when they are fetched; here something happens between."""

    def __init__(self, driver: Any, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(driver)
        self._meanwhile = meanwhile

    @override
    async def all(self, statement: TextClause, /, **values: Any) -> list[Any]:
        if " SKIP LOCKED" not in statement.text or ":most" not in statement.text:
            return await super().all(statement, **values)
        rows: list[Any] = await self._ask(self._fetched_later, statement, values)
        return rows

    async def _fetched_later(self, query: str, *given: Any) -> list[Any]:
        chosen = await self._driver.cursor(query, *given)
        await self._meanwhile()
        rows: list[Any] = await chosen.fetch(1000)
        return rows


async def test_what_another_worker_passes_on_between_choosing_and_locking_is_left_alone(
    cadre: StaffActor, database: Database
) -> None:
    refs = [await told(cadre) for _ in range(3)]
    async with transaction() as tx:
        heir = await founded(tx, UnitKind.VILLAGE, "500153003")
        await end_unit(tx, cadre.unit_code, successor=heir, last_day=await yesterday(tx))

    async def another_passes_two_on() -> None:
        async with transaction() as tx:
            assert await reorganising.hand_over(tx, now=await tx.now(), most=2) == 2

    locked: list[Any] = []
    async with database.connection() as driver:
        tx = SlowToLock(driver, another_passes_two_on)
        done = await reorganising.hand_over(tx, now=await tx.now(), taken=locked)
        await tx.commit()
    # All were chosen and locked; of two it was seen only then that they had been passed on.
    assert (len(locked), done) == (3, 1)
    async with transaction() as tx:
        assert {row.ref: row.code for row in await tx.all(_HOLDERS)} == dict.fromkeys(refs, heir)
        assert await tx.scalar(_REASSIGNED) == len(refs)
        assert [fault async for _, found in verification.verify(tx) for fault in found] == []


async def test_workers_hand_over_side_by_side_and_each_case_once(cadre: StaffActor) -> None:
    refs = [await told(cadre) for _ in range(12)]
    async with transaction() as tx:
        heir = await founded(tx, UnitKind.VILLAGE, "500153003")
        await end_unit(tx, cadre.unit_code, successor=heir, last_day=await yesterday(tx))

    async def some() -> int:
        async with transaction() as tx:
            return await reorganising.hand_over(tx, now=await tx.now(), most=3)

    async def left() -> int:
        async with transaction() as tx:
            return await reorganising.remaining(tx, now=await tx.now())

    for _ in range(50):
        if not sum(await asyncio.gather(*(some() for _ in range(3)))) and await left() == 0:
            break
    async with transaction() as tx:
        assert {row.ref: row.code for row in await tx.all(_HOLDERS)} == dict.fromkeys(refs, heir)
        assert await tx.scalar(_REASSIGNED) == len(refs)
        assert [fault async for _, found in verification.verify(tx) for fault in found] == []


async def test_case_pressed_between_choosing_and_locking_is_handed_over_as_it_is_then(
    cadre: StaffActor, database: Database
) -> None:
    ref, leader = await told(cadre), await find_staff("lingdao")
    async with transaction() as tx:
        heir = await founded(tx, UnitKind.VILLAGE, "500153003")
        await end_unit(tx, cadre.unit_code, successor=heir, last_day=await yesterday(tx))

    async def the_leader_presses() -> None:
        async with transaction() as tx:
            await pressing.press(tx, ref, by=leader, note="抓紧办理", now=await tx.now())

    async with database.connection() as driver:
        tx = SlowToLock(driver, the_leader_presses)
        await reorganising.hand_over(tx, now=await tx.now())
        await tx.commit()
    assert await holders() == {ref: heir}
    async with transaction() as tx:
        assert [fault async for _, found in verification.verify(tx) for fault in found] == []

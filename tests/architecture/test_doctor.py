"""Each invariant of `qungong doctor`: the harm done by hand, past every guard, is named; without it nothing is."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text
from typer.testing import CliRunner

from app import clock, idempotency, keys
from app.cards import sweep
from app.cases.actions import closing, dispatching, filing, handling, judging
from app.cases.actions.dispatching import Part
from app.cases.actions.filing import Intake
from app.cases.models import Channel, Outcome
from app.cases.number_given import PersonHelped
from app.db import OWNER, Database, Transaction, transaction
from app.doctor.examining import examine
from app.doctor.invariants import CHAINS, EVALUATIONS, INVARIANTS, SEALED_ROWS
from app.evaluation import access_log, invitations, receiving
from app.limits.terms import Kind
from app.settings import settings
from app.texts.inbound import InboundText
from qungong.cli import app
from qungong.dev import sample
from tests.conftest import Staff
from tests.harms import HARMS, MONTH_HARMS, OVERDUE

PHONE = "+8613896007788"
INTAKE = Intake(
    title="13至17栋没有饮用水",
    body="我们小区13栋到17栋已经三天没有自来水。",
    kind=Kind.HELP,
    channel=Channel.CADRE,
    person=PersonHelped("张三娘", PHONE),
)
NEIGHBOURS = replace(INTAKE, person=PersonHelped("李二哥", "+8613896007799"))
# Only a superuser can set this; it turns triggers and foreign keys off.
_UNGUARDED = text("SET LOCAL session_replication_role = replica")
_OWED = text("SELECT id FROM outbox_message WHERE kind = 'survey_owed' AND matter_id = :matter_id")
# What is owed about one case is owed about another as well.
_ALSO_OWED = text("""
INSERT INTO outbox_message (id, kind, matter_id, round, turn, citizen_id, params_sealed, state, attempts, inquiries, due_at, expires_at, created_at)
SELECT gen_random_uuid(), kind, :as_if, round, turn, citizen_id, params_sealed, state, attempts, inquiries, due_at, expires_at, created_at
FROM outbox_message WHERE matter_id = :matter_id AND kind = 'survey_owed'
""")
_EVERY = 10_000


@dataclass(frozen=True)
class Story:
    """A case that was answered, and another that had been joined to it; the reporter of the first has evaluated."""

    ref: str
    id: UUID
    joined_ref: str
    joined_id: UUID

    def fill(self, words: str) -> str:
        for name in ("joined_ref", "joined_id", "ref", "id"):
            words = words.replace(f"[{name}]", f"'{getattr(self, name)}'")
        return words


async def played(tx: Transaction, staff: Staff) -> Story:
    cadre, clerk, center = await staff("gongnong"), await staff("guangshun"), await staff("zhihui")
    lead, assistant = await staff("ronglong"), await staff("shuiwu")
    now = await tx.now()
    cases = []
    for told in (INTAKE, NEIGHBOURS):
        cases.append((await filing.register(tx, told, by=cadre, now=now)).case)
        await tx.flush()
    case, joined = cases
    for by in (cadre, clerk):
        await judging.escalate(tx, case.ref, by=by, finding="没有供水管网的维修能力", now=now)
        await tx.flush()
    await dispatching.merge(
        tx, joined.ref, by=center, primary_ref=case.ref, reason="同一件事", now=now
    )
    await tx.flush()
    parts = Part("500153100", "恢复供水"), Part("500153D11", "检修管网")
    await dispatching.dispatch(
        tx, case.ref, by=center, lead=parts[0], assistants=[parts[1]], note="", now=now
    )
    await tx.flush()
    for by in (lead, assistant):
        await handling.sign(tx, case.ref, by=by, now=now)
        await tx.flush()
    await handling.assist_answer(tx, case.ref, by=assistant, answer="管网已修复", now=now)
    await tx.flush()
    await handling.answer(
        tx, case.ref, by=lead, outcome=Outcome.SOLVED, answer="已恢复供水", basis="", now=now
    )
    await tx.flush()
    assert await invitations.ask(tx, await tx.scalar(_OWED, matter_id=case.id))
    await tx.flush()
    await receiving.receive(tx, [InboundText(f"SM{case.ref}", PHONE, "满意")], now=now)
    await tx.flush()
    for _ in range(2):
        by = await staff("ducha")
        await access_log.look(tx, case.ref, by=by, round_=None, reason="核对原始评价", now=now)
    return Story(case.ref, case.id, joined.ref, joined.id)


@pytest.fixture
async def story(tx: Transaction, staff: Staff) -> Story:
    """Not committed, and every guard of the database off."""
    told = await played(tx, staff)
    await tx.act_as(OWNER)
    await tx.execute(_UNGUARDED)
    return told


async def named(tx: Transaction, **how: Any) -> dict[str, list[dict[str, Any]]]:
    """By invariant, what is found; the database is the worker's own, so others may have left something behind."""
    found = await examine(tx, most=_EVERY, **how)
    await tx.act_as(OWNER)
    return {one.invariant.name: one.offenders for one in found}


async def test_who_told_the_same_thing_twice_is_to_be_asked_once(
    tx: Transaction, staff: Staff
) -> None:
    cadre, center = await staff("gongnong"), await staff("zhihui")
    now = await tx.now()
    told = (NEIGHBOURS, INTAKE, INTAKE, NEIGHBOURS)
    cases = []
    for one in told:
        cases.append((await filing.register(tx, one, by=cadre, now=now)).case)
        await tx.flush()
    primary, once, twice, also = cases
    # The third through the second, the fourth by itself.
    for joins, to in ((twice, once), (once, primary), (also, primary)):
        await dispatching.merge(tx, joins.ref, by=center, primary_ref=to.ref, reason="-", now=now)
        await tx.flush()
    await judging.handle(tx, primary.ref, by=cadre, now=now)
    await tx.flush()
    await handling.answer(
        tx, primary.ref, by=cadre, outcome=Outcome.SOLVED, answer="已修好", basis="", now=now
    )
    await tx.flush()
    owed = {one.ref for one in cases if await tx.all(_OWED, matter_id=one.id)}
    asked, spared = sorted((once, twice), key=lambda one: one.id)
    assert owed == {primary.ref, asked.ref}
    ours = {one.ref for one in cases}
    found = (await named(tx))["one_survey_a_round"]
    assert not [one for one in found if one["ref"] in ours]
    await tx.execute(_UNGUARDED)
    await tx.execute(_ALSO_OWED, matter_id=asked.id, as_if=spared.id)
    found = (await named(tx))["one_survey_a_round"]
    assert [
        (one["ref"], one["asked"], one["should_be"]) for one in found if one["ref"] in ours
    ] == [(spared.ref, 1, 0)]


@pytest.mark.parametrize(("invariant", "harm", "expected"), HARMS)
async def test_each_harm_is_named(
    tx: Transaction,
    story: Story,
    invariant: str,
    harm: tuple[str, ...],
    expected: dict[str, Any],
) -> None:
    expected = {
        name: story.fill(value).strip("'") if isinstance(value, str) else value
        for name, value in expected.items()
    }

    async def of_it() -> list[dict[str, Any]]:
        found = (await named(tx))[invariant]
        return [one for one in found if expected.items() <= {n: _told(v) for n, v in one.items()}.items()]  # fmt: skip

    before = await of_it()
    for statement in harm:
        await tx.execute(text(story.fill(statement)))
    assert len(await of_it()) > len(before)


def _told(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def test_every_invariant_has_a_harm_that_shows_it() -> None:
    by_code = {"kept_answers_hold"}  # below: what was answered is encrypted
    assert {name for name, _, _ in (*HARMS, *MONTH_HARMS)} | by_code == {
        one.name for one in INVARIANTS
    }


async def test_answer_that_was_kept_and_its_case_was_not_is_named(
    tx: Transaction, story: Story
) -> None:
    now, lost = await tx.now(), "500153-261122-00000000"
    for number, (ref, version) in enumerate(((story.ref, 9), (story.ref, 10), (lost, 1))):
        body = json.dumps({"ref": ref, "version": version}).encode()
        tx.add(idempotency.given("staff:1", f"doctor-{number}", b"digest", 200, body, now))
    unreadable = idempotency.given("staff:1", "doctor-3", b"digest", 201, b"{}", now)
    sealed = keys.encrypt("{}", idempotency.body_place("staff:1", "doctor-3"))
    unreadable.body_sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    tx.add(unreadable)
    await tx.flush()
    broken = (await named(tx, quick=True))["kept_answers_hold"]
    assert {(one["ref"], one["version"]) for one in broken} >= {
        (story.ref, 10),
        (lost, 1),
        (None, 0),
    }
    assert (story.ref, 9) not in {(one["ref"], one["version"]) for one in broken}


async def test_card_that_was_earned_is_in_order_also_when_its_limit_moves_later(
    tx: Transaction, story: Story
) -> None:
    async def wrong() -> set[str]:
        return {
            name
            for name, offenders in (await named(tx, quick=True)).items()
            for one in offenders
            if one.get("ref") == story.ref
        }

    for statement in OVERDUE:
        await tx.execute(text(story.fill(statement)))
    # It runs again on a case that is answered: that alone is found, and nothing about cards.
    assert await wrong() == {"what_ended_has_no_stage"}
    extended = "UPDATE clock SET due_at = due_at + interval '1 day', yellow_at = yellow_at + interval '1 day' WHERE matter_id = [id] AND stage = 'handle'"
    await tx.execute(text(story.fill(extended)))
    assert await wrong() == {"what_ended_has_no_stage", "card_is_of_its_moment"}
    decided = (
        "UPDATE record_entry SET action = 'decide_extension' WHERE matter_id = [id] AND seq = 8"
    )
    await tx.execute(text(story.fill(decided)))
    assert await wrong() == {"what_ended_has_no_stage"}


async def test_cards_are_missing_until_sweep_issues_them_and_are_in_order_then(
    tx: Transaction, staff: Staff
) -> None:
    async with transaction() as other:
        by = await staff("gongnong")
        case = (await filing.register(other, INTAKE, by=by, now=await other.now())).case

    async def wrong() -> set[str]:
        found = await named(tx)
        return {name for name, rows in found.items() for one in rows if one.get("ref") == case.ref}

    with clock.moved(timedelta(days=30)):
        assert await wrong() >= {"no_card_missing", "clocks_are_looked_at"}
        swept = await sweep.issue(tx, await sweep.claim(tx, _EVERY))
        await tx.flush()
        assert swept.cards >= 2
        assert await wrong() == set()


async def test_what_is_only_just_due_is_not_late(tx: Transaction, story: Story) -> None:
    await tx.execute(
        text(
            story.fill(
                "UPDATE outbox_message SET due_at = now() - interval '14 minutes' WHERE matter_id = [id]"
            )
        )
    )

    async def late(**how: Any) -> list[Any]:
        found = (await named(tx, quick=True, **how))["nothing_left_waiting"]
        own = await tx.all(
            text("SELECT id FROM outbox_message WHERE matter_id = :id AND state = 'queued'"),
            id=story.id,
        )
        return [one for one in found if one["id"] in {row.id for row in own}]

    assert await late() == []
    assert await late(late=timedelta(minutes=10)) != []


async def test_new_round_is_asked_about_once_it_is_answered(
    tx: Transaction, story: Story, staff: Staff
) -> None:
    lead, now = await staff("ronglong"), await tx.now()

    async def found() -> list[dict[str, Any]]:
        return [
            one
            for offenders in (await named(tx)).values()
            for one in offenders
            if one.get("ref") in (story.ref, story.joined_ref)
        ]

    await closing.rework(
        tx, story.ref, by=await staff("zhihui"), reason="水压不足", found_valid=True, now=now
    )
    await tx.flush()
    assert await found() == []
    await handling.sign(tx, story.ref, by=lead, now=now)
    await tx.flush()
    head = await staff("ronglong_head")
    await handling.answer(
        tx, story.ref, by=head, outcome=Outcome.SOLVED, answer="已换泵", basis="", now=now
    )
    await tx.flush()
    assert await found() == []
    await tx.execute(text("DELETE FROM outbox_message WHERE kind = 'survey_owed' AND round = 2"))
    assert {(one["ref"], one["round"]) for one in await found()} == {
        (story.ref, 2),
        (story.joined_ref, 2),
    }


@pytest_asyncio.fixture
async def county_of_its_own(
    fresh_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    assert redis_url
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    settings.cache_clear()
    own = Database(fresh_database_url, pool_size=2)
    monkeypatch.setattr("app.db.transactions.database", lambda: own)
    await sample.load()
    yield
    await own.close()
    settings.cache_clear()


async def test_command_finds_nothing_in_the_story_and_names_what_is_done_to_it(
    staff: Staff, county_of_its_own: None
) -> None:
    assert county_of_its_own is None
    async with transaction() as tx:
        story = await played(tx, staff)
    status, told = await _doctor("--json")
    looked_at = json.loads(told)
    assert (status, looked_at["holds"]) == (0, True)
    assert [one["name"] for one in looked_at["invariants"]] == [one.name for one in INVARIANTS]
    many = {one["name"]: one["looked_at"] for one in looked_at["invariants"]}
    assert many.pop(SEALED_ROWS.name) > 2
    assert many.pop(EVALUATIONS.name) > 2
    assert set(many.values()) == {None, 0, 2}
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(_UNGUARDED)
        await tx.execute(text("UPDATE grievance SET returns = 9 WHERE id = :id"), id=story.id)
    status, told = await _doctor()
    assert status == 1
    assert f"✗ 6 {CHAINS.name}" in told
    assert f"ref={story.ref}" in told
    assert PHONE not in told
    status, told = await _doctor("--quick")
    assert status == 0
    assert CHAINS.name not in told


async def _doctor(*words: str) -> tuple[int, str]:
    # In a thread: the command runs a loop of its own.
    done = await asyncio.to_thread(
        CliRunner().invoke, app, ["doctor", *words], env={"COLUMNS": "200"}
    )
    return done.exit_code, done.stdout

"""Every tampering is named, and ordinary use never is. TAMPER_TIMES says how often each is tried (`make tamper`: 100)."""

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.db import OWNER, Transaction, database
from app.doctor import verification
from app.doctor.verification import BESIDE_CASES, Part
from app.kinds import verification as records
from app.settings import settings
from tests.conftest import find_staff
from tests.tampering import tamper
from tests.tampering.story import Story, play
from tests.tampering.tamper import HOWS, SCOPES, Hand, NotPossible, Scope

TIMES = int(os.environ.get("TAMPER_TIMES", "2"))
SEED = int(os.environ.get("TAMPER_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
# Only a superuser can set this; it turns triggers and foreign keys off, as a careful forger would.
_UNGUARDED = text("SET LOCAL session_replication_role = replica")
_TRIES = 60

Faults = set[tuple[str, str, str]]


async def faults(hand: Hand, part: Part) -> Faults:
    """What `qungong verify` names: of the story's cases, or of all rows of a part."""
    found: Faults = set()
    if part is Part.RECORDS:
        ids = [*hand.story.ids, *hand.made_up]
        async for _, some in records.verify(hand.tx, also=BESIDE_CASES, ids=ids):
            found |= {(one.table, one.ref, one.what) for one in some}
        return found
    _, broken = verification.PARTS[part]
    async for _, wrong in broken(hand.tx):
        found |= {(one.table, one.reference, one.what) for one in wrong}
    return found


@pytest_asyncio.fixture(scope="module")
async def hand(county: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hand]:
    """The story, not committed, with every guard of the database off."""
    assert county is None
    folder: Path = tmp_path_factory.mktemp("tampering")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDIA_URL", folder.as_uri())
        settings.cache_clear()
        async with database().connection() as driver:
            tx = Transaction(driver)
            story = await play(tx, find_staff, _snap)
            await tx.act_as(OWNER)
            await tx.execute(_UNGUARDED)
            made = Hand(story, random.Random(SEED))  # noqa: S311 - picks rows
            yield made
            await tx.roll_back()
    settings.cache_clear()


async def _snap(story: Story) -> None:
    hand = Hand(story, random.Random(0))  # noqa: S311 - picks nothing
    await story.tx.act_as(OWNER)
    story.snapshots.append(
        {
            scope.table: {tamper.key_of(scope, row): row for row in await hand.rows(scope)}
            for scope in SCOPES
            if story.ids and (story.number_id or ":number_id" not in scope.where)
        }
    )


async def test_ordinary_use_is_never_named(hand: Hand) -> None:
    for part in Part:
        mine = {one for one in await faults(hand, part) if _of_the_story(hand, one)}
        assert mine == set(), part


def _of_the_story(hand: Hand, fault: tuple[str, str, str]) -> bool:
    """The database is the worker's own: other tests may have left something behind."""
    table, reference, _ = fault
    told = {case.ref for case in hand.story.cases.values()}
    last = hand.story.snapshots[-1]
    keys = {key for rows in last.values() for key in rows} | {"gongnong", "ronglong", "ducha"}
    return reference in told or reference in keys or table in ("evaluation_log", "look")


async def attempt(hand: Hand, part: Part, tampering: Any) -> Faults:
    """What is named after one tampering more, which is undone."""
    hand.made_up.clear()
    # Reading the months had it work as another role.
    await hand.tx.act_as(OWNER)
    await hand.tx.execute(text("SAVEPOINT before"))
    try:
        await tampering()
        return {one for each in {part, Part.RECORDS} for one in await faults(hand, each)}
    except asyncpg.PostgresError as refused:
        raise NotPossible from refused
    finally:
        await hand.tx.execute(text("ROLLBACK TO SAVEPOINT before"))


# What the rows of the story do not allow: they never change, or there is one of them, or nobody counts them.
_NEVER = {
    "restore": {
        "record_entry", "record_text", "matter_party", "paper", "attachment", "person_as_given", "citizen", "staff",
        "official_number", "survey", "call_try", "reply", "opt_out", "evaluation_log", "look",
    },
    "swap": {"appeal", "official_number", "return_call", "opt_out", "look", "evaluation_log_head"},
    "remove": {"official_number"},
    "insert": {"official_number", "evaluation_log_head"},
    "change": set[str](),
}  # fmt: skip
CASES = [
    pytest.param(scope, how, id=f"{scope.kind.__tablename__}-{how}")
    for scope in SCOPES
    for how in HOWS
    if scope.kind.__tablename__ not in _NEVER[how]
]


@pytest.mark.parametrize(("scope", "how"), CASES)
async def test_each_tampering_is_named(hand: Hand, scope: Scope, how: str) -> None:
    parts = {scope.part, Part.RECORDS}
    before = {part: await faults(hand, part) for part in parts}
    done, refused = 0, set[str]()
    for _ in range(_TRIES * TIMES):
        if done == TIMES:
            break
        try:
            named = await attempt(hand, scope.part, lambda: HOWS[how](hand, scope))
        except NotPossible as why:
            refused.add(str(why.__cause__))
            continue
        done += 1
        assert named - before[scope.part] - before[Part.RECORDS], (
            f"not named: {scope.table} {how}, TAMPER_SEED={SEED}"
        )
    for part in parts:
        assert await faults(hand, part) == before[part]
    assert done == TIMES, (SEED, refused)


async def test_ciphertext_moved_anywhere_is_named(hand: Hand) -> None:
    before = await faults(hand, Part.PEOPLE)
    for _ in range(TIMES * 5):
        named = await attempt(hand, Part.PEOPLE, lambda: tamper.move_ciphertext(hand))
        assert any(what.endswith("从别处移来") for _, _, what in named - before), SEED


async def test_photo_changed_in_the_store_is_named(hand: Hand) -> None:
    photo_ids = [row["id"] for row in await hand.rows(_scope("attachment"))]
    before = await faults(hand, Part.ATTACHMENTS)
    for photo_id in photo_ids:
        path = Path(settings().media_store_url.removeprefix("file://")) / (
            f"photos/{photo_id.hex[-2:]}/{photo_id.hex}.jpg"
        )
        kept = path.read_bytes()
        for changed in (kept + b"\0", bytes([kept[0] ^ 1]) + kept[1:], b""):
            path.write_bytes(changed)
            assert ("attachment", str(photo_id), "照片文件被改动") in await faults(hand, Part.ATTACHMENTS) - before  # fmt: skip
        path.unlink()
        assert ("attachment", str(photo_id), "照片文件缺失") in await faults(
            hand, Part.ATTACHMENTS
        ) - before
        path.write_bytes(kept)
    assert await faults(hand, Part.ATTACHMENTS) == before


_HARMS: dict[str, tuple[Part, str, tuple[str, ...]]] = {
    "dissatisfied made satisfied": (
        Part.EVALUATIONS,
        "answer",
        ("UPDATE surveys.answer SET value = 'satisfied' WHERE survey_id IN ({surveys})",),
    ),
    "answer deleted with its call": (
        Part.EVALUATIONS,
        "return_call",
        (
            "DELETE FROM surveys.call_try WHERE call_id IN (SELECT id FROM surveys.return_call WHERE survey_id IN ({surveys}))",
            "DELETE FROM surveys.return_call WHERE survey_id IN ({surveys})",
            "DELETE FROM surveys.answer WHERE survey_id IN ({surveys})",
        ),
    ),
    "first answer put back, its correction deleted": (
        Part.EVALUATIONS,
        "answer",
        (
            "DELETE FROM surveys.answer WHERE survey_id IN ({surveys}) AND discounted = 'corrected'",
            "UPDATE surveys.answer SET value = 'satisfied' WHERE survey_id IN ({surveys})",
        ),
    ),
    "revoked card made to stand": (
        Part.RECORDS,
        "card",
        ("UPDATE card SET revoked_at = NULL WHERE matter_id = {case}",),
    ),
    "card revoked": (
        Part.RECORDS,
        "card",
        ("UPDATE card SET revoked_at = now() WHERE matter_id = {overdue}",),
    ),
    "title erased in the texts and forged in the row": (
        Part.RECORDS,
        "record_text",
        (
            "UPDATE record_text SET text = NULL WHERE matter_id = {case} AND field = 'title'",
            "UPDATE grievance SET title = '没有这回事' WHERE id = {case}",
        ),
    ),
    "forged title of a case that was erased": (
        Part.RECORDS,
        "grievance",
        ("UPDATE grievance SET title = '没有这回事' WHERE id = {erased}",),
    ),
    "erased text written again": (
        Part.RECORDS,
        "record_text",
        (
            "UPDATE record_text SET text = '没有这回事' WHERE matter_id = {erased} AND field = 'body'",
        ),
    ),
    "citizen given another's number": (
        Part.PEOPLE,
        "citizen",
        (
            "UPDATE citizen p SET phone_sealed = q.phone_sealed, phone_key = '\\x00' FROM citizen q WHERE p.id = (SELECT citizen_id FROM grievance WHERE id = {case}) AND q.id = (SELECT citizen_id FROM grievance WHERE id = {overdue})",
        ),
    ),
    "citizen without a number": (
        Part.PEOPLE,
        "citizen",
        (
            "UPDATE citizen SET phone_sealed = NULL, phone_key = NULL WHERE id = (SELECT citizen_id FROM grievance WHERE id = {case})",
        ),
    ),
}


@pytest.mark.parametrize("harm", list(_HARMS))
async def test_each_harm_of_old_is_named_by_its_table(hand: Hand, harm: str) -> None:
    part, table, statements = _HARMS[harm]
    ids = {name: f"'{case.id}'" for name, case in hand.story.cases.items()}
    ids |= {"case": ids["handled"]}
    ids |= {"surveys": f"SELECT id FROM surveys.survey WHERE matter_id = {ids['case']}"}  # noqa: S608 - an id of ours
    before = await faults(hand, part)

    async def do() -> None:
        for statement in statements:
            assert await hand.tx.execute(text(statement.format(**ids).replace(":", r"\:")))

    named = await attempt(hand, part, do)
    assert table in {one[0] for one in named - before}


def _scope(table: str) -> Scope:
    return next(one for one in SCOPES if one.kind.__tablename__ == table)

"""The record cannot be altered without being noticed, and what people wrote can be erased all the same."""

import asyncpg
import pytest
from sqlalchemy import text

from app.cases.actions import erasing, filing, judging
from app.cases.actions.filing import Intake
from app.cases.models import Channel
from app.cases.number_given import PersonHelped
from app.db import OWNER, Transaction
from app.kinds.verification import Fault, verify
from app.limits.terms import Kind
from tests.conftest import Staff

INTAKE = Intake(
    title="桥面破损",
    body="老桥的桥面塌了一块，夜里看不见。",
    kind=Kind.HELP,
    channel=Channel.CADRE,
    person=PersonHelped("张三娘", "+8613896005678"),
)
# Only a superuser can set this; it turns triggers off as a careful forger would.
FORGE = text("SET LOCAL session_replication_role = replica")


@pytest.fixture
async def ref(tx: Transaction, staff: Staff) -> str:
    """A case with two entries on record, not committed."""
    cadre = await staff("gongnong")
    registered = await filing.register(tx, INTAKE, by=cadre, now=await tx.now())
    await tx.flush()
    await judging.escalate(
        tx, registered.case.ref, by=cadre, finding="村里没有资质修桥", now=await tx.now()
    )
    await tx.flush()
    await tx.act_as(OWNER)
    await tx.execute(FORGE)
    return registered.case.ref


async def faults(tx: Transaction, ref: str) -> list[Fault]:
    return [fault async for _, found in verify(tx) for fault in found if fault.ref == ref]


async def test_untouched_record_verifies(tx: Transaction, ref: str) -> None:
    assert await faults(tx, ref) == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE record_entry SET public = false", "DELETE FROM record_entry", "TRUNCATE record_entry"],
)
async def test_database_refuses_to_change_the_record(
    tx: Transaction, ref: str, statement: str
) -> None:
    assert ref
    await tx.execute(text("SET LOCAL session_replication_role = origin"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await tx.execute(text(statement))


@pytest.mark.parametrize(
    ("forgery", "seq"),
    [
        (
            "UPDATE record_entry SET body = replace(body, 'escalate', 'decline') WHERE seq = 2 AND matter_id = {case}",
            2,
        ),
        ("UPDATE record_entry SET body = body || ' ' WHERE seq = 1 AND matter_id = {case}", 1),
        (
            "UPDATE record_entry SET at = at - interval '1 day' WHERE seq = 2 AND matter_id = {case}",
            2,
        ),
        (
            "UPDATE record_entry SET staff_id = (SELECT max(id) FROM staff) WHERE seq = 1 AND matter_id = {case}",
            1,
        ),
        ("UPDATE record_entry SET public = false WHERE seq = 1 AND matter_id = {case}", 1),
        ("DELETE FROM record_entry WHERE seq = 1 AND matter_id = {case}", 1),
        ("DELETE FROM record_entry WHERE seq = 2 AND matter_id = {case}", 2),
        (
            "UPDATE record_text SET text = '修好了' WHERE field = 'finding' AND matter_id = {case}",
            2,
        ),
        ("UPDATE grievance SET title = '没有事' WHERE id = {case}", 1),
        ("UPDATE grievance SET returns = 3 WHERE id = {case}", 2),
        (
            "UPDATE grievance SET stage_due_at = stage_due_at + interval '1 day' WHERE id = {case}",
            2,
        ),
        ("UPDATE grievance SET due_at = due_at + interval '1 second' WHERE id = {case}", 2),
        ("UPDATE grievance SET holder_unit_id = first_unit_id WHERE id = {case}", 2),
    ],
)
async def test_each_forgery_is_named_with_its_entry(
    tx: Transaction, ref: str, forgery: str, seq: int
) -> None:
    case = f"(SELECT id FROM grievance WHERE ref = '{ref}')"  # noqa: S608 - a reference we made
    touched = await tx.execute(text(forgery.format(case=case)))
    assert touched == 1
    (fault,) = await faults(tx, ref)
    assert fault.seq == seq


async def test_entries_cannot_be_moved_to_another_case(
    tx: Transaction, ref: str, staff: Staff
) -> None:
    other = await filing.register(tx, INTAKE, by=await staff("gongnong"), now=await tx.now())
    await tx.flush()
    swap = text("""
    UPDATE record_entry e SET body = o.body, hash = o.hash, at = o.at FROM record_entry o
    WHERE e.seq = 1 AND o.seq = 1 AND e.matter_id = :other AND o.matter_id = (SELECT id FROM grievance WHERE ref = :ref)""")
    assert await tx.execute(swap, other=other.case.id, ref=ref) == 1
    assert (await faults(tx, other.case.ref))[0].seq == 1


async def test_what_people_wrote_can_be_erased_and_the_record_still_verifies(
    tx: Transaction, ref: str
) -> None:
    erased = await erasing.erase_texts(tx, ref, reason="依本人申请", now=await tx.now())
    assert (erased.texts, erased.voices) == (3, [])
    await tx.flush()
    assert await faults(tx, ref) == []


async def test_no_name_number_or_word_of_anybody_stands_in_the_chain(
    tx: Transaction, ref: str
) -> None:
    bodies = await tx.all(
        text(
            "SELECT body FROM record_entry WHERE matter_id = (SELECT id FROM grievance WHERE ref = :ref)"
        ),
        ref=ref,
    )
    assert len(bodies) == 2
    for personal in ("张三娘", "13896005678", "桥面", "资质", "陈桂芳"):
        assert all(personal not in row.body for row in bodies)

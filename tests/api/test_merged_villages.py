"""Villages merge, once or several times over: what names the old one reaches the one that carries on."""

from collections.abc import AsyncIterator
from secrets import token_hex

import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text

from app.db import transaction
from tests import people
from tests.api.conftest import Who
from tests.api.test_statements import CREATE, costs
from tests.people import WATER, Person
from tests.villages import merged_villages

_CADRE = (
    text("""
    INSERT INTO staff (account, name, password_hash, active, created_at)
    SELECT :code, '刘干部', password_hash, true, now() FROM staff WHERE account = 'gongnong'
    """),
    text("""
    INSERT INTO post (staff_id, unit_id, role, title, valid_from)
    SELECT s.id, u.id, 'village_cadre', '', DATE '2020-01-01' FROM staff s, unit u
    WHERE s.account = :code AND u.code = :code
    """),
)
_WHERE = text("""
SELECT v.code AS village, first.code AS first_unit, accused.code AS accused, home.code AS home
FROM grievance c JOIN unit first ON first.id = c.first_unit_id
LEFT JOIN unit v ON v.id = c.village_id LEFT JOIN unit accused ON accused.id = c.accused_unit_id
LEFT JOIN citizen p ON p.id = c.citizen_id LEFT JOIN unit home ON home.id = p.village_id
WHERE c.ref = :ref
""")


@pytest_asyncio.fixture
async def gone(api: FastAPI) -> AsyncIterator[tuple[Person, str]]:
    """A cadre whose post is still in a village that was merged, and the code of the one that carries on."""
    old, new = await merged_villages(1)
    async with transaction() as tx:
        for statement in _CADRE:
            await tx.execute(statement, code=old)
    async with people.signed_in(api, old) as person:
        yield person, new


@pytest.mark.parametrize("times", [1, 2])
async def test_staff_register_for_the_village_that_carries_on(who: Who, times: int) -> None:
    codes = await merged_villages(times)
    ref = await (await who("guangshun")).registers(village_code=codes[0])
    async with transaction() as tx:
        found = await tx.one_or_none(_WHERE, ref=ref)
    assert found is not None
    assert found.village == codes[-1]


@pytest.mark.parametrize("times", [1, 2])
async def test_who_accuses_a_merged_village_accuses_the_one_that_carries_on(
    who: Who, times: int
) -> None:
    codes = await merged_villages(times)
    ref = await (await who("ronglong")).registers(kind="accusation", accused_code=codes[0])
    async with transaction() as tx:
        found = await tx.one_or_none(_WHERE, ref=ref)
    assert found is not None
    assert found.accused == codes[-1]


async def test_cadre_of_merged_village_registers_at_one_that_carries_on_and_follows_it(
    gone: tuple[Person, str],
) -> None:
    cadre, new = gone
    phone = f"139{int(token_hex(4), 16) % 10**8:08d}"
    ref = await cadre.registers(person={"name": "王大爷", "phone": phone})
    async with transaction() as tx:
        found = await tx.one_or_none(_WHERE, ref=ref)
    assert found is not None
    assert (found.first_unit, found.village, found.home) == (new, new, new)
    assert (await cadre.sees(f"/cases/{ref}"))["holder"] == new
    await costs(CREATE, cadre, "POST", "/cases", WATER)

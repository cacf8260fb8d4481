"""Back to back: two worlds that are equal but for one answer look the same to all who handle cases, and to other residents.

Some pairs only; `make backtoback` compares 500.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
import pytest_asyncio
from fastapi import APIRouter
from sqlalchemy import text

from app import clock
from app.db import Transaction
from app.db.query import Query
from app.evaluation import privacy_role
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff
from app.settings import settings
from tests.backtoback import comparing, county, histories, surfaces
from tests.backtoback.comparing import (
    JUST_ANSWERED,
    LOOKED_AT,
    NOTHING_ARRIVED,
    RELEASED,
    WINDOW_OVER,
    Pair,
)
from tests.backtoback.histories import Case, History, by_text
from tests.backtoback.serving import DOCUMENTS, composed, served, with_a_route_more
from tests.backtoback.surfaces import STAFF
from tests.backtoback.worlds import VILLAGE_PHONE, Ground
from tests.services import Addresses
from workers import deadlines

OPERATIONS = surfaces.operations(DOCUMENTS)
REPORTS = [one for one in OPERATIONS if one.path.startswith(surfaces.REPORTS)]
# What shows something to the command center and inspectors alone.
_SHOWN_TO_OTHERS = {
    f"{STAFF}/texts/{{text_id}}", f"{STAFF}/reports/months/{{month}}/exclusions", f"{STAFF}/official-numbers/changes",
    f"{STAFF}/cases/{{ref}}/suggestions",
}  # fmt: skip
_OF_WHAT_IS_NOT_THERE = (
    "{photo_id}",
    "{voice_id}",
    "{paper_id}",
    "{card_id}",
    "{call_id}",
    "{reply_id}",
)


@pytest.fixture(scope="module")
def redis_named(addresses: Addresses) -> Iterator[None]:
    with patch.dict(os.environ, {"REDIS_URL": addresses.redis}):
        settings.cache_clear()
        yield
    settings.cache_clear()


@pytest_asyncio.fixture(scope="module")
async def ground(addresses: Addresses, worker_number: int, redis_named: None) -> Ground:
    assert redis_named is None
    name = f"{addresses.prefix}ground{worker_number}"
    return await county.prepare(addresses.server, addresses.template, name, served)


def satisfied_or_silent(route: str = "department") -> Pair:
    history = History(f"control/{route}", [Case(route, "reporter", len(histories.ROUTES[route]))])
    known = histories.ways(history)
    ways = ("satisfied by text", "no answer")
    return Pair(history, ways, (known[ways[0]], known[ways[1]]))


# No answer, or one that only people could read; and about an accusation.
@pytest.mark.parametrize("seed", ["b-3", "b-10"])
async def test_nothing_that_handlers_or_neighbours_see_depends_on_what_was_answered(
    ground: Ground, seed: str
) -> None:
    pair = Pair.drawn(seed)
    moments = (JUST_ANSWERED, LOOKED_AT, NOTHING_ARRIVED, WINDOW_OVER, RELEASED)
    found = await comparing.compare(ground, served, OPERATIONS, pair, moments)
    assert found.differences == [], pair.ways
    assert found.looked_at > 400
    asked = {one.path for one in OPERATIONS if not one.path.endswith(_OF_WHAT_IS_NOT_THERE)}
    assert asked - found.shown == _SHOWN_TO_OTHERS


@pytest.mark.parametrize("answered", ["called: dissatisfied, valid, agreed", "satisfied by text from the village"])  # fmt: skip
async def test_whoever_holds_villages_phone_learns_nothing_of_whom_it_was_given_for(
    ground: Ground, answered: str
) -> None:
    history = History(f"village phone/{answered}", [Case.answered("village", VILLAGE_PHONE)])
    known = histories.ways(history)
    pair = Pair(history, (answered, "no answer"), (known[answered], known["no answer"]))
    asked = [one for one in OPERATIONS if one.path.startswith(surfaces.PHONES)]
    for moment in (JUST_ANSWERED, WINDOW_OVER):
        found = await comparing.compare(ground, served, asked, pair, (moment,))
        assert found.differences == []
        assert f"{surfaces.PHONES}/reports/{{ref}}/evaluation" in found.shown


@pytest.mark.parametrize("ways", [("dissatisfied by text", "satisfied by text"), ("what nobody can read", "no answer")])  # fmt: skip
async def test_dispatcher_who_handled_a_case_learns_no_more_than_other_handlers(
    ground: Ground, ways: tuple[str, str]
) -> None:
    history = History(f"center/{ways}", [Case.answered(histories.CENTER, "reporter"), Case("village", "neighbour", 3)])  # fmt: skip
    known = histories.ways(history)
    pair = Pair(history, ways, (known[ways[0]], known[ways[1]]))
    moments = (JUST_ANSWERED, LOOKED_AT, RELEASED)
    found = await comparing.compare(ground, served, OPERATIONS, pair, moments)
    assert found.differences == []


def eleventh(route: str, tenth: str, ways: tuple[str, str]) -> Pair:
    """Nine answered before, then the neighbour; and as the unit's eleventh the reporter, in this way or that."""
    cases = [Case.answered(route, "reporter"), Case.answered(route, "neighbour", tenth)]
    history = History(f"eleventh/{route}/{ways}", cases)
    return Pair(history, ways, (by_text(ways[0]), by_text(ways[1])))


async def test_eleventh_answer_shows_when_month_is_released_and_to_its_own_unit_alone(
    ground: Ground,
) -> None:
    pair = eleventh("department", "不满意", ("满意", "不满意"))
    found = await comparing.compare(ground, served, REPORTS, pair, (WINDOW_OVER, RELEASED))
    assert {one.when for one in found.differences} == {RELEASED.name}
    assert {one.where[0] for one in found.differences} == {"shuiwu", "shuiwu_head"}
    assert {one.where[2] for one in found.differences} == {f"{STAFF}/reports/satisfaction"}
    one = found.differences[0]
    told = [reply.told()["items"][0]["told"] for reply in (one.first, one.second)]
    assert told == ["满意率不低于54%（参评11人）", "不满意不少于54%（参评11人）"]


async def test_one_dissent_among_eleven_does_not_show_even_then(ground: Ground) -> None:
    pair = eleventh("county", "满意", ("满意", "不满意"))
    found = await comparing.compare(ground, served, REPORTS, pair, (RELEASED,))
    assert found.differences == []


async def _count_answers(tx: Tx, by: ByStaff) -> int:
    await privacy_role.enter(tx)
    assert by is not None
    count: int = await tx.scalar(text("SELECT count(*) FROM surveys.answer"))
    return count


async def test_route_that_somebody_adds_is_asked_and_gives_itself_away(ground: Ground) -> None:
    router = APIRouter(route_class=OneTransaction)
    router.get("/evaluated")(_count_answers)
    documents = with_a_route_more(router)
    added = [one for one in surfaces.operations(documents) if one not in OPERATIONS]
    assert [one.path for one in added] == [f"{STAFF}/evaluated"]
    found = await comparing.compare(
        ground, composed(documents), added, satisfied_or_silent(), (JUST_ANSWERED,)
    )
    assert {one.where[0] for one in found.differences} == set(surfaces.HANDLERS)
    [told] = {(one.first.body, one.second.body) for one in found.differences}
    assert int(told[0]) == int(told[1]) + 1


_ANSWERED = text("""
SELECT c.close_at, c.id FROM grievance c
WHERE c.phase = 'answered' AND EXISTS (
  SELECT 1 FROM surveys.survey s JOIN surveys.answer a ON a.survey_id = s.id WHERE s.matter_id = c.id)
""")
_TAKE_ANY = Query(deadlines._TakenCase, "SELECT ref FROM grievance WHERE id = :id AND phase = 'answered' AND CAST(:now AS timestamptz) IS NOT NULL FOR UPDATE")  # fmt: skip


async def _early(tx: Transaction, *, after: Any, most: int) -> list[tuple[datetime, UUID]]:
    """Whoever has answered need not be waited for: nearly right, and everybody would see it."""
    assert after
    assert most
    rows = await tx.all(_ANSWERED)
    return [(row.close_at, row.id) for row in rows]


async def _early_and_allowed(tx: Transaction, **how: Any) -> list[tuple[datetime, UUID]]:
    await privacy_role.enter(tx)
    return await _early(tx, **how)


async def test_archiving_early_what_was_answered_is_refused_by_database_and_would_show(
    ground: Ground,
) -> None:
    asked = [one for one in OPERATIONS if one.path in (f"{STAFF}/cases", f"{STAFF}/cases/{{ref}}")]
    within = comparing.MOMENTS[2]
    assert within.later < WINDOW_OVER.later
    pair = satisfied_or_silent()
    with patch.object(deadlines, "to_archive", _early), pytest.raises(AssertionError, match="InsufficientPrivilegeError"):  # fmt: skip
        await comparing.compare(ground, served, asked, pair, (within,))
    with (
        patch.object(deadlines, "to_archive", _early_and_allowed),
        patch.object(deadlines, "_TAKE", _TAKE_ANY),
    ):
        found = await comparing.compare(ground, served, asked, pair, (within,))
    assert {"shuiwu", "gongnong"} <= {one.where[0] for one in found.differences}
    assert clock.shift().total_seconds() == 0

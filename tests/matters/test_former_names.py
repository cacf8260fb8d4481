"""Entries that were written when a matter was called a case are still compared, column by column."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.cases.actions import judging
from app.db import OWNER, Transaction
from app.evaluation import evaluation_log
from app.evaluation.models import Survey
from app.kinds import verification
from tests.conftest import Staff
from tests.reports.conftest import Books, june

_AS_BEFORE = text("""
UPDATE surveys.evaluation_log SET body = replace(body, '"matter_id"', '"case_id"') WHERE row_key = :key""")
_MOVE = text("UPDATE surveys.survey SET matter_id = :matter_id WHERE id = CAST(:key AS uuid)")


@pytest.fixture
def books(tx: Transaction, staff: Staff) -> Books:
    return Books(tx, staff)


async def _surveys_differing(tx: Transaction, key: str) -> list[Any]:
    found = [one async for _, wrong in evaluation_log.broken(tx) for one in wrong]
    return [one["what"] for one in found if (one["table"], one["key"]) == ("survey", key)]


def test_fold_reads_a_former_name() -> None:
    after = {"case": {}, "clocks": {"k": {"case_id": "m", "round": 1}}}
    _, rows = verification.fold([{"after": after}])
    assert rows["clocks"] == {"k": {"matter_id": "m", "round": 1}}


async def test_survey_logged_by_its_former_name_cannot_be_moved_unnoticed(books: Books) -> None:
    case, other = await books.told(june(3)), await books.told(june(3))
    await books.does(judging.handle, case, june(3, 11), "gongnong")
    await books.answers(case, june(4), "gongnong")
    survey: Survey = await books.asked(case, june(4) + timedelta(hours=1))
    key = str(survey.id)
    await books.tx.act_as(OWNER)
    await books.tx.execute(text("SET LOCAL session_replication_role = replica"))
    await books.tx.execute(_AS_BEFORE, key=key)
    assert await _surveys_differing(books.tx, key) == []
    await books.tx.execute(_MOVE, key=key, matter_id=other.id)
    assert await _surveys_differing(books.tx, key) == ["与写入时不符"]

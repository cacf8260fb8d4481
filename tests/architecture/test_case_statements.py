"""Every statement that reads what belongs to a case stands in one table, with the reason why it shows nobody too much.

A new statement fails until somebody has decided which reason is true of it.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import TextClause

import app
import mobile_api
import qungong
import sms
import workers
from app.evaluation.number_owners import OF_HANDLER
from app.matters import conflict_of_interest
from app.matters.visibility import VISIBLE_TO_STAFF, visible_to_staff
from tests.architecture.test_source import ROOT, modules

# Tables whose rows belong to a case.
_TABLES: Final = (
    "grievance|matter|matter_facts|record_entry|record_text|matter_party|assignment|clock|card|appeal|outbox_message|ended_turn|paper|attachment|"
    "person_as_given|searched_words|month_sealed|review|surveys\\.\\w+"
)
_READS: Final = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:{_TABLES})\b")
_READS_A_CASE: Final = re.compile(r"\b(?:FROM|JOIN)\s+(?:grievance|matter_facts)\b")


class Reason(StrEnum):
    """Why a statement shows a case to nobody who may not see it."""

    # It filters by the one predicate for staff.
    PREDICATE = "predicate"
    # It finds only what belongs to the citizen who asks.
    REPORTER = "reporter"
    # The tracking code, a keyed digest, is part of the condition.
    CODE = "code"
    # Its caller has got or locked the case, or the row that leads to it, for the same person before.
    AFTER_ACCESS = "after_access"
    # It runs for no person: a sweep, a worker, a lock, an import. Nothing of it is shown.
    SYSTEM = "system"
    # A command of those who run the server.
    OPERATOR = "operator"
    # Counts that name no case and leave sealed ones out, or those that are locked with a month.
    COUNTS = "counts"
    # Only what is not sealed of the asker's county, for roles that look over the county: stricter than the predicate.
    COUNTY = "county"


_OF_MODULES: Final = {
    # Whole modules that only the system or an operator runs.
    "app.kinds.rescheduling": Reason.SYSTEM,
    "app.cases.actions.reorganising": Reason.SYSTEM,
    "app.cases.kind": Reason.SYSTEM,
    "app.kinds.verification": Reason.OPERATOR,
    "app.cases.actions.erasing": Reason.OPERATOR,
    "app.matters.covered_rows": Reason.OPERATOR,
    "app.doctor.sealed_rows": Reason.OPERATOR,
    "app.cards.verification": Reason.OPERATOR,
    # Written with each row and read by `qungong verify` alone.
    "app.evaluation.evaluation_log": Reason.SYSTEM,
    "app.texts.queue": Reason.SYSTEM,
    "app.texts.stats": Reason.OPERATOR,
    "app.texts.throttle": Reason.SYSTEM,
    "app.texts.receipts": Reason.SYSTEM,
    "app.texts.outcomes": Reason.SYSTEM,
    "app.texts.unreported": Reason.SYSTEM,
    "app.doctor.cards": Reason.OPERATOR,
    "app.doctor.examining": Reason.OPERATOR,
    "app.doctor.invariants": Reason.OPERATOR,
    "app.doctor.kept_answers": Reason.OPERATOR,
    "app.doctor.months": Reason.OPERATOR,
    "app.doctor.searched_words": Reason.OPERATOR,
    "app.doctor.surveys": Reason.OPERATOR,
    "app.doctor.texts": Reason.OPERATOR,
    "app.reports.counting": Reason.COUNTS,
    "app.cards.sweep": Reason.SYSTEM,
    "app.evaluation.invitations": Reason.SYSTEM,
    "app.evaluation.withdrawal": Reason.SYSTEM,
    "qungong.dev.demo": Reason.OPERATOR,
    "qungong.dev.simulation.summary": Reason.OPERATOR,
    "qungong.dev.simulation.telling": Reason.OPERATOR,
    "qungong.dev.simulation.workers": Reason.OPERATOR,
    "workers.deadlines": Reason.SYSTEM,
    # Whole modules that only show what passes the predicate.
    "app.cases.queries": Reason.PREDICATE,
    "app.matters.failed_texts": Reason.PREDICATE,
    "app.cards.card_lists": Reason.PREDICATE,
    "app.cards.signals": Reason.PREDICATE,
    "app.evaluation.access_log": Reason.PREDICATE,
    "app.evaluation.return_calls": Reason.PREDICATE,
    "app.evaluation.manual_review": Reason.PREDICATE,
}
# Statements of their own, which also override their module's reason.
_OF_STATEMENTS: Final = {
    "app.cases.access._FOR_STAFF": Reason.PREDICATE,
    "app.cases.access._LOCK_FOR_STAFF": Reason.PREDICATE,
    "app.cases.access._FOR_CITIZEN": Reason.REPORTER,
    "app.cases.access._LOCK_FOR_CITIZEN": Reason.REPORTER,
    "app.cases.access._FOR_SYSTEM": Reason.SYSTEM,
    "app.cases.access._LOCK_FOR_SYSTEM": Reason.SYSTEM,
    "app.cases.access._CLOCKS": Reason.SYSTEM,
    "app.cases.access._PARTS": Reason.SYSTEM,
    # Counts the names given with a number; only the typist is told that the number is shared.
    "app.cases.actions.dispatching._UNITS": Reason.AFTER_ACCESS,
    "app.cases.actions.filing._SETTING": Reason.COUNTS,
    "app.cases.actions.recategorising._BEFORE_ITS_OWN": Reason.AFTER_ACCESS,
    # Whom the answer is told: the reporters of the cases that were joined.
    "app.cases.actions.telling._JOINED": Reason.SYSTEM,
    "app.cases.surroundings._AROUND": Reason.AFTER_ACCESS,
    "app.cases.surroundings._AROUND_FINISHED": Reason.AFTER_ACCESS,
    # Ids alone, of which the next two say who may be told.
    "app.matters.changes._NEW": Reason.SYSTEM,
    "app.matters.changes._MISSED": Reason.PREDICATE,
    "app.matters.changes._VISIBLE": Reason.PREDICATE,
    "app.matters.conflict_of_interest._OF_A_ROUND": Reason.AFTER_ACCESS,
    "app.matters.papers._ONE": Reason.AFTER_ACCESS,
    "app.matters.papers._RECEIPT": Reason.AFTER_ACCESS,
    "app.matters.papers._OF_PRIMARY": Reason.AFTER_ACCESS,
    "app.matters.attachments._CLAIM": Reason.REPORTER,
    "app.matters.attachments._LATELY": Reason.REPORTER,
    "app.matters.attachments._OPEN_FOR_STAFF": Reason.PREDICATE,
    "app.matters.attachments._BY_ID": Reason.AFTER_ACCESS,
    "app.matters.attachments._FORGET": Reason.SYSTEM,
    "app.matters.attachments._NAMED": Reason.SYSTEM,
    "app.cases.queries._MINE": Reason.REPORTER,
    "app.cases.similar_cases._NEARBY": Reason.PREDICATE,
    "app.cases.similar_cases._OWN": Reason.REPORTER,
    "app.cases.number_given._KNOWN": Reason.COUNTS,
    "app.cases.suggested_categories._CATEGORISED": Reason.PREDICATE,
    "app.cases.search._COUNTY": Reason.PREDICATE,
    "app.cases.search._OF_UNIT": Reason.PREDICATE,
    "app.cases.search._BY_REF": Reason.PREDICATE,
    "app.cases.search._BY_PHONE": Reason.PREDICATE,
    "app.cases.search._OF_REPORTER": Reason.PREDICATE,
    "app.cases.search._SHOWN": Reason.PREDICATE,
    "app.cases.area_counts._TOWNSHIPS": Reason.PREDICATE,
    "app.cases.area_counts._VILLAGES": Reason.PREDICATE,
    "app.cases.known_words._TOLD": Reason.AFTER_ACCESS,
    "app.cases.suggested_leads._FINISHED": Reason.PREDICATE,
    "app.cases.suggested_leads._LOADS": Reason.COUNTS,
    "app.matters.sealed_matters._UNSEEN": Reason.AFTER_ACCESS,
    "app.cases.timeline._FOR_STAFF": Reason.AFTER_ACCESS,
    "app.cases.timeline._BY_CODE": Reason.CODE,
    "app.cases.timeline._ALONE_BY_CODE": Reason.CODE,
    "app.cases.timeline._BY_CITIZEN": Reason.REPORTER,
    "app.cases.timeline._BY_PRIMARY": Reason.REPORTER,
    # Keys that a code is compared with: whose it is decides what is then read by _BY_CODE.
    "app.cases.timeline._JOINED_KEYS": Reason.SYSTEM,
    "app.matters.failed_texts._TURNS": Reason.AFTER_ACCESS,
    "app.texts.outbox._OWE_TO_NUMBERS": Reason.SYSTEM,
    "app.reports.closing._FIRST_CASE": Reason.SYSTEM,
    "app.reports.closing._NOT_SWEPT": Reason.SYSTEM,
    "app.reports.closing._CONTENTS[1]": Reason.SYSTEM,
    "app.reports.correcting._TO_FOLLOW": Reason.SYSTEM,
    "app.reports.reading._SEALED": Reason.COUNTS,
    "app.reports.satisfaction._COUNT": Reason.COUNTS,
    "app.reports.satisfaction._WRITE": Reason.COUNTS,
    "app.reports.satisfaction._LOCKED": Reason.COUNTS,
    "app.reports.satisfaction._CORRECTED": Reason.COUNTS,
    "app.reports.satisfaction._CORRECTIONS": Reason.COUNTS,
    "app.reports.satisfaction._TO_RELEASE": Reason.COUNTS,
    "app.reports.satisfaction._CONTENT": Reason.SYSTEM,
    "app.reports.satisfaction._TO_FOLLOW": Reason.SYSTEM,
    "app.reports.satisfaction._WHOSE": Reason.SYSTEM,
    "app.reports.satisfaction._LAST_CORRECTION": Reason.SYSTEM,
    "app.reports.satisfaction._CHAIN": Reason.OPERATOR,
    "app.reports.satisfaction._TO_EXCLUDE": Reason.AFTER_ACCESS,
    "app.reports.satisfaction._EXCLUDED": Reason.PREDICATE,
    "app.cards.appeals._CASE_OF": Reason.PREDICATE,
    "app.cards.irregular_cards._UNIT": Reason.AFTER_ACCESS,
    "app.cards.reminders._ABOUT_TO_BE_DUE": Reason.PREDICATE,
    # The list that all staff of the county are to see: by category, never by title.
    "app.cards.public_list._LISTED": Reason.COUNTY,
    "app.cards.wall._WALL": Reason.COUNTY,
    "app.evaluation.answers._WAITING": Reason.REPORTER,
    "app.evaluation.answers._TAKEN": Reason.REPORTER,
    "app.evaluation.call_notices._HAS_ONE": Reason.PREDICATE,
    "app.evaluation.access_log._ALONE": Reason.SYSTEM,
    "app.evaluation.access_log._LAST": Reason.SYSTEM,
    "app.evaluation.access_log._ANSWER": Reason.AFTER_ACCESS,
    "app.evaluation.access_log._ALL": Reason.OPERATOR,
    "app.evaluation.access_log._COUNT": Reason.OPERATOR,
    "app.evaluation.opt_out._OPEN_SINCE": Reason.REPORTER,
    "app.evaluation.opt_out._OF_THE_NUMBER": Reason.SYSTEM,
    "app.evaluation.receiving._ASKED": Reason.SYSTEM,
    "app.evaluation.receiving._OWN": Reason.REPORTER,
    "app.evaluation.receiving._OPTED": Reason.REPORTER,
    "app.evaluation.receiving._KNOWN": Reason.SYSTEM,
    "app.evaluation.return_calls._FOUND_VALID": Reason.AFTER_ACCESS,
    "app.evaluation.return_calls._STANDING": Reason.AFTER_ACCESS,
}
# How often a statement reads a case beside those that its predicates ask about, and why that shows nothing.
_BESIDE: Final = {
    # The text's own case again, for its number.
    "app.matters.failed_texts": 1,
    # Where the round was handled: the name of the unit.
    "app.reports.satisfaction._EXCLUDED": 2,
    # Which cases the unit had to do with; each is asked about after.
    "app.cards.signals._UNIT": 2,
    "app.cards.signals._UNITS": 2,
    # How many reports were joined to the case, by counting them.
    "app.cases.similar_cases._NEARBY": 2,
    # The cases of the page again, for what they tell.
    "app.cases.search._SHOWN": 1,
    # What a case was joined to: only cases that one dispatcher sees, and none with a sealed one.
    "app.evaluation.return_calls": 1,
    # The case that the words were taken for: asked about where they are looked for; and whether there is any case at all.
    "app.evaluation.manual_review": 2,
    # The same case under its other name.
    "app.evaluation.manual_review._ANSWERABLE": 1,
}
# What they share, which tells by yes or no: of conflicts of interest, and of whose number it is.
_SHARED: Final = (conflict_of_interest.KEPT_FROM, OF_HANDLER)


def statements() -> Iterator[tuple[str, str]]:
    """Each statement of the project by its name, such as app.cases.surroundings._AROUND."""
    for package in (app, mobile_api, workers, sms, qungong):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                module = importlib.import_module(found.name)
                for name, value in vars(module).items():
                    yield from _within(f"{found.name}.{name}", value)


def _within(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, TextClause):
        yield name, value.text
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _within(f"{name}[{key}]", one)
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            yield from _within(f"{name}[{place}]", one)


OF_CASES: Final = {name: sql for name, sql in statements() if _READS.search(sql)}


def reason_of(name: str) -> Reason | None:
    return _OF_STATEMENTS.get(name) or _OF_MODULES.get(name.rpartition("._")[0])


def test_every_statement_about_a_case_has_a_reason() -> None:
    assert [name for name in OF_CASES if reason_of(name) is None] == []


def test_table_names_no_statement_that_is_gone() -> None:
    assert [name for name in _OF_STATEMENTS if name not in OF_CASES] == []
    used = {name.rpartition("._")[0] for name in OF_CASES}
    assert [name for name in _OF_MODULES if name not in used] == []


@pytest.mark.parametrize("name", [one for one in OF_CASES if reason_of(one) is Reason.PREDICATE])
def test_statement_with_the_predicate_asks_it_of_each_case(name: str) -> None:
    """A join beside the case that was asked about would show another: so each reading is counted."""
    sql = OF_CASES[name]
    for shared in _SHARED:
        sql = sql.replace(shared, "")
    asked = sql.count(VISIBLE_TO_STAFF) + sql.count(visible_to_staff("v."))
    beside = _BESIDE.get(name, _BESIDE.get(name.rpartition("._")[0], 0))
    assert asked > 0
    assert max(len(_READS_A_CASE.findall(sql)) - asked, 0) == beside


@pytest.mark.parametrize("name", [one for one in OF_CASES if reason_of(one) is Reason.REPORTER])
def test_statement_for_the_reporter_asks_for_the_citizen(name: str) -> None:
    assert ":citizen_id" in OF_CASES[name]


def test_statement_by_code_compares_the_key() -> None:
    sql = [OF_CASES[one] for one in OF_CASES if reason_of(one) is Reason.CODE]
    assert sql
    assert all("c.tracking_key = :tracking_key" in one for one in sql)


def test_statement_of_the_county_leaves_out_what_is_sealed() -> None:
    sql = [OF_CASES[one] for one in OF_CASES if reason_of(one) is Reason.COUNTY]
    assert sql
    assert all("county_id = :county_id" in one for one in sql)
    assert all(
        len(_READS_A_CASE.findall(one)) == one.count("NOT c.sealed") + one.count("NOT sealed")
        for one in sql
    )


def _makers(module: Path) -> set[str]:
    """What makes a statement there. FastAPI has a Query of its own, which makes none."""
    typed = "from app.db.query import" in module.read_text(encoding="utf-8")
    return {"text", "Query"} if typed else {"text"}


def test_no_statement_is_made_where_the_table_cannot_see_it() -> None:
    """Within a function only by the builders that fill constants of their module."""
    made = {
        (path.relative_to(ROOT).as_posix(), function.name)
        for path in modules()
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in _makers(path)
    }
    assert made == {
        ("app/matters/papers.py", "_paper_statement"),
        ("app/cases/queries.py", "listing_of"),
        ("app/cases/queries.py", "_counting"),
        ("app/cards/card_lists.py", "_listing"),
        ("app/cards/card_lists.py", "_counting"),
        # Of units and categories, and of whatever a use case has changed.
        ("app/directory/queries.py", "_search"),
        ("app/db/row_base.py", "write_statement"),
        # Checks of rows against their seals, for `qungong verify`.
        ("app/doctor/sealed_rows.py", "_count"),
        ("app/doctor/sealed_rows.py", "_pages"),
        ("app/evaluation/evaluation_log.py", "_rows_differing"),
        ("app/evaluation/evaluation_log.py", "_there"),
        # The rows of a kind's own table, for `qungong verify`.
        ("app/kinds/verification.py", "_own_rows"),
        # A count beside the statement of a request.
        ("app/usage.py", "with_count"),
    }

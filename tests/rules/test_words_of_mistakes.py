"""What is told about a mistake is told in words: no English, no type names, no dates as programs write them."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, Final

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app import errors
from app.clock import in_words
from app.http.cards import OwnCards
from app.http.inputs import Input
from app.http.problems import _MISTAKES, from_validation
from tests.rules.test_typed_inputs import changed, found_models, sample

WRONG: Final[tuple[Any, ...]] = (
    [], {}, True, None, 1.5, -1, 0, 10**12, 10**30, "", "x", "字" * 50_000, [[]] * 5000, "12", float("inf"),
    "1999-01-01", "2999-01-01", "1999-01-01T00:00:00Z", "2999-01-01T00:00:00+08:00", "2026-11-30T08:00:00",
    "2026-13-45", "9999999999999999999999", "\ud800", "没有", "13800138", "023-46773333", "+12025550123",
)  # fmt: skip
# Every kind of constraint that the two documents name.
KINDS: Final = {
    "missing", "extra_forbidden", "string_type", "string_too_short", "string_too_long", "string_pattern_mismatch",
    "int_type", "bool_type", "list_type", "model_type", "enum", "uuid_parsing", "greater_than_equal", "less_than_equal",
    "too_long", "too_short", "date_from_datetime_parsing", "datetime_from_date_parsing", "timezone_aware", "text",
}  # fmt: skip
_TECHNICAL: Final = re.compile(r"[A-Za-z{}_]|[0-9]{4}-[0-9]{2}")


def mistakes(model: type[Input], value: Any) -> list[Any]:
    try:
        model.model_validate(value)
    except ValidationError as refused:
        return list(refused.errors())
    return []


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()  # fmt: skip
    for step, one in inner:
        yield (*at, step)
        yield from places(one, (*at, step))


def every_mistake() -> Iterator[Any]:
    for model in found_models():
        value = sample(model)
        fields = {field.alias or name: None for name, field in model.model_fields.items()}
        yield from mistakes(model, {})
        yield from mistakes(model, [])
        yield from mistakes(model, value | {"surplus": 1})
        for at in places(fields | value):
            for wrong in WRONG:
                yield from mistakes(model, changed(fields | value, at, wrong))


def in_chinese(mistake: Any) -> str:
    told: Any = from_validation(RequestValidationError([mistake])).facts["mistakes"]
    what: str = told[0]["what"]
    return what


def test_every_kind_of_mistake_is_told_in_words() -> None:
    every = {(one["type"], in_chinese(one)) for one in every_mistake()}
    assert {kind for kind, _ in every} >= KINDS
    for kind, what in every:
        assert kind in _MISTAKES, f"{kind} has no words of its own"
        assert not _TECHNICAL.search(what), (kind, what)
        assert re.search(r"[\u4e00-\u9fff]", what), (kind, what)


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("from", "1999-01-01", "不能早于 2000年1月1日"),
        ("to", "2999-01-01", "不能晚于 2099年12月31日"),
        ("to", "31.12.2026", "不是有效的日期"),
        ("size", 0, "不能小于 1"),
    ],
)
def test_date_out_of_bounds_is_told_as_people_write_it(field: str, value: Any, what: str) -> None:
    told = from_validation(RequestValidationError(mistakes(OwnCards, {field: value})))
    assert told.facts["mistakes"] == [{"where": field, "what": what}]


def test_moment_is_told_with_the_hour_of_shanghai() -> None:
    assert in_words(datetime(2000, 1, 1, tzinfo=UTC)) == "2000年1月1日8时"
    assert in_words(datetime(2026, 11, 30, 0, 5, tzinfo=UTC)) == "2026年11月30日8时5分"
    assert in_words(date(2026, 11, 30)) == "2026年11月30日"


@pytest.mark.parametrize("kind", errors.kinds())
def test_problem_is_told_with_full_width_punctuation(kind: type[errors.Problem]) -> None:
    assert not re.search(r"[,;:?!]", re.sub(r"Content-Type: application/json", "", kind.detail))

"""What people type means what it means, whatever keyboard, program or phone it came from; what is stored is what was written."""

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.api.app import create_app as staff_app
from app.directory.queries import plain_name
from app.http.inputs import Input, Line, Paragraphs, Ref, UnitCode
from mobile_api.app import create_app as phones_app
from mobile_api.sign_in import CodeTyped, CodeWanted
from mobile_api.tracking import Tracked
from tests.api.examples import example

# Marks of direction around a pasted number, zero-width letters, a soft hyphen, NUL, half of a pair, a byte-order mark.
UNSEEN: Final = "\u202d\u202c\u202e\u200b\u200c\u2060\u00ad\x00\ud800\ufeff\x1b\u2066"
BREAKS: Final = "\x0b\x0c\x85\u2028"
REF: Final = "500153-261122-48392017"


def read(kind: Any, written: str) -> Any:
    return TypeAdapter(kind).validate_python(written)


@pytest.mark.parametrize(
    "written",
    [
        "５００１５３－２６１１２２－４８３９２０１７", "500153—261122—48392017", "500153——261122——48392017",
        "50015326112248392017", "500153-261122-48392017,", "500153-261122-48392017，", " 500153-261122-48392017 ",
        "500153 261122 48392017", "500153–261122–48392017。", "\u202d500153-261122-48392017\u202c", "500153\u200b-261122-48392017",
    ],
)  # fmt: skip
def test_case_number_is_read_however_it_was_copied(written: str) -> None:
    assert read(Ref, written) == REF
    assert Tracked.model_validate({"ref": written, "code": "7kq2 mxwa"}).ref == REF


@pytest.mark.parametrize("written", ["500153-261122-4839201", "500153-261122-483920177", "abc", "", "500153/261122/48392017", "500153.261122.48392017"])  # fmt: skip
def test_case_number_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        read(Ref, written)


@pytest.mark.parametrize("written", ["687 692", "６８７６９２", "６８７　６９２", "687-692", "\u202d687692\u202c", " 687692\n"])  # fmt: skip
def test_one_time_code_is_read_however_it_was_copied(written: str) -> None:
    assert CodeTyped.model_validate({"phone": "13983001234", "code": written}).code == "687692"


@pytest.mark.parametrize(
    "written", ["500153d11", "５００１５３Ｄ１１", "500153 D11", "\u200b500153D11"]
)
def test_unit_code_is_read_however_it_was_typed(written: str) -> None:
    assert read(UnitCode, written) == "500153D11"


@pytest.mark.parametrize("written", ["\u202d139 8300 1234\u202c", "１３９８３００１２３４", "139\u200b83001234", "+86 139-8300-1234", "008613983001234", "13983001234，"])  # fmt: skip
def test_number_pasted_from_contacts_is_read(written: str) -> None:
    assert CodeWanted.model_validate({"phone": written}).phone == "+8613983001234"


@pytest.mark.parametrize("written", ["廣順", "廣 順", "广　顺", "广\u200b顺"])
def test_unit_name_is_looked_up_in_its_plain_form(written: str) -> None:
    assert plain_name(written) == "广顺"


def test_letters_that_are_seen_are_stored_as_they_were_written() -> None:
    written = "廣順街道：１３棟　停水… 👨‍👩‍👧 ①"
    assert read(Line, written) == written
    assert read(Paragraphs, f"\u202d{written}\u202c\x0b第二行\x0c") == f"{written}\n第二行"
    assert read(Line, "13至17栋\x0b没有\n饮用水") == "13至17栋 没有 饮用水"


def test_text_of_unseen_letters_alone_is_empty() -> None:
    with pytest.raises(ValidationError):
        read(Line, UNSEEN)


def found_models() -> Iterator[type[Input]]:
    """Every body and question that both faces take."""
    assert staff_app().title
    assert phones_app().title
    waiting = [*Input.__subclasses__()]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        if model.__module__.startswith(("app.", "mobile_api.")):
            yield model


def sample(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    made = example(schema | {"examples": []}, {"components": {"schemas": schema.get("$defs", {})}})
    # Without an example a field is one that need not be given.
    return {name: value for name, value in made.items() if value not in (None, "…")}


def typed(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str):
        yield at
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from typed(one, (*at, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from typed(one, (*at, number))


def changed(value: Any, at: tuple[Any, ...], text: str) -> Any:
    made = copy.deepcopy(value)
    inner = made
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = text
    return made


def found(value: Any, at: tuple[Any, ...]) -> str:
    for step in at:
        value = value[step]
    return str(value)


def outcome(model: type[BaseModel], value: Any) -> BaseModel | None:
    try:
        return model.model_validate(json.loads(json.dumps(value)))
    except ValidationError:
        return None


def fields() -> list[tuple[type[Input], dict[str, Any], tuple[Any, ...]]]:
    every = []
    for model in found_models():
        value = sample(model)
        for at in typed(value):
            # A value that anything else may replace is text; one of a list, an id or a date is not.
            if outcome(model, changed(value, at, "不在可选范围内的文字")) is None and not _is_typed(
                at[-1]
            ):
                continue
            if at[-1] not in {"password", "cursor"}:
                every.append((model, value, at))
    return every


_IDENTIFIERS: Final = {"ref", "primary_ref", "code", "phone", "account", "template_code"}


def _is_typed(name: Any) -> bool:
    return name in _IDENTIFIERS or str(name).endswith("_code")


FIELDS: Final = fields()


def test_fields_that_people_type_are_found() -> None:
    names = {str(at[-1]) for _, _, at in FIELDS}
    assert {"title", "body", "name", "phone", "ref", "code", "account", "finding", "answer", "reason", "unit_code", "place", "device"} <= names  # fmt: skip
    assert len(FIELDS) > 60


@given(st.sampled_from(FIELDS), st.sampled_from(UNSEEN), st.integers(0, 200))
def test_unseen_letter_changes_nothing_of_what_is_accepted(
    field: tuple[type[Input], dict[str, Any], tuple[Any, ...]], letter: str, where: int
) -> None:
    model, value, at = field
    written = found(value, at)
    place = where % (len(written) + 1)
    with_it = written[:place] + letter + written[place:]
    plain, other = outcome(model, value), outcome(model, changed(value, at, with_it))
    assert plain is not None, (model, value)
    assert other == plain, (model, at, letter)


@given(st.sampled_from(FIELDS), st.sampled_from(BREAKS), st.integers(0, 200))
def test_line_break_of_another_program_changes_nothing_of_what_is_accepted(
    field: tuple[type[Input], dict[str, Any], tuple[Any, ...]], letter: str, where: int
) -> None:
    model, value, at = field
    written = found(value, at)
    place = where % (len(written) + 1)
    with_it = written[:place] + letter + written[place:]
    assert outcome(model, changed(value, at, with_it)) is not None, (model, at, letter)

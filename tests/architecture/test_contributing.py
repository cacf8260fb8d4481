"""CONTRIBUTING.md shows the code as it is, and tells where an action on a case stands."""

import re
from collections.abc import Iterator
from typing import Final

from app.cases.terms import Action
from tests.architecture.test_source import ROOT, modules

_PAGE: Final = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_LINK: Final = re.compile(r"\]\(([\w/.]+\.py)\)")
_LINK_OR_CODE: Final = re.compile(
    rf"{_LINK.pattern}|^```python\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL
)
_WALK: Final = _PAGE.partition("## A new action on a case")[2].partition("\nThen the tests")[0]


def shown() -> Iterator[tuple[str, str]]:
    """Each piece of Python on the page, with the file that was linked last before it."""
    path = ""
    for found in _LINK_OR_CODE.finditer(_PAGE):
        if found[1] is None:
            yield path, found[2]
        else:
            path = found[1]


def test_code_shown_in_contributing_is_the_code() -> None:
    pieces = list(shown())
    assert len(pieces) == _PAGE.count("```python")
    for path, code in pieces:
        assert code in (ROOT / path).read_text(encoding="utf-8"), f"{path}:\n{code}"


def test_action_touches_the_places_that_contributing_names() -> None:
    """Whatever names `decline`, its use case or its input."""
    named = re.compile(r"\bAction\.DECLINE\b|[\"']decline[\"']|\bjudging\.decline\b|\bRefusal\b")
    touched = {
        path.relative_to(ROOT).as_posix()
        for path in modules("app", "mobile_api", "sms", "workers")
        if named.search(path.read_text(encoding="utf-8"))
    }
    places = _LINK.findall(_WALK)
    assert touched == set(places)
    assert len(places) == len(set(places)) <= 5


def test_action_in_the_timeline_has_words_for_residents() -> None:
    for action in Action:
        assert re.search("[一-鿿]", action.timeline_text), action

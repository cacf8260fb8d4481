"""Every regular expression of ours, against texts made to keep it busy."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

import app
import mobile_api
import qungong
import sms
import workers
from tests.adversarial import attacks, has_possessive_group, worse_than_linear

_PACKAGES: Final = (app, mobile_api, qungong, sms, workers)
_ROOT: Final = Path(app.__file__).parents[1]
# So long that four times as much is what a text message at most has.
_LETTERS: Final = 160
# A search goes over whole reports; what begins anew at each letter is slow only there.
_LETTERS_SEARCHED: Final = 4 * _LETTERS
_ATTACKS: Final = 500
_LOOKS_AROUND: Final = {"search", "finditer", "findall", "sub", "subn", "split"}
# They read the whole of the text and compile nothing.
_NO_PATTERN: Final = {"escape", "Match", "Pattern"}


def _modules() -> list[str]:
    found = [
        module.name
        for package in _PACKAGES
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return [name for name in found if not name.endswith("__main__")]


def _patterns() -> dict[str, re.Pattern[Any]]:
    """By the name under which a module keeps it, also in a dict or a tuple."""
    found: dict[str, re.Pattern[Any]] = {}
    for module in _modules():
        for name, value in vars(importlib.import_module(module)).items():
            kept = [value]
            if isinstance(value, dict):
                kept = list(value.values())
            elif isinstance(value, tuple | list | set | frozenset):
                kept = list(value)
            for place, one in enumerate(kept):
                if isinstance(one, re.Pattern) and all(
                    one is not known for known in found.values()
                ):
                    found[f"{module}.{name}" + (f"[{place}]" if len(kept) > 1 else "")] = one
    return found


@cache
def _trees() -> list[tuple[Path, ast.Module]]:
    paths = [path for package in _PACKAGES for path in Path(package.__path__[0]).rglob("*.py")]
    return [(path, ast.parse(path.read_text("utf-8"))) for path in paths]


@cache
def _names_that_look_around() -> set[str]:
    """The names on which some module calls search() and the like: from any place of the text, not from its beginning."""
    return {
        call.func.value.id
        for _, tree in _trees()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in _LOOKS_AROUND
        and isinstance(call.func.value, ast.Name)
    }


PATTERNS: Final = _patterns()


def _from_the_beginning(pattern: re.Pattern[Any]) -> Callable[[Any], object]:
    return lambda text: (pattern.fullmatch(text), pattern.match(text))


def _from_anywhere(pattern: re.Pattern[Any]) -> Callable[[Any], object]:
    return lambda text: sum(1 for _ in pattern.finditer(text))


def _slow(
    pattern: re.Pattern[Any], work: Callable[[Any], object], *, letters: int = _LETTERS
) -> str | None:
    binary = isinstance(pattern.pattern, bytes)
    told = (
        worse_than_linear(work, attack, letters=letters, binary=binary)
        for attack in attacks(pattern, most=_ATTACKS)
    )
    return next((one for one in told if one is not None), None)


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern_takes_linear_time_on_adversarial_text(name: str) -> None:
    pattern = PATTERNS[name]
    assert _slow(pattern, _from_the_beginning(pattern)) is None
    around = _names_that_look_around()
    if (
        re.split(r"[.\[]", name.removesuffix("]"))[-1] in around
        or name.rsplit(".", 1)[-1] in around
    ):
        assert _slow(pattern, _from_anywhere(pattern), letters=_LETTERS_SEARCHED) is None


@pytest.mark.parametrize(
    "bad",
    [
        r"(?:退订(TD?)?|TD|T)+",
        r"(?:辛苦了?|[了啊])+",
        r"(?:a+)+b",
        r"(?:刚刚?|都)*(?:修|弄)",
        r"(?:a|b|ab)*c",
        r"(?:退订\s*)+(?:\s|请)*$",
        r"谢+[谢了]*[谢啊]*吧",
    ],
)
def test_pattern_that_backtracks_is_found(bad: str) -> None:
    pattern = re.compile(bad)
    assert _slow(pattern, _from_the_beginning(pattern)) is not None


@pytest.mark.parametrize("bad", [r"[\W_]+$", r"\s*,", r"请.*快", r"(?:\w+\.)+cn"])
def test_search_that_begins_anew_at_each_letter_is_found(bad: str) -> None:
    pattern = re.compile(bad)
    assert _slow(pattern, _from_anywhere(pattern), letters=_LETTERS_SEARCHED) is not None


@pytest.mark.parametrize("good", [r"(?:退订(TD?)?|TD|T)++", r"(?>a+)b", r"谢++吧", r"[0-9]{1,6}"])
def test_pattern_that_does_not_backtrack_is_found_good(good: str) -> None:
    pattern = re.compile(good)
    assert _slow(pattern, _from_the_beginning(pattern)) is None


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern_has_atomic_groups_instead_of_possessive_quantifiers(name: str) -> None:
    """Python before 3.11.5 lets the latter match what no other quantifier matches (gh-106052)."""
    assert not has_possessive_group(PATTERNS[name])


def test_possessive_quantifier_of_a_group_is_found() -> None:
    for bad in ("(?:ab?c)*+", "x(?:y|(?:ab?c){1,3}+)", "(?=(?:ab?c)?+)", "(?>(ab?c)++)"):
        assert has_possessive_group(re.compile(bad)), bad
    for good in ("a*+", "[ab]++", r"\d{1,3}+", "(?>(?:ab?c)*)"):
        assert not has_possessive_group(re.compile(good)), good


def test_patterns_are_compiled_in_modules_only() -> None:
    """So that the test above sees each of them. Pydantic's `pattern=` is of another engine, which never backtracks."""
    inside = [
        f"{path.relative_to(_ROOT)}:{call.lineno}"
        for path, tree in _trees()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for call in ast.walk(function)
        if isinstance(call, ast.Attribute)
        and isinstance(call.value, ast.Name)
        and call.value.id == "re"
        and isinstance(call.ctx, ast.Load)
        and call.attr not in _NO_PATTERN
    ]
    assert sorted(set(inside)) == []
    assert not [path for path, _ in _trees() if "python-re" in path.read_text("utf-8")]


def test_patterns_of_many_modules_are_found() -> None:
    assert {"app.evaluation.reply_parser._OPT_OUT", "app.logs._PHONE", "sms.links._LINK"} <= set(
        PATTERNS
    )
    assert len(PATTERNS) > 60

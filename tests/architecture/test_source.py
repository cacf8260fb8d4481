"""What must be true of the source itself and no linter checks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "mobile_api", "sms", "workers", "qungong")


def modules(*packages: str) -> Iterator[Path]:
    for package in packages or PACKAGES:
        yield from (path for path in (ROOT / package).rglob("*.py"))


# Functions with more branches than MOST_BRANCHES, and how many they may have: none may get worse, and none may join them.
MOST_BRANCHES = 12
BRANCHY = {
    "app/calendars/editing.py::_plan": 16,
    "app/cards/sweep.py::issue": 16,
    "app/evaluation/matching.py::meant": 17,
    "app/evaluation/receiving.py::_take": 20,
}
_BRANCHES = (
    ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case, ast.comprehension,
)  # fmt: skip


def branches(function: ast.AST) -> int:
    """As ruff counts them, and conditional expressions and the conditions of comprehensions as well."""
    count = 1
    inside = list(ast.iter_child_nodes(function))
    while inside:
        node = inside.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        count += isinstance(node, _BRANCHES)
        count += len(node.ifs) if isinstance(node, ast.comprehension) else 0
        inside += ast.iter_child_nodes(node)
    return count


def assigned_attributes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AugAssign | ast.AnnAssign)
            else []
        )
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Attribute):
                    yield part.attr


# What takes a row of any kind in the packages whose rows are typed.
_UNTYPED = re.compile(r"\b(row|rows|found)\s*:\s*(?:(?:list|Sequence|Iterable)\[)?Any\b")


def test_no_function_of_cases_reports_or_matters_takes_an_untyped_row() -> None:
    assert [
        path.relative_to(ROOT).as_posix()
        for path in modules("app/cases", "app/reports", "app/matters")
        if _UNTYPED.search(path.read_text(encoding="utf-8"))
    ] == []


def test_only_the_lifecycle_assigns_a_phase() -> None:
    assert [
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if "phase" in assigned_attributes(path)
    ] == ["app/cases/lifecycle.py"]


def test_no_action_on_a_case_refuses_by_a_condition_of_its_own() -> None:
    """Whoever asks why an action is refused finds the answer in the lifecycle's table."""
    refusing = [
        path.relative_to(ROOT).as_posix()
        for path in modules("app/cases", "app/cards")
        if "ActionNotAllowed(" in path.read_text(encoding="utf-8")
    ]
    assert refusing == ["app/cases/lifecycle.py"]


def test_alembics_folder_is_not_a_package_that_would_hide_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_module_has_at_most_800_lines() -> None:
    too_long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in modules(*PACKAGES, "tests", "loadtests")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 800
    }
    assert too_long == {}


def test_branches_of_conditional_expressions_are_counted() -> None:
    source = "def f(a, b):\n    x = a if b else [c for c in a if c]\n    if x:\n        return x"
    assert branches(ast.parse(source).body[0]) == 5


def test_function_has_at_most_12_branches() -> None:
    found = {
        f"{path.relative_to(ROOT).as_posix()}::{node.name}": branches(node)
        for path in modules(*PACKAGES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {
        name: count for name, count in found.items() if count > BRANCHY.get(name, MOST_BRANCHES)
    } == {}


# Names of tests that do not keep the rule of CONTRIBUTING. The number may only fall.
MOST_UNCLEAR_NAMES = 420
_CLEAR_NAME = re.compile(r"test_(?!(?:a|an|the|it|what|who|whoever|whose|nobody|somebody|one)_)[a-z0-9_]+")  # fmt: skip
_LONGEST_NAME = 70


def test_names_of_tests_keep_the_rule_of_contributing() -> None:
    names = [
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]
    unclear = [one for one in names if len(one) > _LONGEST_NAME or not _CLEAR_NAME.fullmatch(one)]
    assert len(unclear) <= MOST_UNCLEAR_NAMES, sorted(unclear)

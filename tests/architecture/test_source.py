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


MOST_BRANCHES = 12
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


# Verification reads untyped rows: what was altered in the database may fit no type, and has to be named all the same.
VERIFYING = {
    "app/doctor/examining.py",
    "app/doctor/sealed_rows.py",
    "app/evaluation/access_log.py::broken",
    "app/evaluation/evaluation_log.py",
    "app/kinds/verification.py",
    "app/matters/covered_rows.py",
    "app/matters/recorded.py",
    "app/reports/satisfaction.py::chain",
    "app/reports/verification.py",
}
_READS = {"all", "one_or_none", "at_once"}
_UNTYPED = re.compile(
    r"\b(row|rows|found|matter|matters|entry|entries)\s*:\s*(?:(?:list|Sequence|Iterable)\[)?Any\b"
)


def untyped_reads(path: Path) -> Iterator[str]:
    """Calls of Transaction that return rows of no type, as `module::function`; a Query returns rows of its type."""
    name = path.relative_to(ROOT).as_posix()
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in _READS
                    and ast.unparse(node.func.value).rpartition(".")[2].strip("_") in {"tx", "work"}
                ):
                    yield f"{name}::{function.name}"


def test_no_function_takes_an_untyped_row() -> None:
    assert [
        path.relative_to(ROOT).as_posix()
        for path in modules("app", "workers", "sms", "mobile_api")
        if _UNTYPED.search(path.read_text(encoding="utf-8"))
    ] == []


def test_only_verification_reads_untyped_rows() -> None:
    found = {
        read
        for path in modules("app", "workers", "sms", "mobile_api")
        if not path.is_relative_to(ROOT / "app/db")
        for read in untyped_reads(path)
    }
    listed = {one if one in VERIFYING else one.partition("::")[0] for one in found}
    assert listed == VERIFYING


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
    assert {name: count for name, count in found.items() if count > MOST_BRANCHES} == {}


# Names of tests that do not keep the rule of CONTRIBUTING. The number may only fall.
MOST_UNCLEAR_NAMES = 414
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

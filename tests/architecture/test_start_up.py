"""What a process loads when it starts. How long that takes, `make bench` measures: here stands what does not vary."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
import uvloop
from alembic.config import Config
from alembic.script import ScriptDirectory

from qungong import cli, service_pages

ROOT = Path(__file__).resolve().parents[2]
_PROVIDERS = ("twilio.rest", "twilio.http", "aiohttp", "requests")
_FILES = ("xlsxwriter", "icalendar", "PIL", "pi_heif")
_COMMANDS = ("alembic", "typer", "sms.simulator")
_PATTERNS = ("app.evaluation.reply_phrases", "app.evaluation.reply_parser")


def _loaded_by(module: str, *after: str) -> set[str]:
    lines = [
        f"import {module}",
        "import gc, sys",
        "assert gc.isenabled()",
        *after,
        "print(*sys.modules)",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "unused"),
    [
        ("qungong.asgi", (*_PROVIDERS, *_FILES, *_COMMANDS, *_PATTERNS, "arq")),
        ("workers.__main__", (*_PROVIDERS, *_FILES, *_COMMANDS, *_PATTERNS, "fastapi")),
        ("app.evaluation.reading_process", ("sqlalchemy", "pydantic", "structlog", "fastapi")),
        ("app.matters.images", ("sqlalchemy", "pydantic", "structlog", "fastapi")),
    ],
)
def test_process_loads_no_library_that_it_does_not_use(
    module: str, unused: tuple[str, ...]
) -> None:
    assert _loaded_by(module).isdisjoint(unused)


@pytest.mark.parametrize("module", ["qungong.asgi", "workers.__main__"])
def test_process_keeps_loaded_modules_out_of_garbage_collection(module: str) -> None:
    _loaded_by(module, "assert gc.get_freeze_count() > 100_000, gc.get_freeze_count()")


def test_models_of_answers_are_prepared_at_their_first_use() -> None:
    _loaded_by(
        "qungong.asgi",
        "from app.http.outputs import Output",
        "models = Output.__subclasses__()",
        "assert len(models) > 80, len(models)",
        "early = [one for one in models if one.__pydantic_complete__]",
        "assert not early, early",
    )


def test_help_of_the_command_loads_none_of_what_commands_do() -> None:
    lines = [
        "import sys",
        "from qungong.cli import app",
        "try:",
        "    app(['--help'])",
        "except SystemExit as ended:",
        "    assert not ended.code",
        "print('LOADED', *sys.modules)",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    said, _, loaded = done.stdout.partition("LOADED")
    assert all(name in said for name in ("serve", "import-units", "sms"))
    assert "throwaway" not in said
    assert {"qungong.cli", "typer"} <= set(loaded.split())
    assert set(loaded.split()).isdisjoint(
        ("fastapi", "sqlalchemy", "sqlmodel", "pydantic", "asyncpg", "alembic", "app.settings")
    )


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_command_says_of_itself_what_the_list_of_commands_says(name: str) -> None:
    told = cli.load(name).help.split("\n\n")[0]
    assert " ".join(told.split()) == cli.COMMANDS[name]


def test_command_modules_all_stand_in_the_list_of_commands() -> None:
    modules = {
        path.stem
        for path in (ROOT / "qungong" / "commands").glob("*.py")
        if "\napp = typer.Typer(" in path.read_text("utf-8")
    }
    assert modules == {name.replace("-", "_") for name in cli.COMMANDS}


def test_newest_migration_is_the_head_that_alembic_finds() -> None:
    scripts = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    assert service_pages._newest_migration() == scripts.get_current_head()


async def test_tests_run_on_the_event_loop_that_serves() -> None:
    """Twice as cheap as the standard library's; pytest-asyncio takes it by the name of a fixture in tests/conftest.py."""
    assert isinstance(asyncio.get_running_loop(), uvloop.Loop)

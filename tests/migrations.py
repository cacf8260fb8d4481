"""Migrations for tests of what they do with rows that were stored before: as a module, and run on an emptied database."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.db import Database, transaction

_ROOT = Path(__file__).parents[1]
_VERSIONS = _ROOT / "alembic" / "versions"
_EMPTY = ("DROP SCHEMA public CASCADE", "DROP SCHEMA surveys CASCADE", "CREATE SCHEMA public")


def migration(name: str) -> Any:
    """The migration in the file of this name, without `.py`."""
    spec = importlib.util.spec_from_file_location(name, _VERSIONS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def migrate(url: str, direction: str, to: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alembic", direction, to],
        cwd=_ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def emptied(own: Database, revision: str) -> None:
    """The tables as they were at that revision, without a row."""
    async with transaction(own) as tx:
        driver = await tx.driver()
        for statement in _EMPTY:
            await driver.execute(statement)
    migrate(own.url, "upgrade", revision)

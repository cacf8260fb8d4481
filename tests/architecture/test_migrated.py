"""The migrated database that test runs keep: what it depends on, and that a spoiled one does no harm."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import settings
from qungong.dev.embedded import Postgres
from tests import migrated

_ROOT = Path(migrated.__file__).resolve().parents[1]
_FAST = {"fsync": "off"}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[Postgres]]:
    """Three servers, none of which has a folder yet."""
    found = [Postgres(tmp_path / str(number), _FAST, mortal=True) for number in range(3)]
    yield found
    for one in found:
        one.stop()


def test_migrated_database_is_kept_and_made_anew_when_spoiled(
    servers: list[Postgres], tmp_path: Path
) -> None:
    kept, made = tmp_path / "kept", list[Path]()

    def start(server: Postgres) -> str:
        def migrate() -> None:
            made.append(server.data)
            server.ensure_database(migrated.DATABASE)
            server.ask(
                "CREATE TABLE alembic_version AS SELECT 'last' AS version_num",
                database=migrated.DATABASE,
            )

        migrated.ensure(server, migrate, kept=kept)
        told = server.ask("SELECT version_num FROM alembic_version", database=migrated.DATABASE)
        server.stop()
        return told

    first, second, third = servers
    assert [start(first), start(second)] == ["last", "last"]
    assert made == [first.data]
    [archive] = kept.iterdir()
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    assert start(third) == "last"
    assert made == [first.data, third.data]
    assert archive.stat().st_size > len(whole) // 2


def test_kept_database_depends_on_the_migrations_and_what_they_import() -> None:
    told = {str(path.relative_to(_ROOT)) for path in migrated.sources()}
    assert {"app/keys.py", "app/settings.py", "app/chinese_text.py"} <= told
    assert {str(path.relative_to(_ROOT)) for path in (_ROOT / "alembic").rglob("*.py")} <= told
    # A change there needs no new database.
    assert "app/cases/models.py" not in told


def test_kept_database_is_another_when_a_migration_changes(tmp_path: Path) -> None:
    one, other = tmp_path / "0001_a.py", tmp_path / "0002_b.py"
    one.write_text("x = 1")
    other.write_text("x = 2")
    before = migrated.digest([one, other])
    assert migrated.digest([other, one]) == before
    other.write_text("x = 3")
    assert migrated.digest([one, other]) != before


def test_kept_database_is_another_when_a_setting_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = migrated.digest([])
    monkeypatch.setenv("SECRET_KEY", "another")
    settings.cache_clear()
    changed = migrated.digest([])
    monkeypatch.undo()
    settings.cache_clear()
    assert changed != before == migrated.digest([])

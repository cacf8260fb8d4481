"""Two databases from one template, in which the same draws of chance and the same clock hold. Knows no case and no answer."""

import os
import random
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

import asyncpg
from sqlalchemy import make_url, text
from structlog.testing import capture_logs

from app import clock, db, keys
from app.auth.sessions import open_session
from app.db import OWNER, Database, transaction
from app.directory.models import Citizen
from app.directory.terms import Role
from app.identifiers import uuid7
from app.settings import settings
from qungong import sample
from tests.units import Held, hire

# A Monday; nothing in it is near the end of a year or a holiday.
_STANDS_STILL: Final = (
    "CREATE SCHEMA frozen",
    """CREATE FUNCTION frozen.now() RETURNS timestamptz LANGUAGE sql STABLE
       RETURN CAST('2026-06-08 10:00:00+08' AS timestamptz)""",
    "GRANT USAGE ON SCHEMA frozen TO PUBLIC",
)
# The clock of the worlds is found before the server's own.
_CLOCK: Final = {"search_path": "frozen, pg_catalog, public"}
_STAFF: Final = text("""
SELECT DISTINCT ON (p.account) p.account, p.id AS staff_id, o.id AS post_id
FROM staff p JOIN post o ON o.staff_id = p.id ORDER BY p.account, o.id
""")
_ALWAYS: Final = timedelta(days=3650)
# Who looks over the county from within a unit that handles cases: by account, the unit's code and the role.
SEATED: Final = {
    "shuiwu_ducha": ("500153D11", Role.SUPERVISOR),
    "guangshun_ducha": ("500153003", Role.SUPERVISOR),
    "ronglong_lingdao": ("500153100", Role.LEADER),
}
PHONES: Final = {"reporter": "+8613896000001", "neighbour": "+8613896000002"}


@dataclass(frozen=True, slots=True)
class World:
    """A database, and what was logged in it."""

    database: Database
    logged: list[MutableMapping[str, Any]] = field(default_factory=list)
    # How much later than the clock that stands still this world begins.
    begins: timedelta = timedelta()

    @contextmanager
    def entered(self, chance: str, *, later: timedelta = timedelta()) -> Iterator[None]:
        """Everything in this process happens here, with these draws, so much later than the worlds began."""
        drawn = random.Random(chance)  # noqa: S311 - the same draws in both worlds are the point
        with (
            patch.object(db, "database", lambda: self.database),
            patch.object(os, "urandom", drawn.randbytes),
            patch.object(random, "_urandom", drawn.randbytes),
            clock.moved(self.begins + later),
            capture_logs() as logged,
        ):
            yield
        self.logged.extend(logged)


@dataclass(frozen=True, slots=True)
class Ground:
    """A server with a template of the sample county, in which everybody is signed in. `tokens` by account or resident."""

    server: str
    template: str
    tokens: Mapping[str, str]
    suffix: str = ""

    @asynccontextmanager
    async def itself(self, *, begins: timedelta) -> AsyncIterator[World]:
        """The template as a world: what happens there has happened in all that are made of it."""
        world = World(Database(_named(self.server, self.template), pool_size=2, **_CLOCK), begins=begins)  # fmt: skip
        try:
            yield world
        finally:
            await world.database.close()

    def of_its_own(self, suffix: str) -> "Ground":
        """The same ground, whose worlds have other names: for another process."""
        return replace(self, suffix=suffix)

    @asynccontextmanager
    async def two_worlds(self) -> AsyncIterator[tuple[World, World]]:
        names = [f"{self.template}{self.suffix}_{letter}" for letter in "ab"]
        await on_server(
            self.server,
            *(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)' for name in names),
            *(f'CREATE DATABASE "{name}" TEMPLATE "{self.template}"' for name in names),
        )
        first, second = (
            World(Database(_named(self.server, name), pool_size=2, **_CLOCK)) for name in names
        )
        try:
            yield first, second
        finally:
            for one in (first, second):
                await one.database.close()
            await on_server(
                self.server, *(f'DROP DATABASE "{name}" WITH (FORCE)' for name in names)
            )


async def prepare(server: str, migrated: str, template: str) -> Ground:
    """Make the template from a migrated, empty database."""
    await on_server(server, f'CREATE DATABASE "{template}" TEMPLATE "{migrated}"')
    url = _named(server, template)
    with patch.dict(os.environ, {"DATABASE_URL": url}):
        settings.cache_clear()
        await sample.load()
    settings.cache_clear()
    own = Database(url, pool_size=1, role=OWNER)
    async with transaction(own) as tx:
        driver = await tx.driver()
        for statement in _STANDS_STILL:
            await driver.execute(statement)
        now = await tx.now()
        for account, (code, role) in SEATED.items():
            await hire(tx, account, Held(code, role))
        await tx.flush()
        tokens = {}
        for row in await tx.all(_STAFF):
            tokens[row.account], _ = open_session(
                tx, now=now, device="", lasts=_ALWAYS, staff_id=row.staff_id, post_id=row.post_id
            )
        for name, phone in PHONES.items():
            citizen = Citizen(
                id=uuid7(now),
                phone_sealed=keys.encrypt(phone),
                phone_key=keys.lookup("phone", phone),
                created_at=now,
            )
            tx.add(citizen)
            tokens[name], _ = open_session(
                tx, now=now, device="", lasts=_ALWAYS, citizen_id=citizen.id
            )
    await own.close()
    return Ground(server, template, tokens)


async def on_server(server: str, *statements: str) -> None:
    plain = make_url(server).set(drivername="postgresql")
    connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)

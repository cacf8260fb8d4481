"""Two databases from one template, in which the same draws of chance and the same clock hold. Knows no case and no answer."""

import os
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

import asyncpg
from sqlalchemy import make_url, text
from structlog.testing import capture_logs
from uuid_utils import compat

from app import clock, keys
from app.auth.sessions import open_session
from app.clock import SHANGHAI
from app.db import OWNER, Database, transaction, transactions
from app.directory import official_numbers
from app.directory.models import Citizen
from app.directory.terms import Role
from app.identifiers import uuid7
from app.settings import settings
from qungong.dev import sample
from tests.services import QUICKLY
from tests.units import Held, hire

# A Monday; nothing in it is near the end of a year or a holiday.
BEGAN: Final = datetime(2026, 6, 8, 10, tzinfo=SHANGHAI)
_STANDS_STILL: Final = (
    "CREATE SCHEMA frozen",
    """CREATE FUNCTION frozen.now() RETURNS timestamptz LANGUAGE sql STABLE
       RETURN CAST('2026-06-08 10:00:00+08' AS timestamptz)""",
    "GRANT USAGE ON SCHEMA frozen TO PUBLIC",
)
_ENTERED: Final = datetime(2026, 6, 1, tzinfo=SHANGHAI)
# The clock of the worlds is found before the server's own.
_CLOCK: Final = {"search_path": "frozen, pg_catalog, public"}
_STAFF: Final = text("""
SELECT DISTINCT ON (p.account) p.account, p.id AS staff_id, o.id AS post_id, u.county_id
FROM staff p JOIN post o ON o.staff_id = p.id JOIN unit u ON u.id = o.unit_id ORDER BY p.account, o.id
""")
_ALWAYS: Final = timedelta(days=3650)
# Who looks over the county from within a unit that handles cases, or in another of their posts works in one: by account,
# their posts. They ask in the first.
SEATED: Final = {
    "shuiwu_ducha": [Held("500153D11", Role.SUPERVISOR)],
    "guangshun_ducha": [Held("500153003", Role.SUPERVISOR)],
    "ronglong_lingdao": [Held("500153100", Role.LEADER)],
    "lingdao_ronglong": [Held("500153", Role.LEADER), Held("500153100", Role.UNIT_HEAD)],
}
# Makes the return calls of others, so looks like no handler anywhere but in reports.
BOTH: Final = "ducha_shuiwu"
_BOTH_POSTS: Final = [Held("500153ZH", Role.SUPERVISOR), Held("500153D11", Role.UNIT_HANDLER)]
# The last is the village's own, under which its cadre types people; whoever holds it is signed in with it.
VILLAGE_PHONE: Final = "village phone"
PHONES: Final = {"reporter": "+8613896000001", "neighbour": "+8613896000002", VILLAGE_PHONE: "+8613896000003"}  # fmt: skip
_OF_VILLAGE: Final = "500153003007"


def _drawn_uuid7(drawn: random.Random) -> Callable[..., UUID]:
    """The library draws from the machine, in both worlds differently."""

    def uuid7(*, nanoseconds: int) -> UUID:
        high, low = drawn.getrandbits(12), drawn.getrandbits(62)
        return UUID(int=nanoseconds // 10**6 << 80 | 7 << 76 | high << 64 | 2 << 62 | low)

    return uuid7


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
            patch.object(transactions, "database", lambda: self.database),
            patch.object(os, "urandom", drawn.randbytes),
            patch.object(random, "_urandom", drawn.randbytes),
            patch.object(compat, "uuid7", _drawn_uuid7(drawn)),
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
            *(
                f'CREATE DATABASE "{name}" TEMPLATE "{self.template}" STRATEGY {QUICKLY}'
                for name in names
            ),
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
        for account, posts in (*SEATED.items(), (BOTH, _BOTH_POSTS)):
            await hire(tx, account, *posts)
        await tx.flush()
        tokens = {}
        for row in await tx.all(_STAFF):
            tokens[row.account], _ = open_session(
                tx, now=now, device="", lasts=_ALWAYS, staff_id=row.staff_id, post_id=row.post_id
            )
        for name, phone in PHONES.items():
            citizen_id = uuid7(now)
            citizen = Citizen(
                id=citizen_id,
                phone_sealed=keys.encrypt(phone, keys.at("citizen.phone_sealed", citizen_id)),
                phone_key=keys.lookup("phone", phone),
                created_at=now,
            )
            tx.add(citizen)
            tokens[name], _ = open_session(
                tx, now=now, device="", lasts=_ALWAYS, citizen_id=citizen.id
            )
        [admin] = [row for row in await tx.all(_STAFF) if row.account == "admin"]
        await official_numbers.enter(
            tx,
            PHONES[VILLAGE_PHONE],
            unit_code=_OF_VILLAGE,
            account=None,
            county_id=admin.county_id,
            staff_id=admin.staff_id,
            # Before the worlds begin: a number counts for what is answered after its entry.
            now=_ENTERED,
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

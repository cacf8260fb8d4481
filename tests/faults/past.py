"""A database, asked and told things past the application: by whoever makes the faults and judges what came of them."""

from abc import ABC, abstractmethod
from typing import Any

import asyncpg
from sqlalchemy import make_url


class PastTheApplication(ABC):
    """Each question and order on a connection of its own: the server may have been stopped since the last."""

    @property
    @abstractmethod
    def url(self) -> str: ...

    async def ask(self, query: str) -> int:
        connection = await self.connect()
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    async def rows(self, query: str) -> list[Any]:
        connection = await self.connect()
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    async def do(self, command: str) -> None:
        connection = await self.connect()
        try:
            await connection.execute(command)
        finally:
            await connection.close()

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        plain = make_url(self.url).set(drivername="postgresql")
        return await asyncpg.connect(plain.render_as_string(hide_password=False), timeout=10)

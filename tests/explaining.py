"""What a statement reads, in PostgreSQL's own pages, which do not scatter as seconds do."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text
from typing_extensions import override

from app.db import Transaction


class Explaining(Transaction):
    """Counts what the statements read instead of running them for their rows, and keeps how the last was run."""

    pages = 0
    how = ""

    async def now_there(self) -> datetime:
        """The database's moment, asked and answered."""
        row = await super().all(text("SELECT now()"))
        moment: datetime = row[0][0]
        return moment

    @override
    async def now(self) -> datetime:
        if self._now is None:
            self.began(await self.now_there())
        return await super().now()

    @override
    async def all(self, statement: Any, /, **values: Any) -> list[Any]:
        rows = await super().all(_explained(statement), **values)
        plan = msgspec.json.decode(rows[0][0]) if isinstance(rows[0][0], str) else rows[0][0]
        self.how = str(plan)
        self.pages = plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]
        return []


_known: dict[Any, Any] = {}


def _explained(statement: Any) -> Any:
    return _known.setdefault(
        statement, text("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement.text)
    )

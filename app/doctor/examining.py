"""Looks at the whole database for what must always be true. Only reads; give it one snapshot."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app.db import Transaction
from app.doctor import kept_answers, sealed_rows
from app.doctor.invariant import Invariant, Reach
from app.doctor.invariants import (
    ATTACHMENTS,
    CHAINS,
    EVALUATIONS,
    INVARIANTS,
    KEPT_ANSWERS,
    LOOKS,
    SEALED_ROWS,
)
from app.doctor.months import MONTHS_ADD_UP, MONTHS_VERIFY, RELEASED
from app.doctor.verification import BESIDE_CASES
from app.evaluation import access_log, evaluation_log, privacy_role
from app.kinds import verification
from app.reports import verification as months
from app.settings import settings

# How long a message that is due may wait for a worker before that is a fault: longer than any pause between two tries.
LATE: Final = timedelta(minutes=15)
# A clock is looked at with the next poll. So much for a slow machine, and for a moment at which everything falls due.
_SWEEP_TAKES: Final = timedelta(minutes=1)
MOST: Final = 20
_BATCH: Final = 1000
_IDS = text("SELECT id FROM matter WHERE id > :after ORDER BY id LIMIT :batch")
_BEFORE_ALL: Final = UUID(int=0)


@dataclass(slots=True)
class Finding:
    """What came of looking at one invariant. `offenders` are the first few; `looked_at` is empty where nobody counted."""

    invariant: Invariant
    looked_at: int | None = None
    offenders: list[dict[str, Any]] = field(default_factory=list)
    # Whether there are more than `offenders` names.
    more: bool = False

    @property
    def holds(self) -> bool:
        return not self.offenders


_SLOW: Final = (CHAINS, SEALED_ROWS, EVALUATIONS, ATTACHMENTS)
_ROWS: Final = (
    (SEALED_ROWS, sealed_rows.how_many, sealed_rows.broken),
    (EVALUATIONS, evaluation_log.how_many, evaluation_log.broken),
    (ATTACHMENTS, sealed_rows.how_many_attachments, sealed_rows.broken_attachments),
)


# Told of each step: what is looked at, how much of it has been, and how much there is.
Tell = Callable[[str, int, int], None]


def _tell_nobody(_what: str, _done: int, _total: int) -> None:
    """For who does not watch."""


async def examine(
    tx: Transaction,
    *,
    quick: bool = False,
    late: timedelta = LATE,
    most: int = MOST,
    tell: Tell = _tell_nobody,
) -> list[Finding]:
    """One finding per invariant, in their order; `quick` leaves out the chains, which take longest."""
    await privacy_role.enter(tx)
    findings = {one.name: Finding(one) for one in INVARIANTS if not (quick and one in _SLOW)}
    now = await tx.now()
    swept = now - timedelta(seconds=settings().poll_seconds) - _SWEEP_TAKES
    asked = _Asked(tx, findings, {"now": now, "since": now - late, "swept": swept}, most, tell)
    await asked.in_one_query()
    await asked.in_kept_answers()
    await asked.in_months()
    await asked.in_looks()
    await asked.case_by_case()
    if not quick:
        await asked.in_chains()
        await asked.in_rows()
    return list(findings.values())


class _Asked(Struct, frozen=True):
    tx: Transaction
    findings: dict[str, Finding]
    binds: dict[str, Any]
    most: int
    tell: Tell

    async def in_one_query(self) -> None:
        whole = self._of(Reach.WHOLE)
        for number, finding in enumerate(whole):
            self.tell(finding.invariant.chinese, number, len(whole))
            await self._query(finding)

    async def case_by_case(self) -> None:
        total, done, after = await verification.how_many(self.tx), 0, _BEFORE_ALL
        findings = self._of(Reach.CASES)
        for finding in findings:
            finding.looked_at = 0
        while rows := await self.tx.all(_IDS, after=after, batch=_BATCH):
            ids: list[UUID] = [row.id for row in rows]
            for finding in findings:
                await self._query(finding, ids=ids)
                finding.looked_at = done + len(ids)
            done, after = done + len(ids), ids[-1]
            self.tell("逐件核对", done, total)

    async def in_kept_answers(self) -> None:
        finding, total = self.findings[KEPT_ANSWERS.name], await kept_answers.how_many(self.tx)
        finding.looked_at = 0
        async for number, found in kept_answers.broken(self.tx):
            self._take(finding, found)
            finding.looked_at += number
            self.tell(KEPT_ANSWERS.chinese, finding.looked_at, total)

    async def in_months(self) -> None:
        total = await months.how_many(self.tx)
        for invariant, wrong in (
            (MONTHS_VERIFY, months.altered),
            (MONTHS_ADD_UP, months.miscounted),
            (RELEASED, months.released_otherwise),
        ):
            finding = self.findings[invariant.name]
            finding.looked_at = 0
            async for number, found in wrong(self.tx):
                self._take(finding, found)
                finding.looked_at += number
                self.tell(invariant.chinese, finding.looked_at, total)

    async def in_looks(self) -> None:
        finding, total = self.findings[LOOKS.name], await access_log.how_many(self.tx)
        finding.looked_at = 0
        async for number, found in access_log.broken(self.tx):
            self._take(finding, found)
            finding.looked_at += number
            self.tell(LOOKS.chinese, finding.looked_at, total)

    async def in_chains(self) -> None:
        finding, total = self.findings[CHAINS.name], await verification.how_many(self.tx)
        finding.looked_at = 0
        async for number, faults in verification.verify(self.tx, also=BESIDE_CASES):
            self._take(
                finding,
                [
                    {"ref": one.ref, "seq": one.seq, "table": one.table, "what": one.what}
                    for one in faults
                ],
            )
            finding.looked_at += number
            self.tell(CHAINS.chinese, finding.looked_at, total)  # fmt: skip

    async def in_rows(self) -> None:
        for invariant, how_many, broken in _ROWS:
            finding, total = self.findings[invariant.name], await how_many(self.tx)
            finding.looked_at = 0
            async for number, wrong in broken(self.tx):
                self._take(finding, [dict(one) for one in wrong])
                finding.looked_at += number
                self.tell(invariant.chinese, finding.looked_at, total)

    def _of(self, reach: Reach) -> list[Finding]:
        return [one for one in self.findings.values() if one.invariant.reach is reach]

    async def _query(self, finding: Finding, **binds: Any) -> None:
        if finding.more:
            return
        assert finding.invariant.sql is not None, "only what is looked at by code has no query"
        rows = await self.tx.all(finding.invariant.sql, **self.binds, **binds, most=self.most + 1)
        self._take(finding, [dict(row) for row in rows])

    def _take(self, finding: Finding, found: list[dict[str, Any]]) -> None:
        room = self.most - len(finding.offenders)
        finding.offenders += found[:room]
        finding.more = finding.more or len(found) > room

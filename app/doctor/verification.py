"""All that `qungong verify` looks at, part by part and batch by batch: each fault with its table and reference."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from app.cards.verification import appeals, cards
from app.db import Transaction
from app.doctor import sealed_rows
from app.evaluation import access_log, evaluation_log, privacy_role
from app.kinds import verification as records
from app.reports import verification as months

# What other packages keep of a case.
BESIDE_CASES: Final = (cards, appeals)


class Part(StrEnum):
    RECORDS = "records"
    PEOPLE = "people"
    EVALUATIONS = "evaluations"
    LOOKS = "looks"
    MONTHS = "months"
    ATTACHMENTS = "attachments"

    @property
    def chinese(self) -> str:
        return _PARTS[self]


_PARTS: Final = {
    Part.RECORDS: "事件记录",
    Part.PEOPLE: "号码、姓名和加密内容",
    Part.EVALUATIONS: "群众评价",
    Part.LOOKS: "查看评价的记录",
    Part.MONTHS: "月结",
    Part.ATTACHMENTS: "照片和语音文件",
}


class Found(Struct, frozen=True):
    """A fault: the table, the case's reference or the row's key, the entry where there is one, and what is wrong."""

    part: Part
    table: str
    reference: str
    what: str
    entry: int | None = None


Batches = AsyncIterator[tuple[int, list[Found]]]
HowMany = Callable[[Transaction], Awaitable[int]]
Broken = Callable[[Transaction], Batches]


async def _records(tx: Transaction) -> Batches:
    async for number, faults in records.verify(tx, also=BESIDE_CASES):
        yield number, [Found(Part.RECORDS, one.table, one.ref, one.what, one.seq) for one in faults]


async def _people(tx: Transaction) -> Batches:
    async for number, wrong in sealed_rows.broken(tx):
        yield number, [_of_row(Part.PEOPLE, one) for one in wrong]


async def _evaluations(tx: Transaction) -> Batches:
    async for number, wrong in evaluation_log.broken(tx):
        yield number, [_of_row(Part.EVALUATIONS, one) for one in wrong]


async def _looks(tx: Transaction) -> Batches:
    async for number, wrong in access_log.broken(tx):
        yield (
            number,
            [Found(Part.LOOKS, "look", str(one["number"]), _LOOKS[one["what"]]) for one in wrong],
        )


async def _months(tx: Transaction) -> Batches:
    async for number, wrong in months.altered(tx):
        yield number, [_of_month(one) for one in wrong]


async def _attachments(tx: Transaction) -> Batches:
    async for number, wrong in sealed_rows.broken_attachments(tx):
        yield number, [_of_row(Part.ATTACHMENTS, one) for one in wrong]


PARTS: Final[Mapping[Part, tuple[HowMany, Broken]]] = {
    Part.RECORDS: (records.how_many, _records),
    Part.PEOPLE: (sealed_rows.how_many, _people),
    Part.EVALUATIONS: (evaluation_log.how_many, _evaluations),
    Part.LOOKS: (access_log.how_many, _looks),
    Part.MONTHS: (months.how_many, _months),
    Part.ATTACHMENTS: (sealed_rows.how_many_attachments, _attachments),
}
_LOOKS: Final = {"missing": "查看记录缺失", "altered": "查看记录被改动"}


async def enter(tx: Transaction) -> None:
    """Evaluations can be read from here on."""
    await privacy_role.enter(tx)


def _of_row(part: Part, wrong: Mapping[str, str]) -> Found:
    return Found(part, wrong["table"], wrong["key"], wrong["what"])


def _of_month(wrong: Mapping[str, Any]) -> Found:
    """A month of a county; `entry` is the number of a correction."""
    reference = f"{wrong['month']:%Y-%m}/{wrong['county_id']}"
    table = "month_end" if wrong["correction"] is None else "month_correction"
    return Found(Part.MONTHS, table, reference, wrong["what"], wrong["correction"])

"""Checks of cards and appeals against the record of their matter, which repeats their facts. Repairs nothing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import text

from app.cards.models import Card
from app.db.row_base import Found, seal_holds
from app.matters.record import MatterAction
from app.matters.recorded import Fault, Recorded, check_rows

_CARDS = text("SELECT * FROM card WHERE matter_id = ANY(:ids) ORDER BY id")
_APPEALS = text("""
SELECT a.*, k.matter_id FROM appeal a JOIN card k ON k.id = a.card_id WHERE k.matter_id = ANY(:ids) ORDER BY a.id""")
# What an entry tells of a card, and in which column it stands.
_TOLD = (
    ("level", "level", "级别"),
    ("cause", "cause", "原因"),
    ("to", "unit_id", "单位"),
    ("person", "staff_id", "人员"),
)


def _cards(recorded: Recorded, rows: list[Found]) -> Iterator[Fault]:
    """Cards are those that entries issued, revoked where an appeal was upheld, and as they were issued."""
    issued = {body["data"]["card"]: body for body in recorded.of(MatterAction.CARD)}
    revoked = {
        body["data"]["card"]: body["at"]
        for body in recorded.of(MatterAction.DECIDE_APPEAL)
        if body["data"]["upheld"]
    }
    there = {str(row.id): row for row in rows}
    for card_id, body in issued.items():
        if card_id not in there:
            yield recorded.fault("card", body["seq"], "发过的牌缺失")
    for card_id, row in there.items():
        entry = issued.get(card_id)
        if entry is None:
            yield recorded.fault("card", None, "牌没有发牌记录")
            continue
        yield from (recorded.fault("card", entry["seq"], what) for what in _differs(row, entry))
        if not _same_moment(row.revoked_at, revoked.get(card_id)):
            yield recorded.fault("card", entry["seq"], "牌的撤销与裁定记录不符")


def _differs(row: Found, entry: dict[str, Any]) -> Iterator[str]:
    data = entry["data"]
    for told, column, called in _TOLD:
        if told in data and data[told] != row[column]:
            yield f"牌的{called}与发牌记录不符"
    if not seal_holds(Card, row):
        yield "牌与发出时不符"


def _appeals(recorded: Recorded, rows: list[Found]) -> Iterator[Fault]:
    """Appeals, and what was decided about them, are those that entries tell, in the same words."""
    asked = {body["data"]["card"]: body for body in recorded.of(MatterAction.APPEAL)}
    decided = {body["data"]["card"]: body for body in recorded.of(MatterAction.DECIDE_APPEAL)}
    there = {str(row.card_id): row for row in rows}
    for card_id in asked.keys() - there.keys():
        yield recorded.fault("appeal", asked[card_id]["seq"], "提出过的申诉缺失")
    for card_id, row in there.items():
        entry = asked.get(card_id)
        if entry is None:
            yield recorded.fault("appeal", None, "申诉没有提出记录")
        elif not _as_asked(recorded, row, entry):
            yield recorded.fault("appeal", entry["seq"], "申诉与提出时不符")
        if not _as_decided(recorded, row, decided.get(card_id)):
            yield recorded.fault("appeal", None, "申诉的裁定与记录不符")


def _as_asked(recorded: Recorded, row: Found, entry: dict[str, Any]) -> bool:
    return (
        _same_moment(row.asked_at, entry["at"])
        and (row.by_staff_id, row.by_unit_id) == _who(entry)
        and _same_words(recorded, entry, "ground", row.ground)
    )


def _as_decided(recorded: Recorded, row: Found, entry: dict[str, Any] | None) -> bool:
    if entry is None:
        return row.decided_at is None
    return (
        _same_moment(row.decided_at, entry["at"])
        and (row.decided_by_staff_id, row.decided_by_unit_id) == _who(entry)
        and row.upheld == entry["data"]["upheld"]
        and _same_words(recorded, entry, "reason", row.reason)
    )


def _who(entry: dict[str, Any]) -> tuple[int | None, int | None]:
    return entry["by"].get("staff"), entry["by"].get("unit")


def _same_words(recorded: Recorded, entry: dict[str, Any], name: str, shown: str) -> bool:
    """The words stand twice: with the entry, whose digest they fit or they are named there, and in the row."""
    words = recorded.texts.get((entry["seq"], name))
    return words is None or words.text is None or words.text == shown


def _same_moment(stored: datetime | None, told: str | None) -> bool:
    if stored is None or told is None:
        return stored is None and told is None
    return datetime.fromisoformat(told) == stored


cards = check_rows(_CARDS, _cards)
appeals = check_rows(_APPEALS, _appeals)

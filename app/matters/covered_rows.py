"""Checks of rows beside a matter's record: its parties, papers, attachments and the person it was registered for. Repairs nothing.

Rows are read untyped: what was altered in the database may fit no type, and has to be named all the same.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.db import Transaction
from app.db.row_base import Found, seal_holds
from app.matters.attachments import Attachment
from app.matters.matter import PersonAsGiven
from app.matters.papers import Paper, PaperKind, named
from app.matters.recorded import Fault, FindFaults, Recorded, by_matter, check_rows

_PARTIES = text("SELECT * FROM matter_party WHERE matter_id = ANY(:ids)")
# Who carries on for a unit that has ended: its successor, else the tier above (app/directory/queries.py).
_HEIRS = text("""
SELECT u.id, coalesce(u.successor_id, (
  SELECT desk.id FROM unit desk
  WHERE desk.parent_id = u.parent_id AND desk.kind = 'command_center' AND desk.valid_to IS NULL AND desk.id <> u.id
  LIMIT 1), u.parent_id) AS heir
FROM unit u WHERE u.valid_to IS NOT NULL""")
_PAPERS = text("SELECT * FROM paper WHERE matter_id = ANY(:ids) ORDER BY seq")
_ATTACHMENTS = text("SELECT * FROM attachment WHERE matter_id = ANY(:ids) ORDER BY id")
_PEOPLE = text("SELECT * FROM person_as_given WHERE matter_id = ANY(:ids)")
# Citizens and staff that a matter or its record speaks of, and that are gone.
_GONE = text("""
SELECT g.id AS matter_id, 'citizen' AS table_name, CAST(g.citizen_id AS text) AS key, 1 AS seq FROM matter_facts g
WHERE g.id = ANY(:ids) AND g.citizen_id IS NOT NULL AND NOT EXISTS (SELECT FROM citizen p WHERE p.id = g.citizen_id)
UNION ALL
SELECT e.matter_id, 'staff', CAST(e.staff_id AS text), e.seq FROM record_entry e
WHERE e.matter_id = ANY(:ids) AND e.staff_id IS NOT NULL AND NOT EXISTS (SELECT FROM staff s WHERE s.id = e.staff_id)""")


async def parties(tx: Transaction, ids: list[UUID]) -> FindFaults:
    """The units that may see a matter are those the record names: holders, who entered it, parts, limits, and their heirs."""
    rows = by_matter(await tx.all(_PARTIES, ids=ids))
    heirs = {row.id: row.heir for row in await tx.all(_HEIRS)}
    return lambda recorded: _parties(recorded, rows.get(recorded.matter.id, []), heirs)


async def people(tx: Transaction, ids: list[UUID]) -> FindFaults:
    """If staff registered a matter, its person_as_given row exists; and every person on record exists."""
    rows, gone = by_matter(await tx.all(_PEOPLE, ids=ids)), by_matter(await tx.all(_GONE, ids=ids))
    return lambda recorded: _people(
        recorded, rows.get(recorded.matter.id, []), gone.get(recorded.matter.id, [])
    )


def _parties(
    recorded: Recorded, rows: list[Found], heirs: Mapping[int, int | None]
) -> Iterator[Fault]:
    certain, named = _units_named(recorded)
    carrying_on = _heirs_of(named, heirs)
    there = {row.unit_id for row in rows}
    for unit_id in sorted(certain.keys() - there):
        yield recorded.fault("matter_party", None, f"缺少单位 {unit_id}")
    for row in rows:
        if row.unit_id in carrying_on:
            continue
        if row.unit_id not in named:
            yield recorded.fault("matter_party", None, f"单位 {row.unit_id} 没有参与办理的记录")
        elif row.since not in named[row.unit_id] or row.since > certain.get(row.unit_id, row.since):
            yield recorded.fault("matter_party", None, f"单位 {row.unit_id} 的起始时间与记录不符")


def _heirs_of(named: Mapping[int, set[datetime]], heirs: Mapping[int, int | None]) -> set[int]:
    found: set[int] = set()
    left = [heirs[one] for one in named if one in heirs]
    while left:
        heir = left.pop()
        if heir is not None and heir not in found:
            found.add(heir)
            left.append(heirs.get(heir))
    return found


def _units_named(recorded: Recorded) -> tuple[dict[int, datetime], dict[int, set[datetime]]]:
    """Units that must see the matter, since when, and all that may, with the moments of the entries that name them.

    A sealed matter has no parties.
    """
    certain: dict[int, datetime] = {}
    named: dict[int, set[datetime]] = {}
    for body in () if recorded.matter.sealed else recorded.bodies:
        case, at = body["after"]["case"], datetime.fromisoformat(body["at"])
        parts = body["after"].get("assignments", {}).values()
        limits = body["after"].get("clocks", {}).values()
        sees = {case.get("holder_unit_id"), case.get("entered_by_unit_id")}
        sees |= {part.get("unit_id") for part in parts}
        for unit_id in sees - {None}:
            certain.setdefault(unit_id, at)
        asked = {limit.get("unit_id") for limit in limits}
        for unit_id in (sees | asked | set(body["data"].get("carried_on", {}).values())) - {None}:
            named.setdefault(unit_id, set()).add(at)
    return certain, named


def _papers(recorded: Recorded, rows: list[Found]) -> Iterator[Fault]:
    """Each paper is the one that its entry names, as it was issued."""
    issued = {
        body["seq"]: body["data"]["paper"] for body in recorded.bodies if body["data"].get("paper")
    }
    for row in rows:
        name = named(row.prefix, row.year, row.number)
        if not seal_holds(Paper, row):
            yield recorded.fault("paper", row.seq, f"{_called(row.kind)}与出具时不符")
        elif issued.get(row.seq) != name:
            yield recorded.fault("paper", row.seq, f"文书“{name}”没有出具记录")
    there = [row.seq for row in rows]
    for seq, name in issued.items():
        if there.count(seq) != 1:
            yield recorded.fault("paper", seq, f"文书“{name}”缺失或重复")


def _called(kind: str) -> str:
    return PaperKind(kind).chinese if kind in set(PaperKind) else "文书"


def _attachments(recorded: Recorded, rows: list[Found]) -> Iterator[Fault]:
    """The photos and voice messages of a matter are those that its entries list, as they were sent in; but for those erased."""
    told = {one: (seq, what) for seq, what, one in _listed(recorded)}
    for row in rows:
        seq, what = told.get(str(row.id), (1, "附件"))
        if not seal_holds(Attachment, row):
            yield recorded.fault("attachment", seq, f"{what} {row.id} 与上传时不符")
    there = {str(row.id) for row in rows}
    erased = {one for body in recorded.bodies for one in body["data"].get("erased_voices", ())}
    for missing in sorted(told.keys() - there - erased):
        seq, what = told[missing]
        yield recorded.fault("attachment", seq, f"{what} {missing} 缺失")
    for unlisted in sorted(there - told.keys()):
        yield recorded.fault("attachment", 1, f"附件 {unlisted} 不在记录中")


def _listed(recorded: Recorded) -> Iterator[tuple[int, str, str]]:
    """The number of each entry, what kind, and the id, of all that entries list."""
    for body in recorded.bodies:
        for one in body["data"].get("photos") or ():
            yield body["seq"], "照片", one
        for one in body["data"].get("voices") or ():
            yield body["seq"], "语音", one["id"]


def _people(recorded: Recorded, rows: list[Found], gone: list[Found]) -> Iterator[Fault]:
    told = recorded.bodies[0].get("beside", {}) if recorded.bodies else {}
    if not rows and told.get("person_as_given"):
        yield recorded.fault("person_as_given", 1, "登记时填写的反映人缺失")
    if rows and recorded.matter.entered_by_unit_id is None:
        yield recorded.fault("person_as_given", 1, "登记时没有填写反映人")
    for row in rows:
        if not seal_holds(PersonAsGiven, row):
            yield recorded.fault("person_as_given", 1, "反映人与登记时不符")
    for row in gone:
        yield recorded.fault(row.table_name, row.seq, f"{row.key} 缺失")


papers = check_rows(_PAPERS, _papers)
attachments = check_rows(_ATTACHMENTS, _attachments)

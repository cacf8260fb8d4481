"""What the tests of more time, waiting and supervision share: cases under way, their clocks, and what people were told."""

from datetime import datetime
from typing import Any

from sqlalchemy import text

from app.calendars.reading import calendar_of
from app.calendars.working_time import WorkingCalendar
from app.cases import timeline
from app.db import reading, transaction
from app.kinds.verification import verify
from app.texts.outbox import open_params
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.people import Person

_CASE = text("SELECT county_id, citizen_id FROM grievance WHERE ref = :ref")
_TEXTS = text("""
SELECT m.id, m.params_sealed FROM outbox_message m JOIN grievance c ON c.id = m.matter_id
WHERE c.ref = :ref AND m.kind = :kind ORDER BY m.id
""")


async def led_by_the_village(who: Who, **different: Any) -> str:
    """A case that the village of the story handles itself."""
    cadre = await who("gongnong")
    ref = await cadre.registers(**different)
    await cadre.does(f"/cases/{ref}/handle")
    return ref


async def led_by_the_township(who: Who, *, signed: bool = True, **different: Any) -> str:
    """A case that the command center gave to 荣隆镇, with 县水务局 assisting."""
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    ref = await cadre.registers(**different)
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    await center.does(f"/cases/{ref}/dispatch", **(BODIES["dispatch"] or {}))
    if signed:
        await (await who("ronglong")).does(f"/cases/{ref}/sign")
    return ref


async def papers_of(person: Person, ref: str, *kinds: str) -> list[dict[str, Any]]:
    """The numbered papers of the case, of these kinds if any are named; the receipt, which every case has, left out."""
    found = (await person.sees(f"/cases/{ref}"))["papers"]
    return [
        one for one in found if one["kind"] in kinds or (not kinds and one["kind"] != "receipt")
    ]


async def refused(person: Person, ref: str, action: str, **different: Any) -> str:
    """What the person is told who may not; nothing has changed."""
    before = (await person.get(f"/cases/{ref}")).json()
    answer = await person.post(f"/cases/{ref}/{action}", {**(BODIES[action] or {}), **different})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/action-not-allowed")
    assert (await person.get(f"/cases/{ref}")).json()["version"] == before["version"]
    return str(answer.json()["detail"])


async def clock_of(person: Person, ref: str, stage: str) -> dict[str, Any]:
    """The newest clock of that stage, with its moments read."""
    found = [one for one in (await person.sees(f"/cases/{ref}"))["clocks"] if one["stage"] == stage]
    return {
        name: datetime.fromisoformat(value) if value and name.endswith("_at") else value
        for name, value in found[-1].items()
    }


async def calendar(ref: str) -> WorkingCalendar:
    async with reading() as tx:
        case = (await tx.all(_CASE, ref=ref))[0]
        return await calendar_of(tx, case.county_id)


async def texts(ref: str, kind: str) -> list[dict[str, str]]:
    """What the reporter is owed by text, of one kind."""
    async with reading() as tx:
        return [
            open_params(row.id, row.params_sealed)
            for row in await tx.all(_TEXTS, ref=ref, kind=kind)
        ]


async def as_the_reporter_reads(ref: str) -> list[dict[str, Any]]:
    async with reading() as tx:
        case = (await tx.all(_CASE, ref=ref))[0]
        told = await timeline.for_reporter(tx, ref, citizen_id=case.citizen_id)
    entries: list[dict[str, Any]] = told["timeline"]
    return entries


async def verifies(ref: str) -> bool:
    async with transaction() as tx:
        return ref not in {fault.ref async for _, found in verify(tx) for fault in found}

"""Cases as the product itself would have them, each with its record, copied in at once. Knows no fault."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import SYSTEM
from app.calendars.reading import calendar_of
from app.calendars.working_time import Limit
from app.cases import access, history
from app.cases.dossier import Dossier
from app.cases.lifecycle import FIRST_PHASE, Action
from app.cases.models import Case, Channel, matter_of
from app.cases.routing import Place
from app.db import Database, transaction
from app.directory.terms import UnitKind
from app.identifiers import uuid7
from app.limits.rules import NOTHING_SET
from app.limits.terms import Kind, Stage
from app.matters import deadlines
from app.matters.clocks import Clock
from app.matters.deadlines import Timing
from app.settings import settings
from loadtests.county import Copying, copy_json

_TOLD = text("UPDATE notice_owed SET settled_at = due_at WHERE settled_at IS NULL")
_UNITS = text("""
SELECT id, name, kind, county_id FROM unit WHERE kind = 'village' ORDER BY id
""")
# Ends in no year whose calendar is known, so that the whole case's limit stays out of the way.
_FOR_EVER = Limit.parse("3660d")
_BATCH = 2000


async def fill(
    cases: int, *, received: datetime, limit: Limit | None = None, red: bool = True
) -> None:
    """So many cases received then, each waiting for a village to judge it, within `limit` or the rule's."""
    on = Database(
        settings().database_url,
        pool_size=1,
        statement_timeout="0",
        idle_in_transaction_session_timeout="0",
    )
    async with transaction(on) as tx:
        units = await tx.all(_UNITS)
        timing = Timing(await calendar_of(tx, units[0].county_id), NOTHING_SET)
        pattern = _dossier(units[0], timing, received)
        _start(pattern, limit, received, red=red)
        driver = await tx.driver()
        await copy_json(driver)
        copying = Copying(driver, {})
        for number in range(cases):
            unit = units[number % len(units)]
            _register(copying, _dossier(unit, timing, received), pattern, received)
            if number % _BATCH == _BATCH - 1:
                await copying.copy()
        await copying.copy()
        # Staff were told of these cases then.
        await tx.execute(_TOLD)
    await on.close()


def _start(dossier: Dossier, limit: Limit | None, received: datetime, *, red: bool) -> None:
    case, holder = dossier.case, dossier.holder
    whole = dossier.begin(Stage.WHOLE, holder.unit_id, holder.kind, received, limit=_FOR_EVER)
    assert whole.due_at is not None, "nothing pauses it"
    case.due_at = whole.due_at
    stage = dossier.start(Stage.JUDGE, received, limit=limit)
    if not red:
        stage.red_after = None
        deadlines.retime(stage, dossier.timing.calendar)


def _register(tx: Copying, dossier: Dossier, pattern: Dossier, received: datetime) -> None:
    """What the pattern computed holds for all: they differ in who and which, not in when."""
    case = dossier.case
    for name in ("due_at", "stage", "stage_started_at", "stage_due_at", "stage_rule"):
        setattr(case, name, getattr(pattern.case, name))
    for one in pattern.clocks:
        own = {
            "id": uuid7(received),
            "matter_id": case.id,
            "unit_id": case.holder_unit_id,
            "county_id": case.county_id,
        }
        same = {name: getattr(one, name) for name in Clock.model_fields}
        dossier.clocks.append(Clock(**same | own))
    access.admit(tx, case, case.holder_unit_id, received)
    words = {"title": case.title, "body": "村口路灯不亮三天了。"}
    history.record(tx, dossier, Action.REGISTER, by=SYSTEM, now=received, public=True, texts=words)


def _dossier(unit: Any, timing: Timing, received: datetime) -> Dossier:
    holder = Place(unit.id, unit.name, UnitKind(unit.kind))
    case = _case(uuid7(received), unit, received)
    return Dossier(matter_of(case), case, holder, None, [], [], timing, {}, frozenset())


def _case(identifier: UUID, unit: Any, received: datetime) -> Case:
    return Case(
        id=identifier,
        ref=identifier.hex,
        tracking_key=identifier.bytes,
        county_id=unit.county_id,
        first_unit_id=unit.id,
        textable=False,
        channel=Channel.CADRE,
        kind=Kind.HELP,
        title="路灯不亮",
        received_at=received,
        phase=FIRST_PHASE,
        holder_unit_id=unit.id,
        due_at=received,
        statutory_due_at=received + timedelta(days=60),
    )

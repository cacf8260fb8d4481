"""Units merge, are renamed, or end: what they had open goes to whoever carries on, and no clock begins anew."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.cards import sweep
from app.cases import access
from app.cases.actions import closing, dispatching, filing, handling, judging, reorganising
from app.cases.actions.dispatching import Part
from app.cases.actions.filing import Intake
from app.cases.models import Channel, Outcome
from app.clock import SHANGHAI, process_now
from app.db import Transaction, transaction
from app.directory.terms import Role, UnitKind
from app.directory.units import end_unit
from app.errors import NotFound
from app.kinds import verification
from app.limits.terms import Kind
from tests.api.about_time import as_the_reporter_reads, clock_of, verifies
from tests.api.actions import BODIES
from tests.api.conftest import As, Who
from tests.cards import cards_of, overdue
from tests.conftest import Staff
from tests.units import Held, founded, handed_over, hire, staffed, yesterday

COUNTY, TOWNSHIP, WATER = "500153", "500153003", "500153D11"
LAST_DAY = (process_now().astimezone(SHANGHAI) - timedelta(days=1)).date()
_STOPPED = text("""
SELECT count(*) FROM clock w JOIN unit u ON u.id = w.unit_id WHERE u.code = :code AND w.ended_at IS NULL
  AND w.stage NOT IN ('whole', 'inform', 'statutory')
""")
_PARTIES = text("""
SELECT count(*) FROM matter_party p JOIN grievance c ON c.id = p.matter_id WHERE c.ref = :ref
""")
_HELD_BY = text("""
UPDATE grievance SET holder_unit_id = (SELECT id FROM unit WHERE code = :code) WHERE ref = :ref
""")
_EARNED = text("""
SELECT w.id FROM clock w JOIN grievance c ON c.id = w.matter_id WHERE c.ref = :ref AND w.next_at <= now() - interval '1 minute'
""")
_COMES_UP_FIRST = text("""
UPDATE clock SET next_at = now() - interval '1 hour'
WHERE stage = 'judge' AND matter_id = (SELECT id FROM grievance WHERE ref = :ref)
""")
_LATER = text("""
UPDATE clock SET next_at = remind_at
WHERE stage = 'judge' AND matter_id = (SELECT id FROM grievance WHERE ref = :ref)
""")


async def villages() -> tuple[str, str]:
    return (
        await staffed(UnitKind.VILLAGE, Role.VILLAGE_CADRE, TOWNSHIP),
        await staffed(UnitKind.VILLAGE, Role.VILLAGE_CADRE, TOWNSHIP),
    )


async def ends(who: Who, code: str, successor: str | None) -> Any:
    admin = await who("admin")
    body = {"last_day": str(LAST_DAY)} | ({} if successor is None else {"successor": successor})
    return await admin.does(f"/units/{code}/end", **body)


async def dispatched(who: Who, lead: str, *assistants: str) -> str:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    named = [{"unit_code": one, "task": "检修管网"} for one in assistants]
    await center.does(f"/cases/{ref}/dispatch", lead={"unit_code": lead}, assistants=named)
    return ref


async def caught_up(ref: str) -> None:
    """All that the case's limits have earned by now has been issued."""
    async with transaction() as tx:
        while due := [row.id for row in await tx.all(_EARNED, ref=ref)]:
            for one in due:
                await sweep.issue(tx, await sweep.claim_one(tx, one))
            await tx.flush()


def times(clock: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in clock.items() if name != "unit"}


async def test_merged_village_hands_over_what_it_has_open_and_no_clock_begins_anew(
    who: Who, acting: As
) -> None:
    old, new = await villages()
    cadre, heir, clerk = await acting(old), await acting(new), await who("guangshun")
    pending, handling, gone_up, done = [await cadre.registers() for _ in range(4)]
    await cadre.does(f"/cases/{handling}/handle")
    await cadre.does(f"/cases/{handling}/extend", **(BODIES["extend"] or {}))
    await cadre.does(f"/cases/{gone_up}/escalate", finding="本村没有维修能力")
    await cadre.does(f"/cases/{done}/handle")
    await cadre.does(f"/cases/{done}/answer", outcome="solved", answer="已恢复供水")
    before = {ref: await cadre.sees(f"/cases/{ref}") for ref in (pending, handling)}
    judging = times(await clock_of(cadre, pending, "judge"))
    assert (await ends(who, old, new))["handed_over_at"] is None
    await handed_over()

    assert times(await clock_of(heir, pending, "judge")) == judging
    for ref in (pending, handling):
        after = await heir.sees(f"/cases/{ref}")
        assert after["holder"] == new
        assert (after["due_at"], after["stage_due_at"]) == (before[ref]["due_at"], before[ref]["stage_due_at"])  # fmt: skip
        entry = after["timeline"][-1]
        assert (entry["action"], entry["to"], entry["staff"]) == ("reassign", new, None)
        assert (await as_the_reporter_reads(ref))[-1]["label"] == f"原单位撤并，由{new}承接"
        assert await verifies(ref)
    # What is being decided about is decided, and what was asked once cannot be asked again.
    await clerk.does(f"/cases/{handling}/decide-extension", granted=True, reason="同意")
    await heir.does(f"/cases/{handling}/answer", outcome="solved", answer="已恢复供水")
    assert pending in await heir.lists("to_judge")
    # It speaks for the reporters of what the old one had typed in, and sees what has ended.
    assert (await heir.sees(f"/cases/{gone_up}"))["actions"] == ["add", "withdraw"]
    assert (await heir.sees(f"/cases/{done}"))["phase"] == "answered"
    # Nobody acts for the old one any more: its people go on at the successor.
    assert (await cadre.sees("/sessions/me"))["post"]["unit"]["code"] == new
    told = await (await who("admin")).sees(f"/units/{old}/end")
    assert (told["successor"], told["handed_over_at"] is not None) == (new, True)


async def test_merged_township_leads_and_decides_through_the_one_that_carries_on(
    who: Who, acting: As
) -> None:
    old, new = [await staffed(UnitKind.TOWNSHIP, Role.TOWNSHIP_CLERK, COUNTY) for _ in range(2)]
    village = await staffed(UnitKind.VILLAGE, Role.VILLAGE_CADRE, old)
    clerk, heir, cadre = await acting(old), await acting(new), await acting(village)
    led, both = await dispatched(who, old, WATER), await dispatched(who, old, new)
    await clerk.does(f"/cases/{led}/sign")
    await heir.does(f"/cases/{both}/sign")
    asked, waiting = await cadre.registers(), await cadre.registers()
    await cadre.does(f"/cases/{asked}/handle")
    await cadre.does(f"/cases/{asked}/extend", **(BODIES["extend"] or {}))
    await cadre.does(f"/cases/{waiting}/escalate", finding="本村没有维修能力")
    await clerk.does(f"/cases/{waiting}/request-supplement", missing="房屋编号")
    handle, decision = await clock_of(clerk, led, "handle"), await clock_of(clerk, asked, "extension_decision")  # fmt: skip
    await ends(who, old, new)
    await handed_over()

    assert await clock_of(heir, led, "handle") == handle | {"unit": new}
    assert await clock_of(heir, asked, "extension_decision") == decision | {"unit": new}
    assert asked in await heir.lists("to_decide")
    await heir.does(f"/cases/{asked}/decide-extension", granted=True, reason="同意")
    # Of two parts of one unit the lead's is kept.
    parts = {(one["unit"], one["role"], one["state"]) for one in (await heir.sees(f"/cases/{both}"))["parts"]}  # fmt: skip
    assert parts == {(new, "lead", "offered"), (new, "assist", "released")}
    await heir.does(f"/cases/{both}/sign")
    await heir.does(f"/cases/{both}/answer", outcome="solved", answer="已恢复供水")
    # Everything missing was asked for, once.
    await cadre.does(f"/cases/{waiting}/supply", supplement="13栋")
    assert "request_supplement" not in (await heir.sees(f"/cases/{waiting}"))["actions"]
    for ref in (led, both, asked, waiting):
        assert await verifies(ref)


async def test_department_that_leads_and_assists_is_carried_on_in_both(
    who: Who, acting: As
) -> None:
    old, new = [await staffed(UnitKind.DEPARTMENT, Role.UNIT_HANDLER, COUNTY) for _ in range(2)]
    handler, heir, center = await acting(old), await acting(new), await who("zhihui")
    led, assisted = await dispatched(who, old), await dispatched(who, "500153100", old)
    objected = await dispatched(who, old)
    await handler.does(f"/cases/{assisted}/sign")
    await handler.does(f"/cases/{objected}/hand-back", reason="不属本局职责")
    await center.does(f"/cases/{led}/supervise", demand="三日内恢复供水", days=3)
    answer, sign = await clock_of(handler, assisted, "assist"), await clock_of(handler, led, "sign")
    await ends(who, old, new)
    await handed_over()

    assert await clock_of(heir, assisted, "assist") == answer | {"unit": new}
    assert await clock_of(heir, led, "sign") == sign | {"unit": new}
    assert led in await heir.lists("to_sign")
    assert (await heir.sees(f"/cases/{assisted}"))["holder"] == "荣隆镇"
    # The reporter is not told of who assists.
    assert (await as_the_reporter_reads(assisted))[-1]["action"] == "sign"
    await heir.does(f"/cases/{assisted}/assist-answer", answer="管网已修复")
    assert led in await heir.lists("to_reply")
    await heir.does(f"/cases/{led}/reply-supervision", reply="昨晚恢复供水")
    await center.does(f"/cases/{objected}/settle", unit_code=new, agreed=True, reason="核查权属")
    for ref in (led, assisted, objected):
        assert await verifies(ref)


async def test_without_a_successor_the_tier_above_goes_on_and_may_pass_it_on(
    who: Who, acting: As
) -> None:
    department = await staffed(UnitKind.DEPARTMENT, Role.UNIT_HANDLER, COUNTY)
    village = await staffed(UnitKind.VILLAGE, Role.VILLAGE_CADRE, TOWNSHIP)
    handler, cadre = await acting(department), await acting(village)
    clerk, center = await who("guangshun"), await who("zhihui")
    led, judged = await dispatched(who, department), await cadre.registers()
    await handler.does(f"/cases/{led}/sign")
    await handler.does(f"/cases/{led}/extend", **(BODIES["extend"] or {}))
    await cadre.does(f"/cases/{judged}/wait", **(BODIES["wait"] or {}))
    handle, decision = await clock_of(handler, led, "handle"), await clock_of(cadre, judged, "wait_decision")  # fmt: skip
    for code in (department, village):
        await ends(who, code, None)
    await handed_over()

    assert times(await clock_of(center, led, "handle")) == times(handle)
    detail = await center.sees(f"/cases/{led}")
    # Nobody decides about itself.
    assert (detail["holder"], detail["extension_asked_at"]) == ("荣昌区群工系统指挥中心", None)
    await center.does(f"/cases/{led}/dispatch", lead={"unit_code": WATER}, assistants=[])
    assert judged in await clerk.lists("to_judge")
    assert times(await clock_of(center, judged, "wait_decision")) == times(decision)
    assert judged in await center.lists("to_decide")
    await center.does(f"/cases/{judged}/decide-wait", granted=False, reason="不属长期项目")
    for ref in (led, judged):
        assert await verifies(ref)


async def test_unit_that_ended_twice_over_is_carried_on_by_the_last(who: Who, acting: As) -> None:
    (first, second), (last, _) = await villages(), await villages()
    ref = await (await acting(first)).registers()
    await ends(who, first, second)
    await ends(who, second, last)
    again = await (await who("admin")).post(f"/units/{first}/end", {"last_day": str(LAST_DAY)})
    assert (again.status_code, "已于" in again.json()["detail"]) == (422, True)
    await handed_over()
    await handed_over()
    detail = await (await acting(last)).sees(f"/cases/{ref}")
    assert detail["holder"] == last
    assert [entry["action"] for entry in detail["timeline"]] == ["register", "reassign"]
    async with transaction() as tx:
        assert await tx.scalar(_STOPPED, code=first) == 0


async def test_cards_keep_old_units_name_and_count_for_one_that_carries_on(
    who: Who, acting: As
) -> None:
    old, new = await villages()
    cadre, heir, inspector = await acting(old), await acting(new), await who("ducha")
    ref, _, issued = await overdue(cadre, process_now() - timedelta(days=20))
    await caught_up(ref)
    cards = await cards_of(ref)
    await ends(who, old, new)
    await handed_over()
    told = (await heir.sees("/cards", whose="unit"))["items"]
    assert {(one["id"], one["unit"], one["unit_code"]) for one in told} == {(card, old, old) for card in cards}  # fmt: skip
    period = {
        "from": str(issued.date() - timedelta(days=30)),
        "to": str(process_now().date()),
    }
    counted = {one["unit_code"]: one["gross"] for one in (await inspector.sees("/cards/summary", **period))["units"]}  # fmt: skip
    assert (counted[new], old in counted) == (len(cards), False)
    assert [one["id"] for one in (await inspector.sees("/cards", whose="county", unit=new))["items"]] == cards[::-1]  # fmt: skip
    # What is earned from now on is the successor's; nobody gets twice what was earned before.
    assert await cards_of(ref) == cards
    assert (await heir.sees(f"/cases/{ref}"))["holder"] == new
    assert await verifies(ref)


async def test_what_a_unit_has_earned_already_comes_before_the_handing_over(
    who: Who, acting: As
) -> None:
    old, new = await villages()
    ref = await (await acting(old)).registers()
    async with transaction() as tx:
        await tx.execute(_COMES_UP_FIRST, ref=ref)
    await ends(who, old, new)
    await handed_over()
    assert (await (await who("ducha")).sees(f"/cases/{ref}"))["holder"] == old
    async with transaction() as tx:
        await tx.execute(_LATER, ref=ref)
    await handed_over()
    assert (await (await who("ducha")).sees(f"/cases/{ref}"))["holder"] == new


async def all_handed_over(tx: Transaction) -> None:
    while await reorganising.hand_over(tx, now=await tx.now()):
        await tx.flush()


async def test_sealed_case_goes_to_the_new_commission_and_to_nobody_else(
    tx: Transaction, staff: Staff
) -> None:
    cadre, old = await staff("gongnong"), await staff("jiwei")
    now = await tx.now()
    told = Intake("检举", "村里的账目不公开。", Kind.ACCUSATION, Channel.CADRE)
    pending, answered = [
        (await filing.register(tx, told, by=cadre, now=now)).case for _ in range(2)
    ]
    await tx.flush()
    await judging.handle(tx, answered.ref, by=old, now=now)
    await tx.flush()
    await handling.answer(tx, answered.ref, by=old, outcome=Outcome.SOLVED, answer="已公开", basis="", now=now)  # fmt: skip
    await tx.flush()
    code = await founded(tx, UnitKind.DISCIPLINE, COUNTY)
    await hire(tx, code, Held(code, Role.SUPERVISOR))
    await end_unit(tx, old.unit_code, successor=code, last_day=await yesterday(tx))
    await tx.flush()
    await all_handed_over(tx)
    place = await reorganising.carried_on(tx, old.unit_id)
    inspector = replace(old, unit_id=place.unit_id, unit_name=place.name, unit_code=code)
    for case in (pending, answered):
        assert (await access.get_case(tx, case.ref, by=inspector)).holder.unit_id == place.unit_id
        for other in (
            old,
            cadre,
            await staff("zhihui"),
            await staff("lingdao"),
            await staff("ducha"),
        ):
            with pytest.raises(NotFound):
                await access.get_case(tx, case.ref, by=other)
        assert await tx.scalar(_PARTIES, ref=case.ref) == 0
    again = await closing.rework(
        tx, answered.ref, by=inspector, reason="仍未公开", found_valid=True, now=now
    )
    assert again.holder.unit_id == place.unit_id
    await tx.flush()
    assert await holds(tx, pending.ref, answered.ref)


async def test_sealed_case_never_goes_to_whoever_is_accused(tx: Transaction, staff: Staff) -> None:
    """Where there was nobody else to take an accusation in, the village has it; with its end it would be the accused's."""
    cadre, now = await staff("ronglong"), await tx.now()
    old = await founded(tx, UnitKind.VILLAGE, TOWNSHIP)
    told = Intake(
        "检举", "街道的账目不公开。", Kind.ACCUSATION, Channel.CADRE, accused_code=TOWNSHIP
    )
    case = (await filing.register(tx, told, by=cadre, now=now)).case
    await tx.flush()
    await tx.execute(_HELD_BY, ref=case.ref, code=old)
    await end_unit(tx, old, successor=None, last_day=await yesterday(tx))
    await tx.flush()
    await all_handed_over(tx)
    found = await access.get_case(tx, case.ref, by=await staff("jiwei"))
    assert found.holder.kind is UnitKind.DISCIPLINE


async def test_new_round_is_for_whoever_carries_on_for_the_unit_that_led(
    tx: Transaction, staff: Staff
) -> None:
    cadre, clerk, center = await staff("gongnong"), await staff("guangshun"), await staff("zhihui")
    old, new = [await founded(tx, UnitKind.DEPARTMENT, COUNTY) for _ in range(2)]
    now = await tx.now()
    told = Intake("路灯不亮", "村口的路灯坏了。", Kind.HELP, Channel.CADRE)
    case = (await filing.register(tx, told, by=cadre, now=now)).case
    for by in (cadre, clerk):
        await tx.flush()
        await judging.escalate(tx, case.ref, by=by, finding="修不了", now=now)
    await tx.flush()
    given = await dispatching.dispatch(tx, case.ref, by=center, lead=Part(old), assistants=[], note="", now=now)  # fmt: skip
    led = replace(await staff("shuiwu"), unit_id=given.holder.unit_id, unit_code=old)
    await tx.flush()
    await handling.sign(tx, case.ref, by=led, now=now)
    await tx.flush()
    await handling.answer(tx, case.ref, by=led, outcome=Outcome.SOLVED, answer="修好了", basis="", now=now)  # fmt: skip
    await end_unit(tx, old, successor=new, last_day=await yesterday(tx))
    await tx.flush()
    await all_handed_over(tx)
    again = await closing.rework(
        tx, case.ref, by=center, reason="仍不亮", found_valid=True, now=now
    )
    heir = await reorganising.carried_on(tx, led.unit_id)
    await tx.flush()
    sees = replace(led, unit_id=heir.unit_id, unit_code=new)
    assert heir.unit_id != led.unit_id
    assert again.holder == heir
    assert (await access.get_case(tx, case.ref, by=sees)).own_part(sees) is not None
    assert await holds(tx, case.ref)


async def holds(tx: Transaction, *refs: str) -> bool:
    """Whether their records do."""
    faults = [fault async for _, found in verification.verify(tx) for fault in found]
    return not {fault.ref for fault in faults} & set(refs)

"""A sealed case never stands in a unit where nobody can see it, whatever is done to it."""

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.cases import access, history
from app.cases.actions import filing, judging
from app.cases.actions.filing import Intake
from app.cases.lifecycle import Action
from app.cases.models import Case, Channel
from app.cases.routing import Place
from app.db import Transaction, transaction
from app.directory.terms import Role, UnitKind
from app.directory.units import end_unit
from app.doctor.examining import examine
from app.errors import NobodyMaySee, NotFound
from app.identifiers import uuid7
from app.limits.terms import Kind, Stage
from app.matters.parts import Assignment, AssignmentRole
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.api.examples import example
from tests.api.test_reorganising import all_handed_over
from tests.conftest import Staff
from tests.units import Held, founded, hire, somebody, yesterday

COUNTY, TOWNSHIP, VILLAGE, CENTER, COMMISSION = "500153", "500153003", "500153003007", "500153ZH", "500153JW"  # fmt: skip
_NO_SUPERVISOR = text("""
UPDATE post SET valid_to = CURRENT_DATE - 2 WHERE role = 'supervisor' AND unit_id = (SELECT id FROM unit WHERE code = :code)
""")
_NOBODY_LEFT = text("""
UPDATE staff SET active = false WHERE id IN (
  SELECT o.staff_id FROM post o JOIN unit u ON u.id = o.unit_id WHERE u.code = :code AND o.role = 'supervisor')
""")
_UNIT = text("SELECT id, name, kind FROM unit WHERE code = :code")
_TO = text(
    "UPDATE grievance SET holder_unit_id = (SELECT id FROM unit WHERE code = :code) WHERE id = :id"
)
_ALSO = text("""
INSERT INTO post (staff_id, unit_id, role, title, valid_from)
SELECT s.id, u.id, 'unit_handler', '', DATE '2020-01-01' FROM staff s, unit u WHERE s.account = :account AND u.code = :code
""")
_HOLDER = text(
    "SELECT u.code FROM grievance g JOIN unit u ON u.id = g.holder_unit_id WHERE g.id = :id"
)


_BEFORE = ((), ("handle",), ("decline",), ("request-supplement",), ("handle", "answer"))


async def accused(tx: Transaction, code: str | None = None) -> Case:
    """A citizen's own accusation, in the transaction of the test."""
    by = await somebody(tx)
    intake = Intake("检举", "收了钱", Kind.ACCUSATION, Channel.POSTER, asked_code=VILLAGE, accused_code=code)  # fmt: skip
    case = (await filing.register(tx, intake, by=by, now=await tx.now())).case
    await tx.check()
    return case


async def place(tx: Transaction, code: str) -> Place:
    row = (await tx.all(_UNIT, code=code))[0]
    return Place(row.id, row.name, UnitKind(row.kind))


async def holder(tx: Transaction, case: Case) -> str:
    code: str = await tx.scalar(_HOLDER, id=case.id)
    return code


def bodies(api: FastAPI) -> Mapping[str, Any]:
    """A body for each action on a case that the staff's interface has, by the end of its path."""
    document = api.openapi()
    found = dict(BODIES)
    for path, verbs in document["paths"].items():
        action = path.removeprefix("/cases/{ref}/")
        if "post" not in verbs or "/" in action or "{" in action or action in found:
            continue
        content = verbs["post"].get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        found[action] = None if schema is None else example(schema, document)
    return found


@pytest.mark.parametrize(
    ("inspector", "code"), [("jiwei", None), ("jiwei", VILLAGE), ("ducha", COMMISSION)]
)
async def test_no_action_leaves_a_sealed_case_with_nobody_who_sees_it(
    who: Who, api: FastAPI, inspector: str, code: str | None
) -> None:
    by, clerk = await who(inspector), await who("ronglong")
    refs = []

    async def case(before: tuple[str, ...]) -> str:
        told = {"kind": "accusation", "title": "检举", "accused_code": code, "person": None}
        ref = await clerk.registers(**told)
        for one in before:
            await by.does(f"/cases/{ref}/{one}", **(BODIES[one] or {}))
        refs.append(ref)
        return ref

    for before in _BEFORE:
        ref = await case(before)
        for action, body in bodies(api).items():
            done = await by.post(f"/cases/{ref}/{action}", body)
            assert done.status_code < 500, (before, action)
            assert (await by.get(f"/cases/{ref}")).status_code == 200, (before, action)
            if done.is_success:
                ref = await case(before)
    async with transaction() as tx:
        found = await examine(tx, quick=True, most=10_000)
    [unseen] = [one for one in found if one.invariant.name == "sealed_is_seen"]
    assert not [one for one in unseen.offenders if one["ref"] in refs]


async def test_sealed_case_is_not_sent_down_to_a_township_that_cannot_see_it(who: Who) -> None:
    by = await who("ducha")
    ref = await (await who("ronglong")).registers(kind="accusation", title="检举", accused_code=COMMISSION)  # fmt: skip
    assert "send_down" in (await by.sees(f"/cases/{ref}"))["actions"]
    refused = await by.post(f"/cases/{ref}/send-down", {"to_code": TOWNSHIP, "reason": "属地"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nobody-may-see-it")
    assert (await by.sees(f"/cases/{ref}"))["holder"] == "荣昌区群工系统指挥中心"


async def test_sealed_case_is_given_to_no_unit_without_a_supervisor(
    tx: Transaction, staff: Staff
) -> None:
    by, case = await staff("jiwei"), await accused(tx)
    dossier = await access.lock_case(tx, case.ref, by=by)
    dossier.give_to(await place(tx, TOWNSHIP), Stage.JUDGE, await tx.now())
    history.record(tx, dossier, Action.ESCALATE, by=by, now=await tx.now(), public=False)
    with pytest.raises(NobodyMaySee):
        await tx.check()


async def test_no_unit_beside_the_holder_gets_a_part_of_a_sealed_case(
    tx: Transaction, staff: Staff
) -> None:
    by, case, now = await staff("jiwei"), await accused(tx), await tx.now()
    dossier = await judging.handle(tx, case.ref, by=by, now=now)
    await tx.check()
    lead, center = dossier.lead, await place(tx, CENTER)
    assert lead is not None
    part = {"id": uuid7(now), "role": AssignmentRole.ASSIST, "unit_id": center.unit_id}
    dossier.assignments.append(Assignment(**{**lead.__dict__, **part}))
    history.record(tx, dossier, Action.DISPATCH, by=by, now=now, public=False)
    with pytest.raises(NobodyMaySee):
        await tx.check()


@pytest.mark.parametrize(("code", "taken"), [(None, True), (VILLAGE, False), (TOWNSHIP, False)])
async def test_sealed_case_goes_to_no_unit_above_accused_even_with_supervisor(
    tx: Transaction, staff: Staff, code: str | None, taken: bool
) -> None:
    by, case, now = await staff("ducha"), await accused(tx, code), await tx.now()
    await hire(tx, f"d{case.ref[-8:]}", Held(TOWNSHIP, Role.SUPERVISOR))
    await tx.execute(_TO, id=case.id, code=CENTER)
    await judging.send_down(tx, case.ref, by=by, to_code=TOWNSHIP, reason="属地", now=now)
    if taken:
        await tx.check()
        assert await holder(tx, case) == TOWNSHIP
    else:
        with pytest.raises(NobodyMaySee):
            await tx.check()


async def test_accusation_goes_to_next_desk_where_nobody_in_commission_may_see_it(
    tx: Transaction,
) -> None:
    await tx.execute(_NO_SUPERVISOR, code=COMMISSION)
    assert await holder(tx, await accused(tx)) == CENTER
    await tx.execute(_NO_SUPERVISOR, code=CENTER)
    with pytest.raises(NobodyMaySee, match="直接向县纪检监察机关"):
        await accused(tx)


async def test_accusation_goes_to_the_next_desk_where_all_inspectors_have_left(
    tx: Transaction,
) -> None:
    await tx.execute(_NOBODY_LEFT, code=COMMISSION)
    assert await holder(tx, await accused(tx)) == CENTER


async def test_inspector_with_second_post_in_accused_unit_does_not_see_case(
    tx: Transaction, staff: Staff
) -> None:
    inspector, colleague = await staff("jiwei"), await staff("jiandu")
    case, other = await accused(tx, VILLAGE), await accused(tx, TOWNSHIP)
    for account in ("jiwei", "jiandu"):
        await tx.execute(_ALSO, account=account, code=VILLAGE)
        with pytest.raises(NotFound):
            await access.get_case(tx, case.ref, by=await staff(account))
    for by in (inspector, colleague):
        assert (await access.get_case(tx, other.ref, by=by)).case.id == other.id
    assert await holder(tx, await accused(tx, VILLAGE)) == CENTER, "nobody in the commission may"


async def test_sealed_case_goes_past_a_successor_where_nobody_may_see_it(
    tx: Transaction, staff: Staff
) -> None:
    case = await accused(tx)
    # Else its supervisors would move to the successor.
    await tx.execute(_NO_SUPERVISOR, code=COMMISSION)
    code = await founded(tx, UnitKind.DISCIPLINE, COUNTY)
    await end_unit(tx, COMMISSION, successor=code, last_day=await yesterday(tx))
    await tx.flush()
    await all_handed_over(tx)
    await tx.check()
    assert await holder(tx, case) == CENTER
    assert (await access.get_case(tx, case.ref, by=await staff("ducha"))).case.id == case.id


async def test_sealed_case_waits_where_nobody_could_see_it_after_a_hand_over(
    tx: Transaction,
) -> None:
    case = await accused(tx)
    await tx.execute(_NO_SUPERVISOR, code=CENTER)
    # Else its supervisors would move to the successor.
    await tx.execute(_NO_SUPERVISOR, code=COMMISSION)
    code = await founded(tx, UnitKind.DISCIPLINE, COUNTY)
    await end_unit(tx, COMMISSION, successor=code, last_day=await yesterday(tx))
    await tx.flush()
    await all_handed_over(tx)
    await tx.check()
    assert await holder(tx, case) == COMMISSION
    await hire(tx, f"d{case.ref[-8:]}", Held(code, Role.SUPERVISOR))
    await all_handed_over(tx)
    await tx.check()
    assert await holder(tx, case) == code

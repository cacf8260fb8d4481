"""The county's own story at the level of use cases: the drinking water of 工农茶叶产业社区."""

from app.auth.actor import StaffActor
from app.cases import queries, timeline
from app.cases.access import actions, get_case
from app.cases.actions import dispatching, filing, handling, judging
from app.cases.actions.dispatching import Part
from app.cases.actions.filing import Intake, Registered
from app.cases.lifecycle import Action, Phase
from app.cases.models import Channel, Outcome
from app.cases.number_given import PersonHelped
from app.cases.queries import View
from app.db import transaction
from app.kinds import verification
from app.limits.terms import Kind
from tests.conftest import Staff

INTAKE = Intake(
    title="13至17栋没有饮用水",
    body="我们小区13栋到17栋已经三天没有自来水，老人小孩都要到外面提水。",
    kind=Kind.HELP,
    channel=Channel.CADRE,
    person=PersonHelped("王大爷", "+8613983001234"),
)


async def test_water_of_five_blocks_is_solved_by_another_township_with_department_assisting(
    staff: Staff,
) -> None:
    registered = await _escalated_to_the_county(staff)
    ref = registered.case.ref
    lead = await _solved_by_another_township(staff, ref)
    async with transaction() as tx:
        story = await timeline.by_tracking_code(tx, ref, registered.tracking_code)
        clerk, center = await staff("guangshun"), await staff("zhihui")
        dossier = await get_case(tx, ref, by=clerk)
        told = await timeline.for_staff(tx, dossier, by=clerk, involved=True, trusted=True)
        seen = [
            await queries.inbox(tx, View.FINISHED, by=who, cursor=None) for who in (lead, center)
        ]
        unseen = await queries.inbox(tx, View.FINISHED, by=await staff("jianzhi"), cursor=None)
        faults = [fault async for _, found in verification.verify(tx) for fault in found]
    assert [step["action"] for step in story["timeline"]] == [
        Action.REGISTER,
        Action.ESCALATE,
        Action.ESCALATE,
        Action.DISPATCH,
        Action.SIGN,
        Action.SIGN,
        Action.PROGRESS,
        Action.ANSWER,
    ]
    assert actions(dossier, center, registered.case.received_at) == [Action.CLOSE]
    assert told["reporter"]["phone"] == "+8613983001234"
    assert all(ref in page for page in seen)
    assert ref not in unseen
    assert faults == []


async def _escalated_to_the_county(staff: Staff) -> Registered:
    cadre, clerk, center = await staff("gongnong"), await staff("guangshun"), await staff("zhihui")
    async with transaction() as tx:
        registered = await filing.register(tx, INTAKE, by=cadre, now=await tx.now())
    ref = registered.case.ref
    async with transaction() as tx:
        dossier = await judging.escalate(
            tx, ref, by=cadre, finding="社区没有供水管网的维修能力", now=await tx.now()
        )
    assert dossier.holder.name == "广顺街道"
    async with transaction() as tx:
        dossier = await judging.escalate(
            tx, ref, by=clerk, finding="水源在荣隆镇，街道无法协调", now=await tx.now()
        )
    assert dossier.holder.unit_id == center.unit_id
    return registered


async def _solved_by_another_township(staff: Staff, ref: str) -> StaffActor:
    lead, assistant = await staff("ronglong"), await staff("shuiwu")
    async with transaction() as tx:
        await dispatching.dispatch(
            tx,
            ref,
            by=await staff("zhihui"),
            lead=Part("500153100", "恢复供水"),
            assistants=[Part("500153D11", "检修管网")],
            note="一周内办结",
            now=await tx.now(),
        )
    for who in (lead, assistant):
        async with transaction() as tx:
            await handling.sign(tx, ref, by=who, now=await tx.now())
    async with transaction() as tx:
        await handling.progress(
            tx, ref, by=lead, report="已找到漏点", tell_reporter=True, now=await tx.now()
        )
    async with transaction() as tx:
        await handling.assist_answer(tx, ref, by=assistant, answer="管网已修复", now=await tx.now())
    async with transaction() as tx:
        dossier = await handling.answer(
            tx,
            ref,
            by=lead,
            outcome=Outcome.SOLVED,
            answer="已恢复供水",
            basis="",
            now=await tx.now(),
        )
    assert dossier.case.phase is Phase.ANSWERED
    return lead

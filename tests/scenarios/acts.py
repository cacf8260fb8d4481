"""How each act of the model is asked of the application. Knows no rule."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from app.auth.actor import StaffActor
from app.cards import supervising
from app.cases.actions import (
    dispatching,
    extending,
    filing,
    handling,
    judging,
    recategorising,
    waiting,
)
from app.cases.actions.dispatching import Part
from app.cases.actions.filing import Intake
from app.cases.actions.recategorising import Correction
from app.cases.models import Channel, Outcome, Waiting
from app.cases.number_given import PersonHelped
from app.db import Transaction, transaction
from app.limits.terms import Kind
from tests.scenarios.model import Model
from tests.scenarios.standing import CENTER, HELPER, LEAD, MORE_DAYS, REPLY_DAYS, VILLAGE, WAIT_DAYS

INTAKE = Intake(
    title="路灯不亮",
    body="村口的路灯坏了。",
    kind=Kind.HELP,
    channel=Channel.CADRE,
    person=PersonHelped("王大爷", None),
)
Act = Callable[..., Awaitable[Any]]
# Those whose words are always the same.
_PLAIN: Mapping[str, Act] = {
    "escalate": partial(judging.escalate, finding="修不了"),
    "handle": judging.handle,
    "request_supplement": partial(judging.request_supplement, missing="哪一盏"),
    "supply": partial(filing.supply, supplement="第三盏"),
    "add": partial(filing.add, addition="第四盏也不亮"),
    "decline": partial(judging.decline, reason="不属实", basis="条例"),
    "object_refusal": partial(filing.object_refusal, reason="属实"),
    "sign": handling.sign,
    "hand_back": partial(handling.hand_back, reason="不归我管"),
    "progress": partial(handling.progress, report="在办", tell_reporter=False),
    "assist_answer": partial(handling.assist_answer, answer="查过了"),
    "answer": partial(handling.answer, outcome=Outcome.SOLVED, answer="修好了", basis=""),
    "withdraw": partial(filing.withdraw, reason="不反映了"),
    "extend": partial(extending.extend, days=MORE_DAYS, reason="等材料"),
    "grant_extension": partial(extending.decide_extension, granted=True, days=None, reason="同意"),
    "refuse_extension": partial(
        extending.decide_extension, granted=False, days=None, reason="不同意"
    ),
    "grant_wait": partial(waiting.decide_wait, granted=True, reason="同意"),
    "refuse_wait": partial(waiting.decide_wait, granted=False, reason="不同意"),
    "resume": partial(waiting.resume, reason=""),
    "supervise": partial(supervising.supervise, demand="尽快修好", days=REPLY_DAYS),
    "reply_supervision": partial(supervising.reply_supervision, reply="正在修"),
    "list": partial(supervising.list_publicly, reason="久拖不决"),
    "unlist": partial(supervising.unlist, reason="已整改"),
}
_NAMING_UNITS = frozenset(
    {"send_down", "dispatch", "dispatch_to_itself", "change_lead", "add_assistant", "excuse", "agree", "refuse"}
)  # fmt: skip
ACTS = sorted([*_PLAIN, *_NAMING_UNITS, "wait", "call_urgent", "call_question"])


async def register(by: StaffActor, now: datetime) -> str:
    async with transaction() as tx:
        return (await filing.register(tx, INTAKE, by=by, now=now)).case.ref


async def do(
    act: str,
    tx: Transaction,
    ref: str,
    by: StaffActor,
    now: datetime,
    *,
    model: Model,
    codes: Mapping[str, str],
) -> None:
    """`codes` are the units' by who acts for them; of the model only what tells which unit is meant."""
    await _asked(act, now, model, codes)(tx, ref, by=by, now=now)


def _asked(act: str, now: datetime, model: Model, codes: Mapping[str, str]) -> Act:
    if act in _NAMING_UNITS:
        return _naming_units(act, model, codes)
    match act:
        case "wait":
            until = now.date() + timedelta(days=WAIT_DAYS)
            why = Waiting.OUTSIDE_AUTHORITY
            return partial(waiting.wait, why=why, reason="等批准", until=until)
        case "call_urgent":
            return _recategorise(Correction(urgent=not model.urgent))
        case "call_question":
            kind = Kind.HELP if model.kind == "question" else Kind.QUESTION
            return _recategorise(Correction(kind=kind))
        case _:
            return _PLAIN[act]


def _naming_units(act: str, model: Model, codes: Mapping[str, str]) -> Act:
    """What names units."""
    match act:
        case "dispatch" | "dispatch_to_itself":
            lead = Part(codes[LEAD if act == "dispatch" else CENTER])
            helper = Part(codes[HELPER], "查管网")
            return partial(dispatching.dispatch, lead=lead, assistants=[helper], note="")
        case "change_lead":
            lead = Part(codes[model.next_lead()])
            return partial(dispatching.change_lead, lead=lead, reason="权属有变", note="")
        case "add_assistant":
            helper = Part(codes[model.next_assistant()], "查管网")
            return partial(dispatching.add_assistants, assistants=[helper], note="")
        case "excuse":
            unit = codes[next(iter(model.assistants()), HELPER)]
            return partial(dispatching.excuse, unit_code=unit, reason="已修好")
        case "send_down":
            return partial(judging.send_down, to_code=codes[VILLAGE], reason="先核实")
        case _:
            unit = codes[min(model.undecided, default=LEAD)]
            return partial(dispatching.settle, unit_code=unit, agreed=act == "agree", reason="查过")


def _recategorise(correction: Correction) -> Act:
    return partial(recategorising.recategorise, correction=correction, reason="登记错了")

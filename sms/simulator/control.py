"""The simulator's controls: how it behaves, what it saw, and the phones. For tests, demonstrations and its page."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response
from msgspec.structs import asdict
from pydantic import BaseModel, ConfigDict, Field

from sms.providers import capabilities
from sms.simulator.behaviour import Behaviour
from sms.simulator.messages import Message
from sms.simulator.offered import Offered, offered
from sms.simulator.state import Simulator, simulator_of

router = APIRouter()
Here = Annotated[Simulator, Depends(simulator_of)]
Phone = Annotated[str, Path(pattern=r"^\+[1-9]\d{6,14}$")]

_PHONES_SHOWN = 60
_MESSAGES_SHOWN = 100


class Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=1600)]


class Attempts(BaseModel):
    """`requests` to send, and how many of them were accepted, whatever was answered."""

    requests: int
    accepted: int


class Asked(Attempts):
    """`inquiries`: how often its status was asked for since (阿里云: how often it was listed). `treatments`: of each request."""

    inquiries: int
    treatments: list[str]


class Counts(Attempts):
    """`doubled`: status callback addresses, each one message of ours, that were accepted more than once."""

    messages: int
    doubled: int
    treatments: dict[str, int]


@router.get("/control/health", summary="Whether it runs")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/control/provider", summary="Which provider it stands for, and what that one can do")
async def provider(here: Here) -> dict[str, Any]:
    return {"provider": here.account.sms_provider, **asdict(capabilities(here.account))}


@router.get("/control/behaviour", summary="How it behaves now")
async def behaviour(here: Here) -> Behaviour:
    return here.dice.behaviour


@router.get("/control/offered", summary="How one may have it behave from the page")
async def behaviours(here: Here) -> list[Offered]:
    return list(offered(aliyun=here.aliyun))


@router.post("/control/behaviour", summary="Behave so from now on; what is left out is honest")
async def behave(wanted: Behaviour, here: Here) -> Behaviour:
    here.behave(wanted)
    return wanted


@router.post("/control/reset", summary="Forget every message and behave honestly", status_code=204)
async def reset(here: Here) -> Response:
    here.reset()
    return Response(status_code=204)


@router.get("/control/counts", summary="What was sent here since the reset")
async def counts(here: Here) -> Counts:
    return Counts(
        requests=here.messages.requests.total(),
        accepted=here.messages.accepted.total(),
        messages=len(here.messages),
        doubled=sum(
            1 for callback, times in here.messages.accepted.items() if callback and times > 1
        ),
        treatments=dict(here.messages.treatments),
    )


@router.get(
    "/control/attempts",
    summary="How often one message was sent here, by its status callback address",
)
async def attempts(status_callback: str, here: Here) -> Asked:
    return Asked(
        requests=here.messages.requests[status_callback],
        accepted=here.messages.accepted[status_callback],
        inquiries=here.messages.inquiries[status_callback],
        treatments=here.messages.treated.get(status_callback, []),
    )


@router.get("/phones", summary="The phones with the newest messages, and what stands on them")
async def phones(here: Here) -> list[dict[str, Any]]:
    return [_inbox(here, phone) for phone in here.messages.phones(_PHONES_SHOWN)]


@router.get("/phones/{number}", summary="One phone's inbox, oldest first")
async def phone(number: Phone, here: Here) -> dict[str, Any]:
    return _inbox(here, number)


@router.post("/phones/{number}/reply", summary="Text back from a phone")
async def reply(number: Phone, given: Reply, here: Here) -> dict[str, Any]:
    return _shown(await here.reply(number, given.text))


def _inbox(here: Simulator, number: str) -> dict[str, Any]:
    shown = here.messages.of_phone(number)[-_MESSAGES_SHOWN:]
    return {
        "number": number,
        "opted_out": number in here.messages.opted_out,
        "messages": [_shown(message) for message in shown],
    }


def _shown(message: Message) -> dict[str, Any]:
    return {
        "sid": message.sid,
        "direction": "in" if message.direction == "inbound" else "out",
        "text": message.body,
        "at": message.created_at.isoformat(),
        "status": message.status,
        "error_code": message.error_code,
        "webhook_status": message.webhook,
        "template_code": message.template_code,
    }

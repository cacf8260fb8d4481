"""The simulated 阿里云 itself: it must lie, stall and fail as told, and otherwise speak as the real one does."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.texts.outbox import MessageKind
from sms.gateway import Accepted
from sms.providers.aliyun_protocol import signature
from sms.simulator.app import create_app
from sms.simulator.state import SimulatorSettings
from tests.sms.aliyun import PHONE, PUSHES, Aliyun, account, message
from tests.sms.conftest import World
from tests.sms.servers import served, wait_for, wait_until

REPORTS, REPLIES = f"{PUSHES}/reports", f"{PUSHES}/replies"


def reply(aliyun: Aliyun, text: str, phone: str = PHONE) -> dict[str, Any]:
    answered = aliyun.control.post(f"/phones/{phone}/reply", json={"text": text})
    return dict(answered.json())


def test_reply_is_pushed_as_a_batch_that_does_not_say_what_it_answers(aliyun: Aliyun) -> None:
    assert reply(aliyun, "  不满意，水还是没有 ")["webhook_status"] == 200
    ((pushed,),) = aliyun.listener.items(REPLIES)
    assert (pushed["content"], pushed["phone_number"]) == ("  不满意，水还是没有 ", "13800000001")
    assert isinstance(pushed["sequence_id"], int)
    assert "out_id" not in pushed


def test_it_pushes_again_what_was_not_taken_and_under_the_same_sequence(aliyun: Aliyun) -> None:
    aliyun.listener.answer = 503
    assert reply(aliyun, "1")["webhook_status"] == 503
    aliyun.listener.answer = 200
    wait_until(lambda: len(aliyun.listener.items(REPLIES)) == 2)
    first, again = aliyun.listener.items(REPLIES)
    assert first == again


async def test_receipts_gather_into_batches_come_doubled_and_the_last_first(
    aliyun: Aliyun,
) -> None:
    aliyun.behave(copies=2, reorder=True, report_delay_seconds=0)
    texts = [message(phone=f"+8613800000{number:03d}") for number in range(10)]
    async with aliyun.gateway() as gateway:
        for one in texts:
            assert isinstance(await gateway.send(one), Accepted)
    wanted = {str(one.id) for one in texts}

    def told() -> list[str]:
        return [item["out_id"] for batch in aliyun.listener.items(REPORTS) for item in batch]

    await wait_for(lambda: len(told()) == 2 * len(wanted))
    assert set(told()) == wanted
    assert len(aliyun.listener.items(REPORTS)) < 2 * len(wanted)


@pytest.mark.parametrize("fate", ["undelivered", "failed"])
async def test_accepted_text_may_be_reported_as_not_arrived(aliyun: Aliyun, fate: str) -> None:
    aliyun.behave(**{fate: 1, "failure_code": "MOBILE_IN_BLACK"})
    async with aliyun.gateway() as gateway:
        await gateway.send(message())
    await wait_for(lambda: aliyun.listener.items(REPORTS))
    ((item,),) = aliyun.listener.items(REPORTS)
    assert (item["success"], item["err_code"]) == (False, "MOBILE_IN_BLACK")
    (shown,) = aliyun.control.get(f"/phones/{PHONE}").json()["messages"]
    assert (shown["status"], shown["error_code"]) == (fate, "MOBILE_IN_BLACK")


async def test_reset_while_replies_gather_leaves_none_waiting_and_next_is_pushed(
    aliyun: Aliyun,
) -> None:
    async with httpx.AsyncClient(base_url=aliyun.url, timeout=20) as control:
        path = f"/phones/{PHONE}/reply"
        waiting = asyncio.create_task(control.post(path, json={"text": "1"}))
        await asyncio.sleep(0.02)
        await control.post("/control/reset")
        assert (await waiting).status_code == 200
        again = await control.post(path, json={"text": "2"})
    assert again.json()["webhook_status"] == 200


def test_forged_push_goes_to_another_address(aliyun: Aliyun) -> None:
    aliyun.behave(signature="wrong")
    reply(aliyun, "1")
    assert aliyun.listener.items(REPLIES) == []
    assert [heard.path.endswith("/replies") for heard in aliyun.listener.heard] == [True]


async def test_it_counts_what_was_accepted_twice_for_one_message(aliyun: Aliyun) -> None:
    sent = message()
    async with aliyun.gateway() as gateway:
        await gateway.send(sent)
        await gateway.send(sent)
    assert aliyun.attempts(sent) == (2, 2)
    assert aliyun.control.get("/control/counts").json()["doubled"] == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"TemplateCode": "SMS_1"}, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"TemplateParam": "{"}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '{"code":1}'}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": "{}"}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"TemplateParam": '{"code":"%s"}' % ("水" * 36)}, "isv.PARAM_LENGTH_LIMIT"),
        ({"TemplateParam": '{"code":"http://a.example"}'}, "isv.PARAM_NOT_SUPPORT_URL"),
        ({"Timestamp": "2020-01-01T00:00:00Z"}, "InvalidTimeStamp.Expired"),
        ({"Action": "SendEverything"}, "InvalidAction.NotFound"),
        ({"Action": "QuerySendDetails", "PhoneNumber": "1"}, "isv.MOBILE_NUMBER_ILLEGAL"),
    ],
)
async def test_what_the_real_one_refuses_it_refuses(
    aliyun: Aliyun, changed: dict[str, str], code: str
) -> None:
    async with aliyun.gateway() as gateway:
        sent: dict[str, str] = {}
        call = gateway._call

        async def remembered(action: str, **params: str) -> Any:
            sent.update(params)
            return await call(action, **params)

        gateway._call = remembered  # type: ignore[method-assign]  # to see what it asks
        await gateway.send(message(kind=MessageKind.ONE_TIME_CODE))
        answer = await _asked(aliyun, sent | changed)
    assert answer["Code"] == code


async def _asked(aliyun: Aliyun, params: dict[str, str]) -> dict[str, Any]:
    form = {
        "AccessKeyId": "LTAIsimulator",
        "Action": "SendSms",
        "SignatureNonce": str(uuid4()),
        "Timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "Version": "2017-05-25",
    } | params
    form["Signature"] = signature("simulator-key", "POST", form)
    async with httpx.AsyncClient(base_url=aliyun.url) as client:
        told: dict[str, Any] = (await client.post("/", data=form)).json()
        again = (await client.post("/", data=form)).json()
    assert again["Code"] == "SignatureNonceUsed"
    return told


def test_it_says_whom_it_stands_for_and_whether_replies_come_back(
    aliyun: Aliyun, world: World
) -> None:
    told = aliyun.control.get("/control/provider").json()
    assert (told["provider"], told["two_way"], told["free_text"]) == ("aliyun", True, False)
    assert world.control.get("/control/provider").json()["provider"] == "twilio"
    one_way = create_app(account(sms_two_way=False), SimulatorSettings(simulator_dir=None))
    with served(one_way) as url:
        assert httpx.get(f"{url}/control/provider").json()["two_way"] is False
        assert 'id="one-way"' in httpx.get(url).text

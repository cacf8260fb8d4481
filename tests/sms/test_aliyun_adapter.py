"""The real adapter against the simulated 阿里云 over HTTP: what each answer, silence and fault comes to."""

import logging
import socket
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from app.texts.approvals import Approval, ApprovalState
from app.texts.outbox import MessageKind
from sms.gateway import (
    Accepted,
    ErrorClass,
    NotSent,
    Refused,
    SendResult,
    Unknown,
    Withheld,
)
from sms.providers.aliyun import AliyunGateway
from sms.providers.aliyun_protocol import ERRORS, classify, signature
from tests.sms.aliyun import PHONE, PUSHES, Aliyun, account, answering, before, message
from tests.sms.servers import wait_for


def test_example_of_the_providers_documentation_has_the_signature_it_says() -> None:
    params = {
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "45e25e9b-0a6f-4070-8c85-2956eda1b466",
        "AccessKeyId": "testId",
        "SignatureVersion": "1.0",
        "Timestamp": "2017-07-12T02:42:19Z",
        "Format": "XML",
        "Action": "SendSms",
        "Version": "2017-05-25",
        "RegionId": "cn-hangzhou",
        "PhoneNumbers": "15300000001",
        "SignName": "阿里云短信测试专用",
        "TemplateParam": '{"customer":"test"}',
        "TemplateCode": "SMS_71390007",
        "OutId": "123",
    }
    assert signature("testSecret", "GET", params) == "zJDF+Lrzhj/ThnlvIToysFRq6t4="


def test_blanks_stars_and_tildes_are_encoded_as_the_provider_wants() -> None:
    # One that is encoded otherwise on their side would be another signature: %20, %2A, and the tilde as it is.
    spaced = signature("s", "POST", {"a": "b c*~"})
    assert spaced != signature("s", "POST", {"a": "b+c*~"})
    assert spaced == "tXfI1EIckddw+OGvLnJr7lRqX4M="


async def test_accepted_text_is_on_the_phone_and_its_receipt_carries_our_own_id(
    aliyun: Aliyun,
) -> None:
    sent = message()
    async with aliyun.gateway() as gateway:
        result = await gateway.send(sent)
    assert isinstance(result, Accepted)
    (text,) = aliyun.texts()
    assert text == (
        "【荣昌群工】您反映的“没有饮用水”（编号500153-261122-00000001）有新进展。荣隆镇：已找到漏点（全文凭编号查询）"
    )
    await wait_for(lambda: aliyun.listener.items(f"{PUSHES}/reports"))
    ((receipt,),) = aliyun.listener.items(f"{PUSHES}/reports")
    assert (receipt["out_id"], receipt["biz_id"]) == (str(sent.id), result.provider_id)
    assert (receipt["success"], receipt["phone_number"]) == (True, "13800000001")


@pytest.mark.parametrize(
    ("code", "error"),
    sorted((code, error) for code, error in ERRORS.items() if code.startswith(("isv", "isp"))),
)
async def test_refusal_has_its_code_and_class_and_nothing_was_accepted(
    aliyun: Aliyun, code: str, error: ErrorClass
) -> None:
    aliyun.behave(refused={code: 1})
    sent = message()
    async with aliyun.gateway() as gateway:
        assert await gateway.send(sent) == Refused(code, error)
    assert aliyun.attempts(sent) == (1, 0)


async def test_too_many_requests_is_a_transient_refusal(aliyun: Aliyun) -> None:
    aliyun.behave(too_many=1)
    async with aliyun.gateway() as gateway:
        assert await gateway.send(message()) == Refused("Throttling.User", ErrorClass.TRANSIENT)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"aliyun_access_key_secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"aliyun_access_key_id": "LTAIother"}, "InvalidAccessKeyId.NotFound"),
        ({"sms_signature": "别县群工"}, "isv.SMS_SIGNATURE_ILLEGAL"),
    ],
)
async def test_wrong_key_or_signature_is_an_account_error(
    aliyun: Aliyun, changed: dict[str, Any], code: str
) -> None:
    async with aliyun.gateway(**changed) as gateway:
        assert await gateway.send(message()) == Refused(code, ErrorClass.ACCOUNT)


async def test_number_that_is_none_is_refused_as_such(aliyun: Aliyun) -> None:
    async with aliyun.gateway() as gateway:
        result = await gateway.send(message(phone="+8602346731234"))
    assert result == Refused("isv.MOBILE_NUMBER_ILLEGAL", ErrorClass.NUMBER_UNUSABLE)


@pytest.mark.parametrize("code", ["isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR"])
async def test_fault_of_theirs_leaves_open_whether_they_have_it(aliyun: Aliyun, code: str) -> None:
    aliyun.behave(refused={code: 1})
    async with aliyun.gateway() as gateway:
        assert await gateway.send(message()) == Unknown(code)


@pytest.mark.parametrize(
    ("behaviour", "accepted"), [("error_accepted", 1), ("error_not_accepted", 0)]
)
async def test_a_500_is_unknown_and_was_asked_exactly_once(
    aliyun: Aliyun, behaviour: str, accepted: int
) -> None:
    aliyun.behave(**{behaviour: 1})
    sent = message()
    async with aliyun.gateway() as gateway:
        assert await gateway.send(sent) == Unknown("http_500")
    assert aliyun.attempts(sent) == (1, accepted)


@pytest.mark.parametrize(
    ("behaviour", "accepted"), [("stall_accepted", 1), ("stall_not_accepted", 0)]
)
async def test_no_answer_within_timeout_is_unknown_and_was_asked_exactly_once(
    aliyun: Aliyun, behaviour: str, accepted: int
) -> None:
    aliyun.behave(**{behaviour: 1, "stall_seconds": 8})
    sent = message()
    async with aliyun.gateway(sms_timeout_seconds=1) as gateway:
        assert await gateway.send(sent) == Unknown("timeout")
    assert aliyun.attempts(sent) == (1, accepted)


async def test_refused_connection_is_not_sent() -> None:
    with socket.socket() as taken:
        # Bound but not listening: nobody else gets the port, and it refuses.
        taken.bind(("127.0.0.1", 0))
        gateway = before(taken.getsockname()[1])
        try:
            assert await gateway.send(message()) == NotSent("no_connection")
            found = await gateway.find(message(), attempted_at=datetime.now(UTC))
            assert isinstance(found, Unknown)
        finally:
            await gateway.close()


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (b"200 OK|{}", Unknown("unreadable_answer")),
        (b'200 OK|{"Code":"OK"}', Unknown("unreadable_answer")),
        (b'200 OK|{"Code":7}', Unknown("unreadable_answer")),
        (b"200 OK|\xff\xfe", Unknown("unreadable_answer")),
        (b"200 OK|" + b"[" * 5000, Unknown("unreadable_answer")),
        (b'200 OK|{"Code":"isv.NEW"}', Refused("isv.NEW", ErrorClass.AMBIGUOUS)),
        (b"403 Forbidden|no", Refused("403", ErrorClass.ACCOUNT)),
        (b"302 Found|", Unknown("http_302")),
        (b"408 Request Timeout|", Unknown("http_408")),
        (b"503 Service Unavailable|", Unknown("http_503")),
    ],
    ids=lambda one: repr(one)[:40],
)
async def test_answers_that_are_not_theirs_have_a_result_all_the_same(
    answer: bytes, result: SendResult
) -> None:
    assert await _sent_to(answer) == result


@pytest.mark.parametrize("approval", [Approval.PENDING, Approval.REJECTED])
async def test_words_that_are_not_approved_are_not_sent_and_say_why(
    aliyun: Aliyun, approval: Approval
) -> None:
    async def asked(_kind: MessageKind) -> ApprovalState:
        return ApprovalState(approval, "SMS_1")

    gateway = AliyunGateway(account(aliyun_api_url=aliyun.url), asked)
    sent = message()
    try:
        error = ErrorClass(f"template_{approval}")
        assert await gateway.send(sent) == Withheld(error, error)
    finally:
        await gateway.close()
    assert aliyun.attempts(sent) == (0, 0)


async def test_where_the_database_is_away_nothing_is_sent_and_nothing_is_lost(
    aliyun: Aliyun,
) -> None:
    async def asked(_kind: MessageKind) -> ApprovalState:
        raise asyncpg.InterfaceError("away")

    gateway = AliyunGateway(account(aliyun_api_url=aliyun.url), asked)
    try:
        # Which says nothing of the provider: it has not been asked.
        assert await gateway.send(message()) == Withheld(
            "templates: InterfaceError", ErrorClass.TRANSIENT
        )
    finally:
        await gateway.close()


async def test_what_people_wrote_is_kept_to_what_a_value_may_be(aliyun: Aliyun) -> None:
    sent = message(report="水" * 200 + " http://evil.example/x", title="")
    async with aliyun.gateway() as gateway:
        assert isinstance(await gateway.send(sent), Accepted)
    (text,) = aliyun.texts()
    assert "水" * 34 + "…（全文凭编号查询）" in text
    assert "“有关事项”" in text


@pytest.mark.parametrize("two_way", [True, False])
async def test_where_no_reply_comes_back_the_survey_asks_for_none(
    aliyun: Aliyun, two_way: bool
) -> None:
    async with aliyun.gateway(sms_two_way=two_way) as gateway:
        assert isinstance(await gateway.send(message(kind=MessageKind.SURVEY)), Accepted)
    (text,) = aliyun.texts()
    assert ("请直接回复数字" in text) is two_way
    assert ("网页" in text and "回访" in text) is not two_way


async def test_neither_numbers_nor_words_are_logged(
    aliyun: Aliyun, caplog: pytest.LogCaptureFixture
) -> None:
    sent = message()
    with caplog.at_level(logging.DEBUG):
        async with aliyun.gateway() as gateway:
            await gateway.send(sent)
            await gateway.find(sent, attempted_at=datetime.now(UTC))
        logging.getLogger("test").info("sent %r", sent)
    logged = [record.getMessage() for record in caplog.records]
    assert any(str(sent.id) in line for line in logged)
    assert not [line for line in logged if PHONE[3:] in line or "漏点" in line]


async def test_who_pushes_again_until_it_is_heard_has_no_inbox_to_look_into(
    aliyun: Aliyun,
) -> None:
    async with aliyun.gateway() as gateway:
        assert gateway.inbox is None


def test_unknown_code_is_of_no_known_class() -> None:
    assert classify("isv.SOMETHING_NEW") is ErrorClass.AMBIGUOUS


async def _sent_to(answer: bytes) -> SendResult:
    async with answering(answer) as gateway:
        return await gateway.send(message())

"""The real adapter against the simulated 阿里云 over HTTP: what each answer, silence and fault comes to."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from app.outbox import MessageKind, MessageState
from app.text_templates import Approval, Standing
from sms.gateway import (
    Accepted,
    ErrorClass,
    NotSent,
    OutgoingText,
    Refused,
    SendResult,
    SentText,
    Status,
    Unknown,
)
from sms.providers.aliyun import AliyunGateway
from sms.providers.aliyun_protocol import ERRORS, classify, signature
from tests.sms.aliyun import PHONE, PUSHES, Aliyun, account, message
from tests.sms.servers import wait_for


def test_the_example_of_the_providers_documentation_has_the_signature_it_says() -> None:
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


async def test_an_accepted_text_is_on_the_phone_and_its_receipt_carries_our_own_id(
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
async def test_a_refusal_has_its_code_and_class_and_nothing_was_accepted(
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
async def test_a_wrong_key_or_signature_is_an_account_error(
    aliyun: Aliyun, changed: dict[str, Any], code: str
) -> None:
    async with aliyun.gateway(**changed) as gateway:
        assert await gateway.send(message()) == Refused(code, ErrorClass.ACCOUNT)


async def test_a_number_that_is_none_is_refused_as_such(aliyun: Aliyun) -> None:
    async with aliyun.gateway() as gateway:
        result = await gateway.send(message(phone="+8602346731234"))
    assert result == Refused("isv.MOBILE_NUMBER_ILLEGAL", ErrorClass.NUMBER_UNUSABLE)


@pytest.mark.parametrize("code", ["isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR"])
async def test_a_fault_of_theirs_leaves_open_whether_they_have_it(
    aliyun: Aliyun, code: str
) -> None:
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
async def test_no_answer_within_the_timeout_is_unknown_and_was_asked_exactly_once(
    aliyun: Aliyun, behaviour: str, accepted: int
) -> None:
    aliyun.behave(**{behaviour: 1, "stall_seconds": 8})
    sent = message()
    async with aliyun.gateway(sms_timeout_seconds=1) as gateway:
        assert await gateway.send(sent) == Unknown("timeout")
    assert aliyun.attempts(sent) == (1, accepted)


async def test_a_refused_connection_is_not_sent() -> None:
    with socket.socket() as taken:
        # Bound but not listening: nobody else gets the port, and it refuses.
        taken.bind(("127.0.0.1", 0))
        gateway = _before(taken.getsockname()[1])
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


async def test_an_unknown_attempt_is_found_by_our_own_id_among_others_that_read_the_same(
    aliyun: Aliyun,
) -> None:
    before = datetime.now(UTC)
    aliyun.behave(error_accepted=1)
    sent, never = message(), message()
    async with aliyun.gateway() as gateway:
        await gateway.send(message())
        await gateway.send(sent)
        assert await gateway.find(sent, attempted_at=before) == Accepted(None)
        assert await gateway.find(never, attempted_at=before) == NotSent("not_found")
        elsewhere = message(phone="+8613800000002")
        assert await gateway.find(elsewhere, attempted_at=before) == NotSent("not_found")


async def test_what_was_sent_in_an_earlier_turn_is_not_taken_for_this_ones(aliyun: Aliyun) -> None:
    before, first = datetime.now(UTC), message()
    again = replace(first, turn=2)
    async with aliyun.gateway() as gateway:
        await gateway.send(first)
        assert await gateway.find(again, attempted_at=before) == NotSent("not_found")
        await gateway.send(again)
        assert await gateway.find(again, attempted_at=before) == Accepted(None)


async def test_every_day_since_the_attempt_is_looked_through(aliyun: Aliyun) -> None:
    sent = message()
    async with aliyun.gateway() as gateway:
        await gateway.send(sent)
        past = datetime.now(UTC) - timedelta(days=3)
        assert await gateway.find(sent, attempted_at=past) == Accepted(None)
        ahead = datetime.now(UTC) + timedelta(days=2)
        assert await gateway.find(sent, attempted_at=ahead) == NotSent("not_found")


async def test_finding_reads_past_the_first_page(aliyun: Aliyun) -> None:
    first = message()
    async with aliyun.gateway() as gateway:
        await gateway.send(first)
        await asyncio.gather(*(gateway.send(message()) for _ in range(60)))
        assert await gateway.find(first, attempted_at=datetime.now(UTC)) == Accepted(None)


async def test_a_query_that_is_refused_leaves_it_unknown(aliyun: Aliyun) -> None:
    async with aliyun.gateway(aliyun_access_key_secret="wrong") as gateway:
        found = await gateway.find(message(), attempted_at=datetime.now(UTC))
    assert found == Unknown("SignatureDoesNotMatch")


@pytest.mark.parametrize("approval", [Approval.PENDING, Approval.REJECTED])
async def test_words_that_are_not_approved_are_not_sent_and_say_why(
    aliyun: Aliyun, approval: Approval
) -> None:
    async def asked(_kind: MessageKind) -> Standing:
        return Standing(approval, "SMS_1")

    gateway = AliyunGateway(account(aliyun_api_url=aliyun.url), asked)
    sent = message()
    try:
        error = ErrorClass(f"template_{approval}")
        assert await gateway.send(sent) == Refused(error, error)
    finally:
        await gateway.close()
    assert aliyun.attempts(sent) == (0, 0)


async def test_where_the_database_is_away_nothing_is_sent_and_nothing_is_lost(
    aliyun: Aliyun,
) -> None:
    async def asked(_kind: MessageKind) -> Standing:
        raise asyncpg.InterfaceError("away")

    gateway = AliyunGateway(account(aliyun_api_url=aliyun.url), asked)
    try:
        assert isinstance(await gateway.send(message()), NotSent)
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


def test_an_unknown_code_is_of_no_known_class() -> None:
    assert classify("isv.SOMETHING_NEW") is ErrorClass.AMBIGUOUS


def _before(port: int) -> AliyunGateway:
    async def approval(_kind: MessageKind) -> Standing:
        return Standing(Approval.APPROVED, "SMS_1")

    return AliyunGateway(account(aliyun_api_url=f"http://127.0.0.1:{port}"), approval)


@asynccontextmanager
async def _answering(answer: bytes) -> AsyncIterator[AliyunGateway]:
    """The adapter before a server that reads a request, writes this status and body, and hangs up."""
    status, _, body = answer.partition(b"|")

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answered, "127.0.0.1", 0)
    gateway = _before(server.sockets[0].getsockname()[1])
    try:
        yield gateway
    finally:
        await gateway.close()
        server.close()
        await server.wait_closed()


async def _sent_to(answer: bytes) -> SendResult:
    async with _answering(answer) as gateway:
        return await gateway.send(message())


def _sent(text: OutgoingText, *, ago: timedelta = timedelta(), turn: int = 1) -> SentText:
    moment = datetime.now(UTC) - ago
    return SentText(text.id, turn, text.phone, None, moment, moment + timedelta(days=7))


@pytest.mark.parametrize(
    ("fate", "status"),
    [
        ({}, Status(MessageState.DELIVERED)),
        ({"silent": 1}, Status(MessageState.ACCEPTED)),
        (
            {"undelivered": 1, "failure_code": "USER_REJECT"},
            Status(MessageState.UNDELIVERED, "USER_REJECT", ErrorClass.OPTED_OUT),
        ),
    ],
)
async def test_what_became_of_a_text_is_told_to_who_asks_where_no_receipt_comes(
    aliyun: Aliyun, fate: dict[str, Any], status: Status
) -> None:
    aliyun.behave(lost=True, report_delay_seconds=0, report_before_answer=True, **fate)
    text = message()
    async with aliyun.gateway() as gateway:
        await gateway.send(message())
        await gateway.send(text)
        assert await gateway.status_of(_sent(text)) == status
        assert await gateway.status_of(_sent(text, ago=timedelta(days=3))) == status
        assert await gateway.status_of(_sent(text, turn=2)) == NotSent("not_found")
        assert await gateway.status_of(_sent(message())) == NotSent("not_found")
    assert aliyun.listener.items(f"{PUSHES}/reports") == []
    assert aliyun.attempts(text) == (1, 1), "asking sends nothing"


async def test_only_the_days_on_which_a_text_may_have_gone_out_are_looked_through(
    aliyun: Aliyun,
) -> None:
    text = message()
    async with aliyun.gateway() as gateway:
        await gateway.send(text)
        over = replace(_sent(text), not_before=_days_ago(9), not_after=_days_ago(2))
        assert await gateway.status_of(over) == NotSent("not_found")


def _days_ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


async def test_a_question_that_is_refused_or_answered_oddly_tells_nothing(aliyun: Aliyun) -> None:
    async with aliyun.gateway(aliyun_access_key_secret="wrong") as gateway:
        assert await gateway.status_of(_sent(message())) == Unknown("SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b'"SendStatus":9', Unknown("unreadable_answer")),
        (b'"SendStatus":"3"', Status(MessageState.DELIVERED)),
        # A code as no receipt would hold it says nothing about why.
        (b'"SendStatus":2,"ErrCode":"\\u0000"', Status(MessageState.UNDELIVERED)),
    ],
)
async def test_only_what_reads_as_theirs_is_believed(told: bytes, status: object) -> None:
    text = message()
    listed = b'{"OutId":"%s",%s}' % (str(text.id).encode(), told)
    page = b'200 OK|{"Code":"OK","SmsSendDetailDTOs":{"SmsSendDetailDTO":[%s]}}' % listed
    async with _answering(page) as gateway:
        assert await gateway.status_of(_sent(text)) == status

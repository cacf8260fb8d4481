"""The real adapter against the simulator over HTTP: what each answer, silence and fault of the provider comes to."""

import asyncio
import logging
import socket
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.settings import Settings
from app.texts.outbox import MessageState
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
from sms.providers.twilio import TwilioGateway
from sms.providers.twilio_protocol import ERRORS, classify
from tests.sms.conftest import World
from tests.sms.servers import wait_for


async def test_accepted_text_is_on_phone_and_its_status_is_reported_to_messages_own_address(
    world: World, gateway: TwilioGateway
) -> None:
    message = world.text()
    result = await gateway.send(message)
    assert isinstance(result, Accepted)
    inbox = world.control.get(f"/phones/{message.phone}").json()
    assert [one["text"] for one in inbox["messages"]] == [message.body]
    path = f"/sms/twilio/status/{message.id}"
    await wait_for(lambda: "delivered" in world.listener.statuses(path))
    assert world.listener.statuses(path) == ["queued", "sent", "delivered"]
    assert {heard.get("MessageSid") for heard in world.listener.heard} == {result.provider_id}


@pytest.mark.parametrize(
    ("code", "error"), sorted((code, error) for code, error in ERRORS.items() if len(code) == 5)
)
async def test_refusal_has_its_code_and_class_and_nothing_was_accepted(
    world: World, gateway: TwilioGateway, code: str, error: ErrorClass
) -> None:
    world.behave(refused={code: 1})
    message = world.text()
    assert await gateway.send(message) == Refused(code, error)
    assert world.attempts(message) == (1, 0)


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("+15005550001", "21211"),
        ("+15005550009", "21614"),
        ("+15005550004", "21610"),
        ("12345", "21211"),
    ],
)
async def test_twilios_test_numbers_are_refused_as_twilio_refuses_them(
    world: World, gateway: TwilioGateway, phone: str, code: str
) -> None:
    assert await gateway.send(world.text(phone=phone)) == Refused(code, classify(code))


async def test_too_many_requests_is_a_transient_refusal(
    world: World, gateway: TwilioGateway
) -> None:
    world.behave(too_many=1)
    message = world.text()
    assert await gateway.send(message) == Refused("20429", ErrorClass.TRANSIENT)
    assert world.attempts(message) == (1, 0)


async def test_wrong_token_is_an_account_error(world: World) -> None:
    gateway = TwilioGateway(world.settings(twilio_auth_token="wrong"))
    try:
        assert await gateway.send(world.text()) == Refused("20003", ErrorClass.ACCOUNT)
    finally:
        await gateway.close()


async def test_sender_that_is_not_ours_is_an_account_error(world: World) -> None:
    gateway = TwilioGateway(world.settings(twilio_from="+15005550007"))
    try:
        assert await gateway.send(world.text()) == Refused("21606", ErrorClass.ACCOUNT)
    finally:
        await gateway.close()


@pytest.mark.parametrize(
    ("behaviour", "accepted"), [("error_accepted", 1), ("error_not_accepted", 0)]
)
async def test_a_500_is_unknown_and_was_asked_exactly_once(
    world: World, gateway: TwilioGateway, behaviour: str, accepted: int
) -> None:
    world.behave(**{behaviour: 1})
    message = world.text()
    assert await gateway.send(message) == Unknown("http_500")
    assert world.attempts(message) == (1, accepted)


@pytest.mark.parametrize(
    ("behaviour", "accepted"), [("stall_accepted", 1), ("stall_not_accepted", 0)]
)
async def test_no_answer_within_timeout_is_unknown_and_was_asked_exactly_once(
    world: World, behaviour: str, accepted: int
) -> None:
    world.behave(**{behaviour: 1, "stall_seconds": 8})
    gateway = TwilioGateway(world.settings(sms_timeout_seconds=1))
    message = world.text()
    try:
        assert await gateway.send(message) == Unknown("timeout")
    finally:
        await gateway.close()
    assert world.attempts(message) == (1, accepted)


async def test_refused_connection_is_not_sent() -> None:
    with socket.socket() as taken:
        taken.bind(
            ("127.0.0.1", 0)
        )  # bound but not listening: nobody else gets the port, and it refuses
        port = taken.getsockname()[1]
        gateway = TwilioGateway(Settings(twilio_api_url=f"http://127.0.0.1:{port}"))
        try:
            assert isinstance(await gateway.send(_text()), NotSent)
            assert isinstance(await gateway.find(_text(), attempted_at=datetime.now(UTC)), Unknown)
        finally:
            await gateway.close()


async def test_connection_broken_off_after_the_request_is_unknown() -> None:
    assert await _sent_to(b"") == Unknown("ServerDisconnectedError")


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b"null", b"{}", b'{"sid": null}', b'"sid"', b"\xff\xfe"],
    ids=lambda body: repr(body),
)
async def test_success_that_cannot_be_read_is_unknown(body: bytes) -> None:
    answer = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    assert await _sent_to(answer) == Unknown("unreadable_answer")


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\n\r\noops",
            Refused("400", ErrorClass.AMBIGUOUS),
        ),
        (
            b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
            Refused("401", ErrorClass.ACCOUNT),
        ),
        (
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            Refused("403", ErrorClass.ACCOUNT),
        ),
        (
            b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
            Refused("429", ErrorClass.TRANSIENT),
        ),
        (
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
            Unknown("http_307"),
        ),
        (b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", Unknown("http_408")),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", Unknown("http_503")),
        (b"garbage\r\n\r\n", Unknown("ClientResponseError")),
    ],
    ids=["400", "401", "403", "429", "307", "408", "503", "garbage"],
)
async def test_answers_that_are_not_twilios_have_a_result_all_the_same(
    answer: bytes, result: Refused | Unknown
) -> None:
    assert await _sent_to(answer) == result


def told(status: str, code: int) -> bytes:
    body = b'{"code": %d, "message": "no", "more_info": "", "status": %s}' % (
        code,
        status.partition(" ")[0].encode(),
    )
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        # A code that is not on our list: the status says what it is about.
        ("429 Too Many Requests", 14107, ErrorClass.TRANSIENT),
        ("401 Unauthorized", 20005, ErrorClass.ACCOUNT),
        ("403 Forbidden", 99999, ErrorClass.ACCOUNT),
        ("400 Bad Request", 99999, ErrorClass.AMBIGUOUS),
        # One that is on it says more than any status.
        ("429 Too Many Requests", 21610, ErrorClass.OPTED_OUT),
        ("403 Forbidden", 21614, ErrorClass.NUMBER_UNUSABLE),
        ("400 Bad Request", 21611, ErrorClass.TRANSIENT),
    ],
)
async def test_code_nobody_listed_is_classed_by_its_status(
    status: str, code: int, error: ErrorClass
) -> None:
    assert await _sent_to(told(status, code)) == Refused(str(code), error)


async def test_unknown_attempt_is_found_by_its_number_and_words(
    world: World, gateway: TwilioGateway
) -> None:
    before = datetime.now(UTC)
    world.behave(error_accepted=1)
    message = world.text(body="【荣昌群工】其一")
    other = world.text(body="【荣昌群工】其二")
    elsewhere = world.text(body="【荣昌群工】其一", phone="+8613800000002")
    for text in (elsewhere, other, message):
        await gateway.send(text)
    found = await gateway.find(message, attempted_at=before)
    assert isinstance(found, Accepted)
    sids = {
        one["text"]: one["sid"]
        for one in world.control.get(f"/phones/{message.phone}").json()["messages"]
    }
    assert found.provider_id == sids[message.body]


async def test_attempt_that_never_arrived_is_not_found(
    world: World, gateway: TwilioGateway
) -> None:
    world.behave(error_not_accepted=1)
    message = world.text()
    await gateway.send(message)
    assert await gateway.find(message, attempted_at=datetime.now(UTC)) == NotSent("not_found")


async def test_text_of_same_words_that_belongs_to_another_message_is_not_found(
    world: World, gateway: TwilioGateway
) -> None:
    before = datetime.now(UTC)
    first = await gateway.send(world.text())
    assert isinstance(first, Accepted)
    assert first.provider_id
    again = world.text()
    assert await gateway.find(again, attempted_at=before, taken={first.provider_id}) == NotSent(
        "not_found"
    )
    assert await gateway.find(again, attempted_at=before + timedelta(hours=1)) == NotSent(
        "not_found"
    )


async def test_finding_reads_past_the_first_page(world: World, gateway: TwilioGateway) -> None:
    before = datetime.now(UTC)
    message = world.text(body="最早的一条")
    await gateway.send(message)
    for number in range(60):
        await gateway.send(world.text(body=f"第{number}条"))
    assert isinstance(await gateway.find(message, attempted_at=before), Accepted)


async def test_report_that_met_a_fault_of_ours_is_sent_again(
    world: World, gateway: TwilioGateway
) -> None:
    world.behave(failed=1, failure_code=30005)
    world.listener.answer = 503
    message = world.text()
    await gateway.send(message)
    path = f"/sms/twilio/status/{message.id}"
    await wait_for(lambda: world.listener.statuses(path))
    world.listener.answer = 204
    await wait_for(lambda: "failed" in world.listener.statuses(path))
    assert world.listener.statuses(path) == ["queued", "queued", "failed"]


async def test_neither_numbers_nor_words_are_logged(
    world: World, gateway: TwilioGateway, caplog: pytest.LogCaptureFixture
) -> None:
    message = world.text()
    with caplog.at_level(logging.DEBUG):
        await gateway.send(message)
        await gateway.find(message, attempted_at=datetime.now(UTC))
        logging.getLogger("test").info("sent %r", message)
    logged = [record.getMessage() for record in caplog.records]
    assert any(str(message.id) in line for line in logged)
    assert not [line for line in logged if message.phone[1:] in line or message.body in line]


def _text() -> OutgoingText:
    message_id = uuid4()
    return OutgoingText(
        message_id,
        "+8613800000001",
        "progress",
        {},
        "进展",
        f"http://127.0.0.1/status/{message_id}",
    )


async def _sent_to(answer: bytes) -> SendResult:
    """Send to a server that reads a request, writes exactly this and hangs up."""

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answered, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway = TwilioGateway(Settings(twilio_api_url=f"http://127.0.0.1:{port}"))
    try:
        return await gateway.send(_text())
    finally:
        await gateway.close()
        server.close()
        await server.wait_closed()


async def _status(gateway: TwilioGateway, message: OutgoingText, provider_id: str | None) -> object:
    now = datetime.now(UTC)
    sent = SentText(message.id, 1, message.phone, provider_id, now, now)
    return await gateway.status_of(sent)


@pytest.mark.parametrize(
    ("fate", "status"),
    [
        ({}, Status(MessageState.DELIVERED)),
        ({"silent": 1}, Status(MessageState.ACCEPTED)),
        ({"undelivered": 1, "failure_code": 30005}, Status(MessageState.UNDELIVERED, "30005", ErrorClass.NUMBER_UNUSABLE)),
        ({"failed": 1, "failure_code": 30007}, Status(MessageState.FAILED, "30007", ErrorClass.CONTENT)),
    ],
)  # fmt: skip
async def test_what_became_of_a_text_is_told_to_who_asks_where_no_report_comes(
    world: World, gateway: TwilioGateway, fate: dict[str, int], status: Status
) -> None:
    world.behave(lost=True, report_delay_seconds=0, report_before_answer=True, **fate)
    message = world.text()
    sent = await gateway.send(message)
    assert isinstance(sent, Accepted)
    assert await _status(gateway, message, sent.provider_id) == status
    assert world.listener.heard == [], "no report"
    assert world.attempts(message) == (1, 1), "asking sends nothing"


async def test_asked_after_what_it_does_not_know_or_asked_wrongly_it_tells_nothing(
    world: World, gateway: TwilioGateway
) -> None:
    message = world.text()
    assert await _status(gateway, message, "SM" + "0" * 32) == NotSent("not_found")
    assert await _status(gateway, message, None) == Unknown("no_provider_id")
    stranger = TwilioGateway(world.settings(twilio_auth_token="wrong"))
    assert await _status(stranger, message, "SM" + "0" * 32) == Unknown("20003")
    await stranger.close()

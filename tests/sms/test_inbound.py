"""The webhooks as the public reaches them: genuine ones have one effect, forged ones none, and none is a 5xx."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from typing import Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from app import clock
from app.db import observers, transaction
from app.evaluation import privacy_role
from app.http import problems
from app.settings import settings
from app.texts.outbox import MessageKind, announce
from sms import inbound
from sms.providers.twilio_protocol import TRIES_AGAIN

SID = "SM" + "0a" * 16
REPLIES = "/sms/twilio/inbound"
PHONE = "+8613800000009"
_ROW: Final = text("SELECT state, provider_id, error FROM outbox_message WHERE id = :id")
_TAKEN: Final = text(
    "SELECT effect, received_at FROM surveys.reply WHERE provider_message_id = :sid"
)
_KEPT: Final = text("SELECT effect, not_read FROM surveys.reply WHERE provider_message_id = :id")
Fields = list[tuple[str, str]]


@pytest.fixture
async def web(county: None) -> AsyncIterator[httpx.AsyncClient]:
    assert county is None
    app = FastAPI()
    problems.install(app)
    app.include_router(inbound.router)
    # Reached under an inner address, as behind a proxy: the signature is over the public one.
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://inner:81") as client:
        yield client


def signature(path: str, fields: Fields) -> str:
    signed: str = RequestValidator(
        settings().twilio_auth_token.get_secret_value()
    ).compute_signature(settings().public_url + path, dict(fields))
    return signed


async def post(
    web: httpx.AsyncClient, path: str, fields: Fields, header: str | None = "sign"
) -> int:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if header is not None:
        headers["X-Twilio-Signature"] = signature(path, fields) if header == "sign" else header
    answered = await web.post(path, content=urlencode(fields), headers=headers)
    return answered.status_code


def report(status: str, *, sid: str = "", code: str | None = None) -> Fields:
    fields = [
        ("MessageSid", sid),
        ("MessageStatus", status),
        ("To", " +8613800000001 "),
        ("City", ""),
    ]
    return fields if code is None else [*fields, ("ErrorCode", code)]


async def state(message_id: UUID) -> tuple[str, str | None, str | None]:
    async with transaction() as tx:
        row = await tx.one_or_none(_ROW, id=message_id)
    assert row is not None
    return row.state, row.provider_id, row.error


def new_sid() -> str:
    return f"SM{uuid4().hex}"


async def test_genuine_report_moves_message_also_before_we_knew_providers_id(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    sid, path = new_sid(), f"/sms/twilio/status/{message_id}"
    assert await post(web, path, report("sent", sid=sid)) == 204
    assert await state(message_id) == ("accepted", sid, None)
    assert await post(web, path, report("undelivered", sid=sid, code="30005")) == 204
    assert await state(message_id) == ("undelivered", sid, "30005")


async def test_what_stands_behind_address_for_twilio_alone_is_not_part_of_what_was_signed(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    fields, path = report("sent", sid=new_sid()), f"/sms/twilio/status/{message_id}"
    assert await post(web, path, fields, signature(path + TRIES_AGAIN, fields)) == 403
    # Nor is it sent, should it be in the address that is called.
    headers = {"X-Twilio-Signature": signature(path, fields)}
    answered = await web.post(path + TRIES_AGAIN, data=dict(fields), headers=headers)
    assert answered.status_code == 204


async def test_query_is_part_of_what_was_signed(web: httpx.AsyncClient, message_id: UUID) -> None:
    fields, path = report("sent", sid=new_sid()), f"/sms/twilio/status/{message_id}?a=%20b&c"
    assert await post(web, path, fields) == 204
    assert await post(web, path, fields, signature(path.partition("?")[0], fields)) == 403


@pytest.mark.parametrize("header", [None, "", "x", "A" * 28])
async def test_forged_report_is_refused_as_a_problem_and_has_no_effect(
    web: httpx.AsyncClient, message_id: UUID, header: str | None
) -> None:
    path = f"/sms/twilio/status/{message_id}"
    assert await post(web, path, report("delivered", sid=new_sid()), header) == 403
    assert (await state(message_id))[0] == "queued"
    refused = await web.post(path)
    assert refused.headers["content-type"] == "application/problem+json"


async def test_signature_for_another_message_does_not_fit(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    fields = report("delivered", sid=new_sid())
    elsewhere = signature(f"/sms/twilio/status/{uuid4()}", fields)
    assert await post(web, f"/sms/twilio/status/{message_id}", fields, elsewhere) == 403
    assert (await state(message_id))[0] == "queued"


async def test_reports_doubled_in_parallel_and_out_of_order_have_one_effect(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    sid, path = new_sid(), f"/sms/twilio/status/{message_id}"
    steps = ["queued", "sent", "delivered"] * 5
    Random(1).shuffle(steps)  # noqa: S311 - repeatable on purpose
    answers = await asyncio.gather(*(post(web, path, report(step, sid=sid)) for step in steps))
    assert set(answers) == {204}
    assert await state(message_id) == ("delivered", sid, None)


@pytest.mark.parametrize("where", [str(UUID(int=1)), "nonsense", "%00", "%F0%9F%92%A7", "a" * 5000])
async def test_genuine_report_on_no_message_of_ours_is_taken_without_effect(
    web: httpx.AsyncClient, where: str
) -> None:
    path = f"/sms/twilio/status/{where}"
    assert await post(web, path, report("delivered", sid=SID)) in {204, 403}


async def test_genuine_report_that_says_nothing_we_know_has_no_effect(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    path = f"/sms/twilio/status/{message_id}"
    for fields in ([], report("dreaming", sid=SID), report("sent", sid="SM1"), [("Body", "\0")]):
        assert await post(web, path, fields) == 204
    assert (await state(message_id))[0] == "queued"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", 403),
        (b"\xff\x00", 403),
        (b"{}", 403),
        (b"&".join([b"a=1"] * 9000), 403),
        (b"a" * 70_000, 413),
    ],
)
async def test_no_body_is_a_fault_of_ours(
    web: httpx.AsyncClient, message_id: UUID, body: bytes, answer: int
) -> None:
    path = f"/sms/twilio/status/{message_id}"
    answered = await web.post(path, content=body, headers={"X-Twilio-Signature": "A" * 28})
    assert answered.status_code == answer


async def test_webhook_costs_few_statements(web: httpx.AsyncClient) -> None:
    for status, code in (
        ("sent", None),
        ("delivered", None),
        ("undelivered", "30003"),
        ("failed", "30005"),
        ("failed", "21703"),
    ):
        async with transaction() as tx:
            now = await tx.now()
            message = announce(
                tx, MessageKind.MOVED, now=now, phone="+8613800000001", ref="1", title="", unit="镇"
            )
        sent: list[str] = []
        observers.append(sent.append)
        try:
            answered = await post(
                web, f"/sms/twilio/status/{message}", report(status, sid=new_sid(), code=code)
            )
        finally:
            observers.remove(sent.append)
        assert answered == 204
        assert 0 < len(sent) <= 3, sent


async def test_reply_costs_few_statements_also_when_it_comes_again(
    web: httpx.AsyncClient,
) -> None:
    fields = [("MessageSid", new_sid()), ("From", "+8613800000009"), ("Body", "满意")]
    # Three for the reply, and one for the head of the log of evaluations.
    for most in (4, 2):
        sent: list[str] = []
        observers.append(sent.append)
        try:
            assert await post(web, "/sms/twilio/inbound", fields) == 204
        finally:
            observers.remove(sent.append)
        assert 0 < len(sent) <= most, sent


def reply(sid: str, words: str = "谢谢") -> Fields:
    return [("Body", words), ("From", PHONE), ("FromCity", ""), ("MessageSid", sid)]


async def taken(sid: str) -> list[tuple[str, object]]:
    async with transaction() as tx:
        await privacy_role.enter(tx)
        return [(row.effect, row.received_at) for row in await tx.all(_TAKEN, sid=sid)]


async def test_replies_fivefold_in_parallel_and_out_of_order_have_one_effect_each(
    web: httpx.AsyncClient,
) -> None:
    told = [reply(new_sid(), words) for words in ("1", "谢谢", "3 水还没有", "TD", "HF")] * 5
    Random(1).shuffle(told)  # noqa: S311 - repeatable on purpose
    answers = await asyncio.gather(*(post(web, REPLIES, fields) for fields in told))
    assert set(answers) == {204}
    for fields in told:
        assert len(await taken(dict(fields)["MessageSid"])) == 1


async def test_reply_that_comes_again_a_day_late_has_no_second_effect(
    web: httpx.AsyncClient,
) -> None:
    sid = new_sid()
    assert await post(web, REPLIES, reply(sid)) == 204
    before = await taken(sid)
    with clock.moved(timedelta(days=1)):
        assert await post(web, REPLIES, reply(sid)) == 204
        assert await post(web, REPLIES, reply(sid, "1")) == 204
    assert (await taken(sid), len(before)) == (before, 1)


@pytest.mark.parametrize("header", [None, b"", b"x", b"A" * 28, "不是签名".encode()])
async def test_forged_reply_is_refused_and_has_no_effect(
    web: httpx.AsyncClient, header: bytes | None
) -> None:
    sid = new_sid()
    headers = {} if header is None else {b"X-Twilio-Signature": header}
    answered = await web.post(REPLIES, data=dict(reply(sid, "1")), headers=headers)
    assert answered.status_code == 403
    assert await taken(sid) == []


async def test_reply_is_refused_under_signature_for_other_words_or_another_address(
    web: httpx.AsyncClient,
) -> None:
    sid = new_sid()
    fields = reply(sid, "3")
    elsewhere = signature(f"/sms/twilio/status/{uuid4()}", fields)
    for stolen in (signature(REPLIES, reply(sid, "1")), elsewhere):
        assert await post(web, REPLIES, fields, stolen) == 403
    assert await post(web, f"{REPLIES}?a=1", fields, signature(REPLIES, fields)) == 403
    assert await taken(sid) == []


async def test_reply_whose_fields_are_parted_elsewhere_under_its_signature_has_no_effect(
    web: httpx.AsyncClient,
) -> None:
    for split in (
        lambda sid: [("Bo", "dy3"), ("From", PHONE), ("FromCity", ""), ("MessageSid", sid)],
        lambda sid: [("Body3", ""), ("From", PHONE), ("FromCity", ""), ("MessageSid", sid)],
        lambda sid: [("Body", f"3From{PHONE}FromCity"), ("MessageSid", sid)],
        lambda sid: [("Body", "3"), ("Fro", f"m{PHONE}"), ("FromCity", ""), ("MessageSid", sid)],
        lambda sid: [("Body", f"3From{PHONE}"), ("FromCity", f"MessageSid{sid}")],
    ):
        sid = new_sid()
        genuine = signature(REPLIES, reply(sid, "3"))
        assert signature(REPLIES, split(sid)) == genuine, "the signature cannot tell"
        assert await post(web, REPLIES, split(sid), genuine) == 204
        assert await taken(sid) == []


async def test_report_of_an_earlier_turn_says_which_in_its_address(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    async with transaction() as tx:
        await tx.execute(text("UPDATE outbox_message SET turn = 3 WHERE id = :id"), id=message_id)
    path, fields = f"/sms/twilio/status/{message_id}", report("sent", sid=new_sid())
    for query in ("", "?turn=2"):
        assert await post(web, path + query, fields) == 204
        assert (await state(message_id))[0] == "queued"
    for query in ("?turn=3", "?turn=x", "?turn=99999999999999999999"):
        assert await post(web, path + query, fields) == 204
    assert (await state(message_id))[0] == "accepted"


@pytest.mark.parametrize("fields", [[], [("NumMedia", "1"), ("MediaContentType0", "image/jpeg")]])
async def test_text_without_body_is_kept_for_people(
    web: httpx.AsyncClient, fields: list[tuple[str, str]]
) -> None:
    sid = new_sid()
    told = [("MessageSid", sid), ("From", "+8613800000019"), *fields]
    assert await post(web, REPLIES, told) == 204
    async with transaction() as tx:
        await privacy_role.enter(tx)
        row = await tx.one_or_none(_KEPT, id=sid)
    assert row is not None
    assert (row.effect, row.not_read) == ("unclear", "no_words")


async def test_text_whose_body_was_parted_anew_is_not_taken(web: httpx.AsyncClient) -> None:
    """The same letters have the same signature: ApiVersion=2010BodyTD instead of ApiVersion=2010, Body=TD."""
    sid = new_sid()
    fields = [("ApiVersion", "2010BodyTD"), ("From", "+8613800000019"), ("MessageSid", sid)]
    assert await post(web, REPLIES, fields) == 204
    async with transaction() as tx:
        await privacy_role.enter(tx)
        assert await tx.one_or_none(_KEPT, id=sid) is None

"""What is pushed to us as the public reaches it: from the provider it has one effect, from others none, and none is a 5xx."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app import db
from app.clock import SHANGHAI
from app.db import transaction
from app.evaluation import privacy_role
from app.texts.outbox import MessageKind, announce
from sms.providers import aliyun_pushes
from tests.sms.pushing import REPLIES, REPORTS, TAKEN_WELL, client, receipt, reply, state, taken

_MOMENTS: Final = text("""
SELECT provider_message_id, received_at FROM surveys.reply
WHERE provider_message_id = ANY(CAST(:ids AS text[])) ORDER BY received_at
""")


async def test_receipt_moves_the_message_also_before_we_knew_the_providers_id(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    failed = receipt(message_id, success=False, err_code="MOBILE_NOT_ON_SERVICE")
    answered = await web.post(REPORTS, json=[failed])
    assert (answered.status_code, answered.json()) == (200, TAKEN_WELL)
    assert await state(message_id) == ("undelivered", failed["biz_id"], "MOBILE_NOT_ON_SERVICE")
    assert (await web.post(REPORTS, json=[receipt(message_id)])).json() == TAKEN_WELL
    assert await state(message_id) == ("delivered", failed["biz_id"], None)


async def test_receipts_doubled_in_parallel_and_out_of_order_have_one_effect(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    batches = [[receipt(message_id, success=won)] for won in (True, False)] * 5
    Random(1).shuffle(batches)  # noqa: S311 - repeatable on purpose
    answers = await asyncio.gather(*(web.post(REPORTS, json=batch) for batch in batches))
    assert {answer.status_code for answer in answers} == {200}
    assert (await state(message_id))[0] == "delivered"


async def test_batches_in_opposite_order_at_once_do_not_wait_for_each_other(
    web: httpx.AsyncClient,
) -> None:
    ids = await announced(20, MessageKind.ONE_TIME_CODE)
    batch = [receipt(one) for one in ids]
    answers = await asyncio.gather(
        *(web.post(REPORTS, json=batch[:: 1 if turn % 2 else -1]) for turn in range(6))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert {(await state(one))[0] for one in ids} == {"delivered"}


async def test_replies_in_opposite_order_at_once_do_not_wait_for_each_other(
    web: httpx.AsyncClient,
) -> None:
    batch = [reply(phone_number=f"1381{place:07d}") for place in range(40)]
    answers = await asyncio.gather(
        *(web.post(REPLIES, json=batch[:: 1 if turn % 2 else -1]) for turn in range(6))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert {await taken(one) for one in batch} == {1}


async def test_same_reply_pushed_ten_times_is_taken_once(web: httpx.AsyncClient) -> None:
    item = reply()
    answers = await asyncio.gather(*(web.post(REPLIES, json=[item, item]) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert await taken(item) == 1


async def test_sequence_with_a_fraction_of_nothing_is_the_same_one(
    web: httpx.AsyncClient,
) -> None:
    item = reply()
    await web.post(REPLIES, json=[item, item | {"sequence_id": float(item["sequence_id"])}])
    await web.post(REPLIES, json=[item | {"sequence_id": str(item["sequence_id"])}])
    assert await taken(item) == 1


@pytest.mark.parametrize(
    ("send_time", "moment"),
    [
        ("2026-11-25 10:00:00", datetime(2026, 11, 25, 2, 0, 1, tzinfo=UTC)),
        ("2026-02-30 10:00:00", None),
        ("9999-12-31 23:59:59", None),
        ("0001-01-01 00:00:00", datetime(1, 1, 1, 0, 0, 1, tzinfo=SHANGHAI)),
        ("2026-11-25T10:00:00Z", None),
        ("", None),
        (1764036000, None),
        (None, None),
        (["2026-11-25 10:00:00"], None),
    ],
)
def test_when_reply_was_sent_is_read_as_shanghais_time_to_end_of_its_second(
    send_time: Any, moment: datetime | None
) -> None:
    read = aliyun_pushes.reply(reply(send_time=send_time))
    assert read is not None
    assert read.sent_at == moment


async def test_reply_pushed_again_after_a_newer_one_is_not_the_newer_one(
    web: httpx.AsyncClient,
) -> None:
    async with transaction() as tx:
        now = await tx.now()
    told = []
    for content, before in (("谢谢", 5), ("收到", 10)):
        sent_at = (now - timedelta(minutes=before)).astimezone(SHANGHAI)
        told.append(reply(content=content, send_time=f"{sent_at:%Y-%m-%d %H:%M:%S}"))
        assert (await web.post(REPLIES, json=[told[-1]])).json() == TAKEN_WELL
    async with transaction() as tx:
        await privacy_role.enter(tx)
        ids = [f"aliyun-{one['sequence_id']}" for one in told]
        rows = await tx.all(_MOMENTS, ids=ids)
    assert [row.provider_message_id for row in rows] == ids[::-1]
    assert now - rows[0].received_at > timedelta(minutes=9)


async def test_moment_no_calendar_knows_keeps_no_reply_from_counting(
    web: httpx.AsyncClient,
) -> None:
    odd = ["9999-12-31 23:59:59", "0001-01-01 00:00:00", "9999-12-31 23:59:58", 10**30, {}]
    batch = [reply(send_time=one) for one in odd]
    assert (await web.post(REPLIES, json=batch)).json() == TAKEN_WELL
    assert [await taken(one) for one in batch] == [1] * len(odd)


BAD: Final[list[Any]] = [
    None,
    7,
    "x",
    [],
    {},
    [[[[]]]],
    {"out_id": "nonsense", "biz_id": "1^0", "success": True},
    {"phone_number": "13800000001"},
    reply(content=None),
    reply(sequence=True),
    reply(sequence=1.5),
    reply(sequence="x" * 100),
    reply(phone_number="+15005550006"),
    reply(phone_number="023-46731234"),
    reply(phone_number=13800000001),
]


async def test_what_cannot_be_read_in_batch_does_not_keep_rest_from_counting(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    worst = [*BAD, receipt(message_id, biz_id="\0"), receipt(message_id, success=None)]
    answered = await web.post(REPORTS, json=[*worst, receipt(message_id), *worst])
    assert (answered.status_code, answered.json()) == (200, TAKEN_WELL)
    assert (await state(message_id))[0] == "delivered"
    good = reply(content="谢谢\0")
    assert (await web.post(REPLIES, json=[*BAD, good, *BAD])).json() == TAKEN_WELL
    assert await taken(good) == 1


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", 400),
        (b"{}", 400),
        (b'"x"', 400),
        (b"[" * 50_000, 400),
        (b"[1", 400),
        (b"[" + b"9" * 5000 + b"]", 200),
        (b"[NaN, Infinity, -Infinity]", 200),
        (b'["\xff\xfe"]', 200),
        (b'[{"sequence_id": 1, "phone_number": "13800000001", "content": "\\ud800"}]', 200),
        (b"[" + b"0," * 600_000 + b"0]", 413),
    ],
    ids=lambda one: repr(one)[:30],
)
@pytest.mark.parametrize("where", [REPORTS, REPLIES])
async def test_no_body_is_a_fault_of_ours(
    web: httpx.AsyncClient, where: str, body: bytes, answer: int
) -> None:
    assert (await web.post(where, content=body)).status_code == answer


async def test_database_that_is_away_is_503_so_that_they_push_again(
    configured: None, message_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert configured is None
    away = db.Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", pool_size=1)
    monkeypatch.setattr("app.db.transactions.database", lambda: away)
    async with client("127.0.0.1") as web:
        for where, item in ((REPORTS, receipt(message_id)), (REPLIES, reply())):
            assert (await web.post(where, json=[item])).status_code == 503


@asynccontextmanager
async def counted() -> AsyncIterator[list[str]]:
    asked: list[str] = []
    db.observers.append(asked.append)
    try:
        yield asked
    finally:
        db.observers.remove(asked.append)


@pytest.mark.parametrize("size", [1, 120])
async def test_push_costs_few_statements_however_much_is_in_it(
    web: httpx.AsyncClient, size: int
) -> None:
    ids = await announced(size, MessageKind.MOVED)
    # Arrived, for a person, to be sent once more, and the account's fault.
    codes = ["DELIVERED", "MOBILE_NOT_ON_SERVICE", "IS_CLOSE", "isv.OUT_OF_SERVICE"]
    receipts = [
        receipt(one, err_code=codes[place % 4], success=place % 4 == 0)
        for place, one in enumerate(reversed(ids))
    ]
    replies = [reply(phone_number=f"139{place:08d}") for place in range(size)]
    # The same once more in the same batch costs nothing.
    for where, items in ((REPORTS, [*receipts, *receipts]), (REPLIES, [*replies, *replies])):
        async with counted() as asked:
            assert (await web.post(where, json=items)).json() == TAKEN_WELL
        # Three for the batch, and one for the head of the log of evaluations.
        assert 1 <= len(asked) <= 4, asked
    arrived = [one for one in ids if (await state(one))[0] == "delivered"]
    assert len(arrived) == -(-size // 4)
    assert sum([await taken(item) for item in replies]) == size


async def test_what_one_batch_says_twice_of_the_same_is_taken_in_its_order(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    failed, won = receipt(message_id, success=False, err_code="IS_CLOSE"), receipt(message_id)
    await web.post(REPORTS, json=[failed, won, failed])
    assert (await state(message_id))[0] == "delivered"
    first, second = reply(content="3"), reply(content="1")
    await web.post(REPLIES, json=[first, second, first])
    assert (await taken(first), await taken(second)) == (1, 1)


async def test_receipt_of_an_earlier_turn_is_not_taken_for_this_ones(
    web: httpx.AsyncClient, message_id: UUID
) -> None:
    async with transaction() as tx:
        await tx.execute(text("UPDATE outbox_message SET turn = 2 WHERE id = :id"), id=message_id)
    await web.post(REPORTS, json=[receipt(message_id, success=False, err_code="INVALID_NUMBER")])
    assert (await state(message_id))[0] == "queued"
    for odd in (f"{message_id}.0", f"{message_id}.x", f"{message_id}.", f"{message_id}.999999"):
        await web.post(REPORTS, json=[receipt(message_id, out_id=odd)])
        assert (await state(message_id))[0] == "queued"
    await web.post(REPORTS, json=[receipt(message_id, out_id=f"{message_id}.2")])
    assert (await state(message_id))[0] == "delivered"


async def test_two_texts_under_one_name_of_the_providers_are_each_taken(
    web: httpx.AsyncClient,
) -> None:
    first, second = await announced(2, MessageKind.ONE_TIME_CODE)
    same = {"biz_id": f"{first.int % 10**18}^0"}
    answered = await web.post(REPORTS, json=[receipt(first, **same), receipt(second, **same)])
    assert answered.json() == TAKEN_WELL
    assert [await state(one) for one in (first, second)] == [
        ("delivered", same["biz_id"], None),
        ("delivered", None, None),
    ]


async def announced(size: int, kind: MessageKind) -> list[UUID]:
    async with transaction() as tx:
        now = await tx.now()
        return [
            announce(
                tx, kind, now=now, phone="+8613800000001", ref="1", title="水", unit="镇", code="1"
            )
            for _ in range(size)
        ]

"""The words as a provider is to approve them, and that an approval is of exactly these words."""

import re
from collections.abc import Iterator

import pytest

from app.db import Transaction, transaction
from app.errors import NotFound, NothingChanged
from app.settings import settings
from app.texts import approvals
from app.texts.approvals import Approval, ApprovalState
from app.texts.outbox import MessageKind
from sms import templates
from sms.gateway import Capabilities, Withheld
from sms.providers import aliyun_protocol, capabilities, open_gateway, twilio_protocol
from sms.simulator.aliyun_templates import approve_all, approved
from sms.texts import TEMPLATES
from tests.sms.aliyun import account, message

CAN = aliyun_protocol.capabilities(account())
ONE_WAY = aliyun_protocol.capabilities(account(sms_two_way=False))
EITHER = pytest.mark.parametrize("can", [CAN, ONE_WAY], ids=["two-way", "one-way"])


@EITHER
@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_text_can_be_applied_for(kind: MessageKind, can: Capabilities) -> None:
    words = templates.words_of(kind, can)
    assert templates.unfit(words, can) is None
    places = re.findall(r"\$\{(\w+)\}", words)
    assert set(places) == TEMPLATES[kind].parameters
    # Nothing but a place, or two places beside each other, is not approved.
    assert not re.search(r"\}\s*\$\{", words)
    assert not re.fullmatch(r"[\s，。]*(\$\{\w+\}[\s，。]*)+", words)


@EITHER
def test_application_says_how_long_each_value_may_be(can: Capabilities) -> None:
    for one in templates.applications(can):
        assert one.values.keys() == TEMPLATES[one.kind].parameters
        assert all(0 < most <= aliyun_protocol.LONGEST_VALUE for most in one.values.values())
        assert one.one_time_code is (one.kind is MessageKind.ONE_TIME_CODE)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_where_no_reply_comes_back_no_text_asks_for_one(kind: MessageKind) -> None:
    words = templates.words_of(kind, ONE_WAY)
    assert "请直接回复" not in words
    assert "请回复" not in words
    if "回复" in templates.words_of(kind, CAN):
        assert "网页" in words


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("水" * 501, "500"),
        ("见 http://a.example", "链接"),
        ("【某县】您好", "【】"),
        ("${title}和${title}", "两次"),
    ],
)
def test_words_that_no_provider_approves_are_told_so(words: str, why: str) -> None:
    assert why in (templates.unfit(words.replace("$", ""), CAN) or "")


def test_simulator_knows_both_wordings_of_every_text() -> None:
    assert len(approved()) == len({words for one in (CAN, ONE_WAY) for words in _words(one)})


def test_twilio_takes_any_words_and_in_mainland_china_hands_nothing_back() -> None:
    can = twilio_protocol.capabilities(account(sms_provider="twilio"))
    assert (can.free_text, can.two_way, can.links) == (True, False, False)


async def test_words_are_pending_until_approved_and_then_known_by_their_code(
    tx: Transaction,
) -> None:
    await templates.register(tx, "aliyun", CAN)
    await templates.register(tx, "aliyun", CAN)
    listed = [one for one in await approvals.listed(tx, "aliyun") if one.current]
    assert {one.kind for one in listed} == set(TEMPLATES)
    assert await templates.unapproved(tx, "aliyun", CAN) == list(TEMPLATES)
    await approve_all(tx)
    await tx.flush()
    assert await templates.unapproved(tx, "aliyun", CAN) == []


async def test_approval_neither_carries_over_to_other_words_nor_is_lost_to_them(
    tx: Transaction,
) -> None:
    await templates.register(tx, "aliyun", CAN)
    await approve_all(tx)
    await tx.flush()
    await templates.register(tx, "aliyun", ONE_WAY)
    asking = [MessageKind.SURVEY, MessageKind.SURVEY_REMINDER]
    assert await templates.unapproved(tx, "aliyun", ONE_WAY) == asking
    await templates.register(tx, "aliyun", CAN)
    assert await templates.unapproved(tx, "aliyun", CAN) == []
    (survey,) = [
        one for one in await approvals.listed(tx, "aliyun") if one.current and one.kind == "survey"
    ]  # fmt: skip
    assert survey.approval is Approval.APPROVED


async def test_what_the_provider_says_is_noted_and_may_be_taken_back(tx: Transaction) -> None:
    await templates.register(tx, "aliyun", CAN)
    first = (await approvals.listed(tx, "aliyun"))[0]
    assert first.id is not None
    now = await tx.now()
    steps = [
        (approvals.reject, "变量未说明", ApprovalState(Approval.REJECTED, None)),
        (approvals.approve, "SMS_1", ApprovalState(Approval.APPROVED, "SMS_1")),
        (approvals.withdraw, "模板已失效", ApprovalState(Approval.PENDING, None)),
    ]
    for note, said, then in steps:
        await note(tx, first.id, said, staff_id=None, now=now)
        await tx.flush()
        assert await approvals.standing(tx, "aliyun", first.kind, first.words) == then
        with pytest.raises(NothingChanged):
            await note(tx, first.id, said, staff_id=None, now=now)
    with pytest.raises(NotFound):
        await approvals.approve(tx, 2**31 - 1, "SMS_1", staff_id=None, now=now)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SMS_PROVIDER", "aliyun")
    monkeypatch.setenv("ALIYUN_API_URL", "http://127.0.0.1:1")
    settings.cache_clear()
    yield
    settings.cache_clear()


async def test_words_provider_was_never_asked_about_come_on_list_when_they_are_to_be_sent(
    county: None, configured: None
) -> None:
    assert county is None
    assert configured is None
    gateway = open_gateway()
    try:
        sent = await gateway.send(message(kind=MessageKind.REWORKED))
    finally:
        await gateway.close()
    assert isinstance(sent, Withheld)
    assert sent.code == "template_pending"
    async with transaction() as tx:
        assert MessageKind.REWORKED in await templates.unapproved(tx, "aliyun", capabilities())
        assert "reworked" in {one.kind for one in await approvals.listed(tx, "aliyun")}


def _words(can: Capabilities) -> list[str]:
    return [one.words for one in templates.applications(can)]

"""What becomes of a text, and how fast and whether texts go out at all: rules without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from app.texts import policy
from app.texts.channel import SmsChannel, granted, paced
from app.texts.outbox import TO_STAFF, MessageKind, MessageState, Why, worth_sending
from app.texts.policy import ATTEMPTS, Outcome, after_attempt, after_inquiry, after_report, refused
from app.texts.terms import ErrorClass, FollowedBy, PauseReason, kind_in_chinese, why_in_chinese

TEXT, CODE, SURVEY = MessageKind.ANSWERED, MessageKind.ONE_TIME_CODE, MessageKind.SURVEY
NOTICE = MessageKind.STAFF_NOTICE
QUEUED, HUMAN, FAILED = MessageState.QUEUED, MessageState.NEEDS_HUMAN, MessageState.FAILED
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "state", "why"),
    [
        (ErrorClass.NUMBER_UNUSABLE, HUMAN, Why.NUMBER_UNUSABLE),
        (ErrorClass.OPTED_OUT, HUMAN, Why.OPTED_OUT),
        (ErrorClass.CONTENT, HUMAN, Why.CONTENT),
        (ErrorClass.TEMPLATE_PENDING, HUMAN, Why.TEMPLATE_PENDING),
        (ErrorClass.TEMPLATE_REJECTED, HUMAN, Why.TEMPLATE_REJECTED),
        (ErrorClass.AMBIGUOUS, HUMAN, Why.REFUSED),
        (ErrorClass.TRANSIENT, QUEUED, None),
        (ErrorClass.ACCOUNT, QUEUED, None),
    ],
)
def test_class_of_a_refusal_decides_what_happens(
    error: ErrorClass, state: MessageState, why: Why | None
) -> None:
    step = after_attempt(TEXT, 1, refused(error, "1"))
    assert (step.state, step.why) == (state, why)


@pytest.mark.parametrize("error", ErrorClass)
def test_no_refusal_makes_a_code_anybodys_business(error: ErrorClass) -> None:
    assert after_attempt(CODE, ATTEMPTS, refused(error, "1")).state in {QUEUED, FAILED}


def test_who_wants_no_texts_is_not_called_about_a_question() -> None:
    assert after_attempt(SURVEY, 1, refused(ErrorClass.OPTED_OUT, "21610")).state is FAILED


def test_what_the_account_refuses_keeps_its_place_and_its_attempts() -> None:
    step = after_attempt(TEXT, ATTEMPTS, refused(ErrorClass.ACCOUNT, "20003"))
    assert (step.state, step.more, step.pause) == (QUEUED, -1, None)


def test_pauses_grow_and_end_with_a_person() -> None:
    transient = refused(ErrorClass.TRANSIENT, "20429")
    pauses = [after_attempt(TEXT, n, transient).pause for n in range(1, ATTEMPTS)]
    assert all(pause is not None for pause in pauses)
    assert timedelta(seconds=7) < (pauses[0] or timedelta()) <= timedelta(seconds=15)
    assert (pauses[-1] or timedelta()) > timedelta(minutes=4)
    last = after_attempt(TEXT, ATTEMPTS, transient)
    assert (last.state, last.why) == (HUMAN, Why.TRIED_OUT)


def test_inquiry_while_the_provider_is_away_is_not_in_vain() -> None:
    vain = Outcome(MessageState.UNKNOWN, error="timeout")
    away = Outcome(MessageState.UNKNOWN, error="timeout", counts=False)
    assert after_inquiry(TEXT, ATTEMPTS - 1, vain).why is Why.NEVER_KNOWN
    assert after_inquiry(TEXT, ATTEMPTS, away).state is MessageState.UNKNOWN
    assert after_inquiry(TEXT, ATTEMPTS, away).more == 0


@pytest.mark.parametrize(
    ("error", "may_retry", "state", "why"),
    [
        (ErrorClass.TRANSIENT, True, QUEUED, None),
        (ErrorClass.TRANSIENT, False, HUMAN, Why.UNDELIVERED),
        (ErrorClass.ACCOUNT, True, QUEUED, None),
        (ErrorClass.ACCOUNT, False, HUMAN, Why.UNDELIVERED),
        (ErrorClass.OPTED_OUT, True, HUMAN, Why.OPTED_OUT),
        (ErrorClass.NUMBER_UNUSABLE, True, HUMAN, Why.NUMBER_UNUSABLE),
        (ErrorClass.CONTENT, True, HUMAN, Why.CONTENT),
        (ErrorClass.AMBIGUOUS, True, HUMAN, Why.UNDELIVERED),
        (None, True, HUMAN, Why.UNDELIVERED),
    ],
)
def test_text_reported_undelivered_is_tried_once_more_or_a_person_is_told(
    error: ErrorClass | None, may_retry: bool, state: MessageState, why: Why | None
) -> None:
    step = after_report(TEXT, MessageState.UNDELIVERED, error, may_retry=may_retry)
    assert (step.state, step.why) == (state, why)
    code = after_report(CODE, MessageState.UNDELIVERED, error, may_retry=may_retry)
    assert code.state is MessageState.UNDELIVERED


def test_code_is_worth_less_time_than_it_is_valid_and_the_rest_days() -> None:
    assert worth_sending(CODE) < timedelta(minutes=5)
    for kind in TO_STAFF:
        assert worth_sending(kind) < timedelta(days=1), "there is another one tomorrow"
    for kind in set(MessageKind) - {CODE} - TO_STAFF:
        assert timedelta(days=3) <= worth_sending(kind) <= timedelta(days=7)
    assert policy.expired(CODE) is MessageState.EXPIRED
    assert policy.expired(NOTICE) is MessageState.EXPIRED
    assert policy.expired(TEXT) is HUMAN


def test_nobody_is_asked_to_see_to_a_notice_to_staff() -> None:
    """They see what it was about when they sign in."""
    ends = [
        policy.after_attempt(NOTICE, 1, policy.refused(error, "code"))
        for error in (ErrorClass.NUMBER_UNUSABLE, ErrorClass.OPTED_OUT, ErrorClass.CONTENT)
    ]
    ends.append(policy.after_attempt(NOTICE, policy.ATTEMPTS, Outcome(MessageState.QUEUED)))
    ends.append(policy.at_the_limit(NOTICE, Why.OVER_LIMIT))
    assert {step.state for step in ends} == {MessageState.FAILED}
    report = after_report(NOTICE, MessageState.UNDELIVERED, ErrorClass.TRANSIENT, may_retry=True)
    assert report.state is MessageState.UNDELIVERED


def test_every_word_of_delivery_is_said_in_chinese() -> None:
    texts = set(MessageKind) - {MessageKind.SURVEY_OWED}
    assert len({kind_in_chinese(kind) for kind in texts}) == len(texts)
    assert all(one.chinese for one in FollowedBy)


@pytest.mark.parametrize("given", [*Why, *PauseReason])
def test_every_reason_says_what_is_wrong_and_what_to_do(given: Why | PauseReason) -> None:
    said = why_in_chinese(given) if isinstance(given, Why) else given.chinese
    wrong, _, to_do = said.partition("，")
    assert wrong
    assert any(word in to_do for word in ("请", "可以"))
    assert not [letter for letter in said if letter.isascii()], "people read no codes"


@pytest.mark.parametrize("error", ErrorClass)
def test_no_class_of_error_is_left_without_a_reason_or_another_try(error: ErrorClass) -> None:
    steps = [
        after_attempt(TEXT, 1, refused(error, "1")),
        *(after_report(TEXT, MessageState.FAILED, error, may_retry=may) for may in (True, False)),
    ]
    for step in steps:
        assert (step.state is QUEUED) or (step.state is HUMAN and step.why is not None)


def channel(**how: object) -> SmsChannel:
    return SmsChannel(**{"provider": "twilio", "paced_until": NOW, **how})


def test_over_any_time_no_more_goes_out_than_the_rate_and_a_little() -> None:
    own, sent, moment = channel(), 0, NOW
    while moment < NOW + timedelta(seconds=10):
        grant = granted(own, moment, most=64, rate=40)
        sent += grant.most
        own.paced_until = paced(own, moment, claimed=grant.most, rate=40)
        moment += max(grant.wait, timedelta(milliseconds=1))
    assert 400 <= sent <= 411


@pytest.mark.parametrize("rate", [0.2, 1, 3])
def test_slow_rate_still_lets_one_through_at_a_time(rate: float) -> None:
    own = channel()
    assert granted(own, NOW, most=64, rate=rate).most == 1
    own.paced_until = paced(own, NOW, claimed=1, rate=rate)
    grant = granted(own, NOW, most=64, rate=rate)
    assert grant.most == 0
    assert granted(own, NOW + grant.wait, most=64, rate=rate).most == 1


def test_without_a_rate_a_whole_batch_goes() -> None:
    assert granted(channel(), NOW, most=64, rate=0).most == 64


def test_paused_channel_lets_nothing_through_and_then_one_probe() -> None:
    later = NOW + timedelta(seconds=30)
    own = channel(paused_since=NOW, paused_until=later, paused_why=PauseReason.ACCOUNT)
    assert granted(own, NOW, most=64, rate=0).most == 0
    probe = granted(own, later, most=64, rate=0)
    assert (probe.most, probe.probe) == (1, True)
    own.probe_until = later + timedelta(seconds=40)
    assert granted(own, later, most=64, rate=0).most == 0
    # Whoever probed did not come back.
    assert granted(own, own.probe_until, most=64, rate=0).probe

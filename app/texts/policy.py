"""Decides the next step of a text from its kind and state. Pure: looks nothing up, changes nothing."""

from datetime import timedelta
from random import random
from typing import Final

from msgspec import Struct

from app.texts.outbox import FINAL, TO_STAFF, MessageKind, MessageState, Why
from app.texts.terms import ErrorClass

# A refusal for the moment: tried again after so long, doubled each time, with jitter.
_FIRST_PAUSE_SECONDS: Final = 15.0
_LONGEST_PAUSE_SECONDS: Final = 600.0
# So many tries or vain inquiries, which is three hours at least, and a person has to look at it. A worker that died with
# a text in its hands used one up too.
ATTEMPTS: Final = 20
# What an unknown attempt is left alone for, so that the provider's report can come in.
INQUIRE_AFTER: Final = timedelta(seconds=20)
# How long after it was accepted a text is asked after of which no report came. Reports come within minutes; the networks try
# a phone that is off for a day or two; and the last inquiry comes before a survey is looked at again, on its third day.
ASK_AFTER: Final = (timedelta(hours=2), timedelta(hours=12), timedelta(hours=48))
# What only asks for something: who wants no texts is not called about it.
_ASKING: Final = frozenset({MessageKind.SURVEY, MessageKind.SURVEY_REMINDER})
# Nobody sees to these: whoever waits for a code asks for another, and what staff were to look at they see when they sign in.
_UNATTENDED: Final = frozenset({MessageKind.ONE_TIME_CODE}) | TO_STAFF
# A phone that was off or out of reach when the provider gave up is tried once more, after so long.
RETRY_AFTER: Final = timedelta(minutes=30)


class Outcome(Struct, frozen=True):
    """What came of an attempt or an inquiry. QUEUED: the provider does not have it; `counts` says whether it refused.

    What does not count was no attempt: it takes its place in the queue again as if nothing had been tried.
    """

    state: MessageState
    provider_id: str | None = None
    error: str | None = None
    counts: bool = True
    why: Why | None = None


class Step(Struct, frozen=True):
    """The next state. `more`: by how much the attempts change; `pause`: until the next step, None: the place is kept."""

    state: MessageState
    why: Why | None = None
    more: int = 0
    pause: timedelta | None = None

    @property
    def final(self) -> bool:
        return self.state in FINAL


_OF_REFUSAL: Final = {
    ErrorClass.NUMBER_UNUSABLE: Why.NUMBER_UNUSABLE,
    ErrorClass.OPTED_OUT: Why.OPTED_OUT,
    ErrorClass.CONTENT: Why.CONTENT,
    ErrorClass.TEMPLATE_PENDING: Why.TEMPLATE_PENDING,
    ErrorClass.TEMPLATE_REJECTED: Why.TEMPLATE_REJECTED,
    ErrorClass.AMBIGUOUS: Why.REFUSED,
}


def refused(error: ErrorClass, code: str) -> Outcome:
    """What it means that the provider did not take a text."""
    match error:
        case ErrorClass.TRANSIENT:
            return Outcome(MessageState.QUEUED, error=code)
        case ErrorClass.ACCOUNT:
            # No fault of this text: it waits in its place until the account is in order again.
            return Outcome(MessageState.QUEUED, error=code, counts=False)
        case _:
            return Outcome(MessageState.NEEDS_HUMAN, error=code, why=_OF_REFUSAL[error])


def after_attempt(kind: MessageKind, attempts: int, outcome: Outcome) -> Step:
    """`attempts` includes the one whose outcome this is."""
    if outcome.state is MessageState.UNKNOWN:
        return Step(MessageState.UNKNOWN, pause=INQUIRE_AFTER)
    if outcome.state is not MessageState.QUEUED:
        return _ended(kind, outcome.state, outcome.why)
    if not outcome.counts:
        return Step(MessageState.QUEUED, more=-1)
    if attempts >= ATTEMPTS:
        return _ended(kind, MessageState.NEEDS_HUMAN, Why.TRIED_OUT)
    return Step(MessageState.QUEUED, pause=_pause(attempts))


def after_inquiry(kind: MessageKind, attempts: int, outcome: Outcome) -> Step:
    vain = outcome.state is MessageState.UNKNOWN
    if outcome.state is MessageState.QUEUED and kind is MessageKind.ONE_TIME_CODE:
        # Its reader has asked for another one by now; two codes on one screen help nobody.
        return Step(MessageState.FAILED)
    if vain and not outcome.counts:
        return Step(MessageState.UNKNOWN, pause=INQUIRE_AFTER)
    if outcome.state in (MessageState.QUEUED, MessageState.UNKNOWN) and attempts + vain >= ATTEMPTS:
        why = Why.NEVER_KNOWN if vain else Why.TRIED_OUT
        return _more(_ended(kind, MessageState.NEEDS_HUMAN, why), int(vain))
    if vain:
        return Step(MessageState.UNKNOWN, more=1, pause=_pause(attempts))
    if outcome.state is MessageState.QUEUED:
        return Step(MessageState.QUEUED)
    return _ended(kind, outcome.state, outcome.why)


def after_report(
    kind: MessageKind, status: MessageState, error: ErrorClass | None, *, may_retry: bool
) -> Step:
    """What a report that a text did not arrive means. QUEUED: it is to be sent once more, as a new turn."""
    if kind in _UNATTENDED:
        return Step(status)
    # Neither is a fault of this text's; of the account's, nothing is sent anyway until it is in order.
    if error in (ErrorClass.TRANSIENT, ErrorClass.ACCOUNT) and may_retry:
        return Step(MessageState.QUEUED, pause=RETRY_AFTER)
    why = Why.UNDELIVERED if error is None else _OF_REFUSAL.get(error, Why.UNDELIVERED)
    if why is Why.REFUSED:
        why = Why.UNDELIVERED
    return _ended(kind, MessageState.NEEDS_HUMAN, why)


def after_vain_inquiry(inquiries: int) -> timedelta | None:
    """When a text that was accepted is asked after again, this inquiry being one of so many. None: never, it stays unknown.

    One that the provider did not answer counts too: where it does not let us ask, it would be asked for ever.
    """
    if inquiries >= len(ASK_AFTER):
        return None
    return ASK_AFTER[inquiries] - ASK_AFTER[inquiries - 1]


def at_the_limit(kind: MessageKind, why: Why) -> Step:
    """What must not be sent to this number now, and cannot wait."""
    return _ended(kind, MessageState.NEEDS_HUMAN, why)


def expired(kind: MessageKind) -> MessageState:
    """What nobody sees to is simply not sent; of anything else a person is told."""
    return MessageState.EXPIRED if kind in _UNATTENDED else MessageState.NEEDS_HUMAN


def _ended(kind: MessageKind, state: MessageState, why: Why | None) -> Step:
    if state is MessageState.NEEDS_HUMAN and kind in _UNATTENDED:
        return Step(MessageState.FAILED, why)
    if why is Why.OPTED_OUT and kind in _ASKING:
        return Step(MessageState.FAILED, why)
    if state is MessageState.ACCEPTED:
        return Step(state, pause=ASK_AFTER[0])
    return Step(state, why)


def _more(step: Step, more: int) -> Step:
    return Step(step.state, step.why, more, step.pause)


def _pause(attempts: int) -> timedelta:
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** (attempts - 1), _LONGEST_PAUSE_SECONDS)
    return timedelta(seconds=longest * (0.5 + random() / 2))  # noqa: S311 - jitter, not a secret

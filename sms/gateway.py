"""What the outbox asks of a provider of text messages, and what it may answer. Knows no provider.

A provider is handed both the rendered text and the template with its parameters: Twilio sends the one, a domestic
gateway the other. What comes of an attempt is one of five things. After two of them (`NotSent`, `Withheld`) nothing is with
the provider for certain; after `Unknown` it is asked what became of the text before the attempt is made again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias
from uuid import UUID

from msgspec import Struct

from app.texts.inbound import InboundText
from app.texts.outbox import MessageState
from app.texts.terms import ErrorClass

__all__ = [
    "Accepted",
    "ErrorClass",
    "Gateway",
    "Inbox",
    "NotSent",
    "OutgoingText",
    "Received",
    "Refused",
    "SendResult",
    "SentText",
    "Status",
    "Unknown",
    "Withheld",
]


class Capabilities(Struct, frozen=True):
    """What a provider can do, as far as it decides what is offered to people and in which words.

    `two_way`: what people reply comes back to us. `links`: a text may carry one. `free_text`: any words may be sent;
    else only approved templates, each of their values at most `longest_value` characters.
    """

    two_way: bool
    links: bool
    free_text: bool
    longest_value: int | None = None


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """One text to one number in E.164. Who it goes to and what it says never show in a log line."""

    id: UUID
    phone: str = field(repr=False)
    template: str
    parameters: Mapping[str, str] = field(repr=False)
    body: str = field(repr=False)
    # Carries `id`, so that the provider's report finds the message even where its answer to us was lost.
    callback_url: str
    # Sent again after it had ended, it is another text: what became of the one before says nothing about this one.
    turn: int = 1


@dataclass(frozen=True, slots=True)
class SentText:
    """A text that the provider took, as far as it needs to be known to ask after it. It went out between two moments."""

    id: UUID
    turn: int
    phone: str = field(repr=False)
    provider_id: str | None
    not_before: datetime
    not_after: datetime


class Accepted(Struct, frozen=True):
    """The provider has it and named it `provider_id`; whether it arrives is reported later.

    None: it was found, and the provider does not tell its name for it when asked.
    """

    provider_id: str | None


class Refused(Struct, frozen=True):
    """The provider answered that it does not take this text; it has nothing."""

    code: str
    error: ErrorClass


class Withheld(Struct, frozen=True):
    """The text was not even shown to the provider, so this says nothing of how the provider is. `error` is never ACCOUNT."""

    code: str
    error: ErrorClass


class Unknown(Struct, frozen=True):
    """The request went out and no clear answer came back: the provider may or may not have it."""

    reason: str


class NotSent(Struct, frozen=True):
    """The provider could not be reached, and has nothing; the same text may be sent again."""

    reason: str


class Status(Struct, frozen=True):
    """How far a text has come, as a report would tell it: ACCEPTED (not decided yet), DELIVERED, UNDELIVERED or FAILED."""

    state: MessageState
    error_code: str | None = None
    error: ErrorClass | None = None


SendResult: TypeAlias = Accepted | Refused | Withheld | Unknown | NotSent


class Received(Struct, frozen=True):
    """What people texted us, the oldest first. Not `whole`: there was more than is read at once, and the oldest is missing."""

    texts: Sequence[InboundText]
    whole: bool = True


class Inbox(Protocol):
    """Where a provider keeps what people texted us."""

    async def received(self, since: datetime) -> Received | Unknown:
        """What came in since then. Unknown: it could not be asked."""
        ...


class Gateway(Protocol):
    """One provider, held open for the life of a worker."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def inbox(self) -> Inbox | None:
        """To look for replies that were handed to us in vain. None: whatever we did not take is handed to us again."""
        ...

    async def send(self, message: OutgoingText) -> SendResult:
        """Make exactly one attempt. Raises nothing for whatever the provider does."""
        ...

    async def find(
        self, message: OutgoingText, *, attempted_at: datetime, taken: Collection[str] = ()
    ) -> Accepted | NotSent | Unknown:
        """What became of an attempt that ended unknown.

        `taken` are provider ids known to belong to other messages: two texts to one number may read the same.
        NotSent: the provider answered, and has no such text. Unknown: it could not be asked.
        """
        ...

    async def status_of(self, sent: SentText) -> Status | NotSent | Unknown:
        """What became of a text that was accepted and of which no report came. Sends nothing, whatever is answered.

        NotSent: the provider answered, and knows of no such text. Unknown: it could not be asked.
        """
        ...

    async def close(self) -> None: ...

"""The templates as a provider is to approve them, and whether it has. Who approves what stands in app/texts/approvals.py.

A provider that takes any words needs no approval; then nothing here is asked.
"""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from app.db import Transaction, reading, transaction
from app.texts import approvals
from app.texts.approvals import Approval, ApprovalState
from app.texts.outbox import MessageKind
from sms.gateway import Capabilities
from sms.texts import TEMPLATES, cleaned

# What providers here allow a whole text, and how they want places marked.
_LONGEST_WORDS: Final = 500
_LONGEST_CODE: Final = 6
_PLACE: Final = re.compile(r"\{(\w+)\}")


class Application(Struct, frozen=True):
    """One template as one applies for its approval; `values` are its places, and the most characters of each."""

    kind: MessageKind
    words: str
    one_time_code: bool
    values: Mapping[str, int]


def words_of(kind: MessageKind, capabilities: Capabilities) -> str:
    """The words with `${places}`, as they are approved; without the signature, which the provider puts before them."""
    return _PLACE.sub(r"${\1}", TEMPLATES[kind].in_words(capabilities))


def applications(capabilities: Capabilities) -> list[Application]:
    return [
        Application(
            kind,
            words_of(kind, capabilities),
            kind is MessageKind.ONE_TIME_CODE,
            _most(kind, capabilities),
        )
        for kind in TEMPLATES
    ]


def _most(kind: MessageKind, capabilities: Capabilities) -> dict[str, int]:
    template, longest = TEMPLATES[kind], capabilities.longest_value or _LONGEST_WORDS
    if kind is MessageKind.ONE_TIME_CODE:
        longest = min(longest, _LONGEST_CODE)
    told = {**template.exact, **template.shortened}
    return {
        name: min(told.get(name, longest), longest)
        for name in _PLACE.findall(template.in_words(capabilities))
    }


def unfit(words: str, capabilities: Capabilities) -> str | None:
    """Why this provider could not be asked to approve these words; None: it can."""
    if len(words) > _LONGEST_WORDS:
        return f"超过 {_LONGEST_WORDS} 字"
    if not capabilities.links and cleaned(words) != words:
        return "含有链接、【】或不可见的字符"
    if len(_PLACE.findall(words)) != len(set(_PLACE.findall(words))):
        return "同一个变量出现两次"
    return None


async def register(tx: Transaction, provider: str, capabilities: Capabilities) -> None:
    """Have what the system says now among the provider's templates."""
    if not capabilities.free_text:
        await approvals.register(
            tx, provider, {kind: words_of(kind, capabilities) for kind in TEMPLATES}
        )


async def standing(provider: str, kind: MessageKind, capabilities: Capabilities) -> ApprovalState:
    """What the provider says to this text; words it was never asked about are put on the list."""
    words = words_of(kind, capabilities)
    async with reading() as tx:
        found = await approvals.standing(tx, provider, kind, words)
    if found is None:
        async with transaction() as tx:
            await register(tx, provider, capabilities)
        return ApprovalState(Approval.PENDING, None)
    return found


async def unapproved(
    tx: Transaction, provider: str, capabilities: Capabilities
) -> list[MessageKind]:
    """Which texts are not sent, since the provider has not approved what they say now."""
    if capabilities.free_text:
        return []
    known = await approvals.approved(tx, provider)
    return [kind for kind in TEMPLATES if (kind, words_of(kind, capabilities)) not in known]

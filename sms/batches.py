"""Where texts from residents come in (`hear`), and a provider's many reports are grouped in as few transactions as possible. Decides nothing about them."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from app.db import transaction
from app.evaluation import reply_reader
from app.evaluation.receiving import receive
from app.texts.inbound import InboundText

R = TypeVar("R", bound=Hashable)


async def hear(given: Sequence[InboundText]) -> int:
    """Take what people texted, each once, however often and by whichever way it is told; returns how many were new.

    They are read outside any transaction: a text that takes long to read holds up no lock and no connection.
    """
    read = {words: await reply_reader.read(words) for words in {one.text for one in given}}
    new = 0
    for some in apart(given, lambda one: (one.from_phone, one.provider_message_id)):
        async with transaction() as tx:
            effects = await receive(tx, some, readings=[read[one.text] for one in some])
        new += sum(effect is not None for effect in effects)
    return new


def apart(given: Iterable[R], about: Callable[[R], tuple[Hashable, Hashable]]) -> list[list[R]]:
    """As few groups as can be, each for one transaction: in none do two speak of the same, the first told stands first.

    What is told twice in the same words is told once.
    """
    groups: list[tuple[list[R], set[Hashable], set[Hashable]]] = []
    for one in dict.fromkeys(given):
        this, that = about(one)
        # Behind the last group that speaks of either, so that what was told of the same stays in its order.
        place = 1 + max(
            (n for n, (_, these, those) in enumerate(groups) if this in these or that in those),
            default=-1,
        )
        if place == len(groups):
            groups.append(([], set(), set()))
        group, these, those = groups[place]
        group.append(one)
        these.add(this)
        those.add(that)
    return [group for group, _, _ in groups]

"""Text messages while everything goes wrong: real worker processes, the real adapter, the real simulator, real webhooks.

Only waiting is shortened: leases of workers that are dead lapse at once, and pauses pass. What is judged is what the provider
says it was sent, what our rows say, and what the doctor finds.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.texts.outbox import MessageKind, OutboxMessage
from tests.faults.post import OPEN, WORKERS, Crew, Post, moment, owed

# At most so many of the messages may have been sent twice.
DOUBLED_AT_MOST = 0.001
LYING = {
    "too_many": 0.10, "error_accepted": 0.05, "error_not_accepted": 0.05, "stall_accepted": 0.10, "stall_seconds": 1.5,
    "silent": 0.5, "report_delay_seconds": 0.05,
}  # fmt: skip

_CODES_LEFT = (
    "SELECT count(*) FROM outbox_message WHERE kind = 'one_time_code' AND state <> 'expired'"
)
_TRIED = "SELECT coalesce(sum(attempts), 0) FROM outbox_message WHERE state = 'queued'"
# Only while no worker lives: one that does may still be sending.
_LEASES_LAPSE = (
    "UPDATE outbox_message SET lease_until = now() WHERE state IN ('sending', 'unknown')"
)


_IN_HAND = "SELECT id FROM outbox_message WHERE state = 'sending'"
_NOTE_LAPSES = """
CREATE TABLE lapsed (id uuid NOT NULL);
CREATE FUNCTION note_lapse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
  'BEGIN INSERT INTO lapsed VALUES (NEW.id); RETURN NULL; END';
CREATE TRIGGER note_lapse AFTER UPDATE ON outbox_message FOR EACH ROW
  WHEN (OLD.state = 'sending' AND NEW.state <> 'sending' AND NEW.error = 'lease_lapsed') EXECUTE FUNCTION note_lapse()
"""
_TOLD, _UNTOLD = "accepted", {"error_accepted", "stall_accepted"}


@dataclass(frozen=True, slots=True)
class Judged:
    held: bool
    told: str


async def killed(post: Post, *, texts: int, kills: int, rate: int, module: str = WORKERS) -> Judged:
    """Workers die at random while the provider answers 429, 500 and nothing, and has half of what it denies.

    Who dies when nothing is left to be sent shows nothing, and is not counted: before that comes to be, more texts are owed.
    """
    messages: list[OutboxMessage] = []
    in_hand: set[UUID] = set()
    await note_lapses(post)
    await _owe_more(post, messages, texts)
    await post.behave(seed=post.chance.randrange(10**6), **LYING)
    struck = 0
    async with post.workers(module, rate=rate) as crew:
        while struck < kills:
            struck += await _wave(post, crew, min(8, kills - struck), messages, in_hand, low=rate)
        await crew.start(2)
        await post.drained(meanwhile=post.pauses_pass)
    judged = await _once_each(
        post, messages, in_hand, f"{struck} of {kills} killed while texts were open"
    )
    return Judged(judged.held and struck >= kills, judged.told)


async def _owe_more(post: Post, messages: list[OutboxMessage], texts: int) -> None:
    now = await moment(post)
    more = [owed(len(messages) + number, now) for number in range(texts)]
    await post.owe(more)
    messages += more


async def _wave(
    post: Post,
    crew: Crew,
    kills: int,
    messages: list[OutboxMessage],
    in_hand: set[UUID],
    *,
    low: int,
) -> int:
    """Some die and are replaced, at last all die; then, and only then, what they held lapses. How many died at their work.

    `low`: with fewer texts open there will be as many more. `in_hand`: to it comes what was being sent when one died.
    """
    await crew.start(2)
    struck = 0
    for _ in range(kills):
        if await post.ask(OPEN) < low:
            await _owe_more(post, messages, low)
        before = (await post.counts())["requests"]

        async def got_somewhere(before: int = before) -> bool:
            # Whoever is killed while starting shows nothing.
            return (await post.counts())["requests"] > before or not await post.ask(OPEN)

        await post.until(got_somewhere)
        await asyncio.sleep(post.chance.uniform(0, 0.2))
        crew.kill(post.chance.choice(crew.alive))
        in_hand |= await _being_sent(post)
        # Asked of the dead: what is open now was open when they died.
        struck += await post.ask(OPEN) > 0
        await crew.start()
        await post.arrived()
        await post.pauses_pass()
    crew.kill_all()
    in_hand |= await _being_sent(post)
    await post.do(_LEASES_LAPSE)
    return struck


async def _being_sent(post: Post) -> set[UUID]:
    return {row["id"] for row in await post.rows(_IN_HAND)}


async def _once_each(
    post: Post, messages: list[OutboxMessage], in_hand: set[UUID], told: str
) -> Judged:
    counts, arrived = await post.counts(), await post.arrived()
    accepted, doubled = counts["messages"], counts["doubled"]
    lost = len(messages) - len(set(await post.sent_to()))
    strange = await unexplained(post, messages, in_hand) if doubled else 0
    breaches = await post.breaches()
    held = (
        arrived == len(messages)
        and lost == strange == 0
        and doubled <= DOUBLED_AT_MOST * len(messages)
        and not breaches
    )
    return Judged(
        held,
        f"{accepted:,} accepted of {len(messages):,}, {arrived:,} known to be, {lost} lost, {doubled} doubled ({strange} of them never unknown), "
        f"{counts['requests']:,} requests, {told}; doctor: {', '.join(breaches) or 'nothing'}",
    )


async def note_lapses(post: Post) -> None:
    """Have written down, for each text and time, that whoever was sending it never told what came of it."""
    await post.do(_NOTE_LAPSES)


async def unexplained(post: Post, messages: list[OutboxMessage], in_hand: set[UUID]) -> int:
    """How many were sent again though it was known that the provider had them. `in_hand`: being sent when a worker died."""
    lapsed = Counter(row["id"] for row in await post.rows("SELECT id FROM lapsed"))
    found = 0
    for message in messages:
        died = lapsed[message.id] if message.id in in_hand else 0
        found += not explained(await post.treatments(message.id), died=died)
    return found


def explained(treatments: Sequence[str], *, died: int) -> bool:
    """Whether each acceptance but the last was one that nobody was told of, or that `died` with whoever was told. Pure."""
    accepted = [one for one in treatments if one in {_TOLD, *_UNTOLD}]
    return accepted[:-1].count(_TOLD) <= died


async def away(
    post: Post, *, texts: int, codes: int, rate: int, back: Callable[[], Awaitable[None]]
) -> Judged:
    """The provider has been away for six hours; `back` brings it back."""
    now = await moment(post)
    hours = timedelta(hours=6)
    queued = [owed(n, now - hours * (texts - n) / texts) for n in range(texts)]
    old = [owed(texts + n, now - timedelta(minutes=5 + n % 300), kind=MessageKind.ONE_TIME_CODE) for n in range(codes)]  # fmt: skip
    await post.owe(post.chance.sample(queued + old, texts + codes))
    # Long: on a slow machine too, no text is overtaken because its answer came late.
    async with post.workers(rate=rate, timeout_seconds=20) as crew:
        await crew.start(2)

        async def paused_and_expired() -> bool:
            paused = await post.ask(
                "SELECT count(*) FROM sms_channel WHERE paused_since IS NOT NULL"
            )
            return bool(paused) and not await post.ask(_CODES_LEFT)

        await post.until(paused_and_expired)
        tried = await post.ask(_TRIED)
        await back()
        await post.behave(silent=1)
        # The pause is over: hours have gone by.
        await post.do("UPDATE sms_channel SET paused_until = now() WHERE paused_since IS NOT NULL")
        began = time.monotonic()
        await post.drained()
        seconds = time.monotonic() - began
    order = [int(to[-8:]) for to in await post.sent_to()]
    farthest = max((abs(place - number) for place, number in enumerate(order)), default=0)
    breaches = await post.breaches()
    # What several workers hold at once comes in any order; more than that is no order.
    in_order, in_rate = farthest <= 2 * 64 + 64, texts / seconds <= rate * 1.15
    held = sorted(order) == list(range(texts)) and in_order and in_rate and not breaches
    return Judged(
        held,
        f"{len(order):,} of {texts:,} sent at {texts / seconds:.0f}/s (rate {rate}), none farther than {farthest} from its place, "
        f"{codes} codes expired unsent, {tried} attempts used up; doctor: {', '.join(breaches) or 'nothing'}",
    )

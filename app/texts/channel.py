"""The way to the provider as all worker processes share it: how many texts a second, and whether any at all. Sends nothing.

One row per provider, locked while a worker claims: so the rate holds over all processes, and where every further text
would fare the same (the account, a provider that is away) nobody claims for a while, longer each time, but for one probe.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import CheckConstraint, Text, text
from sqlmodel import Field

from app import clock
from app.db import Transaction
from app.db.query import Query, columns
from app.db.row_base import MOMENT, Stored, one_of
from app.texts.terms import PauseReason


class SmsChannel(Stored, table=True):
    """One provider. `paced_until`: by the rate, when the texts claimed so far will all have gone out.

    `paused_until`: before it nothing is claimed; after it one probe at a time, under way until `probe_until`. Empty: it works.
    """

    __tablename__ = "sms_channel"
    __table_args__ = (
        one_of("paused_why", PauseReason),
        CheckConstraint(
            "(paused_since IS NULL) = (paused_until IS NULL) AND (paused_since IS NULL) = (paused_why IS NULL)",
            name="sms_channel_pause_says_why",
        ),
    )

    provider: str = Field(primary_key=True, max_length=40)
    paced_until: datetime = Field(sa_type=MOMENT)
    paused_since: datetime | None = Field(default=None, sa_type=MOMENT)
    paused_until: datetime | None = Field(default=None, sa_type=MOMENT)
    paused_why: PauseReason | None = Field(default=None, sa_type=Text)
    pauses: int = 0
    error: str | None = Field(default=None, max_length=60)
    probe_until: datetime | None = Field(default=None, sa_type=MOMENT)


# How much of a second's texts may go out at once: enough for a batch, too little for the provider to mind.
_BURST_SECONDS: Final = 0.25
_FIRST_PAUSE: Final = {PauseReason.ACCOUNT: timedelta(seconds=30), PauseReason.UNREACHABLE: timedelta(seconds=2)}  # fmt: skip
# An account is put in order by people; a provider that was away is back by itself, and people wait for their codes.
_LONGEST_PAUSE: Final = {PauseReason.ACCOUNT: timedelta(minutes=10), PauseReason.UNREACHABLE: timedelta(seconds=30)}  # fmt: skip
_LOOK_AGAIN: Final = timedelta(seconds=0.5)

_NOW = "(now() + CAST(:shift AS interval))"


@dataclass(frozen=True, slots=True)
class _Locked:
    channel: SmsChannel
    moment: datetime


_SHOW = Query(
    SmsChannel,
    f"SELECT {columns('s', SmsChannel)} FROM sms_channel s WHERE provider = :provider",  # noqa: S608 - columns of our own table
)
# After a wait for the lock the transaction's own moment lies before what another has decided meanwhile.
_LOCK = Query(
    _Locked,
    f"""
SELECT {columns("s", SmsChannel, "channel")}, clock_timestamp() + CAST(:shift AS interval) AS moment
FROM sms_channel s WHERE provider = :provider FOR UPDATE
""",  # noqa: S608
)
_OPEN = text(f"""
INSERT INTO sms_channel (provider, paced_until, pauses) VALUES (:provider, {_NOW}, 0) ON CONFLICT DO NOTHING
""")  # noqa: S608
_USED = text(
    "UPDATE sms_channel SET paced_until = :paced_until, probe_until = :probe_until WHERE provider = :provider"
)
_PAUSE = text(f"""
WITH pause AS (
  SELECT provider, {_NOW} AS begins,
    {_NOW} + least(CAST(:longest AS interval), CAST(:first AS interval) * power(2, least(pauses, 20))) AS ends
  FROM sms_channel WHERE provider = :provider AND (paused_until IS NULL OR :probe) FOR UPDATE
)
UPDATE sms_channel s SET paused_since = coalesce(s.paused_since, pause.begins), paused_why = :why, error = :error,
  probe_until = NULL, pauses = s.pauses + 1, paused_until = pause.ends
FROM pause WHERE s.provider = pause.provider
""")  # noqa: S608
_RESUME = text("""
UPDATE sms_channel SET paused_since = NULL, paused_until = NULL, paused_why = NULL, pauses = 0, error = NULL, probe_until = NULL
WHERE provider = :provider AND paused_until IS NOT NULL
""")
_PROBE_AGAIN = text(
    "UPDATE sms_channel SET probe_until = NULL WHERE provider = :provider AND paused_until IS NOT NULL"
)
_PROBE_NOW = text(f"""
WITH at AS (SELECT {_NOW} AS moment)
UPDATE sms_channel SET paused_until = at.moment, pauses = 0, probe_until = NULL
FROM at WHERE provider = :provider AND paused_until IS NOT NULL
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Grant:
    """How many texts may be claimed now. `probe`: one, to see whether it works again. `wait`: when it is worth asking again."""

    most: int
    probe: bool = False
    wait: timedelta = timedelta()


def granted(channel: SmsChannel, now: datetime, *, most: int, rate: float) -> Grant:
    """Pure. `rate` in texts a second; 0: as fast as they go."""
    if channel.paused_until is not None:
        if now < channel.paused_until:
            return Grant(0, wait=min(channel.paused_until - now, _LOOK_AGAIN))
        if channel.probe_until is not None and now < channel.probe_until:
            return Grant(0, wait=_LOOK_AGAIN)
        return Grant(1, probe=True)
    if not rate:
        return Grant(most)
    burst = max(_BURST_SECONDS, 1 / rate)
    room = burst - max(0.0, (channel.paced_until - now).total_seconds())
    free = int(room * rate + 1e-6)
    if free < 1:
        return Grant(0, wait=timedelta(seconds=1 / rate - room))
    return Grant(min(most, free))


def paced(channel: SmsChannel, now: datetime, *, claimed: int, rate: float) -> datetime:
    """Pure. When, by the rate, what was claimed so far will all have gone out."""
    if not rate:
        return channel.paced_until
    return max(channel.paced_until, now) + timedelta(seconds=claimed / rate)


@dataclass(frozen=True, slots=True)
class Held:
    """The channel, locked until the transaction ends; `now` is the moment it was got hold of."""

    channel: SmsChannel
    grant: Grant
    now: datetime
    rate: float


async def hold(tx: Transaction, provider: str, *, most: int, rate: float) -> Held:
    """Lock the provider's row and say how many texts may be claimed through it."""
    row = await _LOCK.one_or_none(tx, provider=provider, shift=clock.shift())
    if row is None:
        await tx.execute(_OPEN, provider=provider, shift=clock.shift())
        row = await _LOCK.one(tx, provider=provider, shift=clock.shift())
    channel, now = row.channel, row.moment
    return Held(channel, granted(channel, now, most=most, rate=rate), now, rate)


async def used(tx: Transaction, held: Held, claimed: int, *, lease: timedelta) -> None:
    """So many were claimed, in the transaction that holds the channel."""
    probing = held.grant.probe and claimed > 0
    if not (probing or (held.rate and claimed)):
        return
    await tx.execute(
        _USED,
        provider=held.channel.provider,
        paced_until=paced(held.channel, held.now, claimed=claimed, rate=held.rate),
        probe_until=held.now + lease if probing else held.channel.probe_until,
    )


async def pause(
    tx: Transaction, provider: str, why: PauseReason, error: str | None, *, probe: bool = False
) -> bool:
    """Claim nothing for a while, in all processes. False: it was paused already; only a probe's failure prolongs that."""
    done = await tx.execute(
        _PAUSE,
        provider=provider,
        why=why,
        error=error and error[:60],
        probe=probe,
        first=_FIRST_PAUSE[why],
        longest=_LONGEST_PAUSE[why],
        shift=clock.shift(),
    )
    return done == 1


async def resume(tx: Transaction, provider: str) -> bool:
    """A probe went through: everybody claims again. False: nothing was paused."""
    return await tx.execute(_RESUME, provider=provider) == 1


async def probe_again(tx: Transaction, provider: str) -> None:
    """The probe said nothing of the provider: the pause is as it was, and the next text is the probe."""
    await tx.execute(_PROBE_AGAIN, provider=provider)


async def probe_now(tx: Transaction, provider: str) -> bool:
    """A person says that it should work again: the next claim is a probe. False: nothing was paused."""
    return await tx.execute(_PROBE_NOW, provider=provider, shift=clock.shift()) == 1


async def show(tx: Transaction, provider: str) -> SmsChannel | None:
    """None: nothing was ever sent through it."""
    return await _SHOW.one_or_none(tx, provider=provider)

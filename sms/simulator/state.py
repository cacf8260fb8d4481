"""One running simulator: its account, its messages, how it behaves now, and its way to the application."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from time import time_ns

from fastapi import Request
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.settings import Settings
from sms.providers.twilio_protocol import TRIES_AGAIN
from sms.simulator.aliyun_pushes import AliyunPushes
from sms.simulator.behaviour import HONEST, Behaviour, Dice, Treatment
from sms.simulator.messages import Message, Messages, new_sid, now
from sms.simulator.twilio_webhooks import TwilioWebhooks
from sms.simulator.webhooks import Webhooks

# What Twilio itself takes for leaving and coming back; it tells the application all the same.
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
_START = frozenset({"START", "YES", "UNSTOP"})


class SimulatorSettings(BaseSettings):
    """Environment variables of the same names in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    # Where the inboxes are kept; none: in memory only.
    simulator_dir: Path | None = None
    # As one would enter it at Twilio: with what it is to do where it is not answered well.
    simulator_inbound_url: str = f"http://127.0.0.1:8000/sms/twilio/inbound{TRIES_AGAIN}"
    # Where 阿里云 would push to, without reports or replies; none: as the account's settings have it.
    simulator_push_url: str = ""


@dataclass
class Simulator:
    """Stands for the provider that the account's settings name."""

    account: Settings
    messages: Messages
    webhooks: Webhooks
    dice: Dice = field(default_factory=lambda: Dice(HONEST))

    @property
    def account_sid(self) -> str:
        return self.account.twilio_account_sid

    @property
    def auth_token(self) -> str:
        return self.account.twilio_auth_token.get_secret_value()

    @property
    def our_number(self) -> str:
        return self.account.twilio_from

    @property
    def aliyun(self) -> bool:
        return self.account.sms_provider == "aliyun"

    def behave(self, behaviour: Behaviour) -> None:
        self.dice = Dice(behaviour)

    def reset(self) -> None:
        self.webhooks.forget()
        self.messages.clear()
        self.behave(HONEST)

    async def take(
        self, message: Message | None, treatment: Treatment, behaviour: Behaviour
    ) -> None:
        """Take the text, if it is taken at all, report on it, and answer no sooner than told."""
        if message is not None:
            self.messages.take(message)
            report = self.webhooks.report(message, behaviour, self.dice.fate(behaviour))
            if behaviour.report_before_answer:
                await report
            else:
                self.webhooks.later(report)
        if treatment in {Treatment.STALL_ACCEPTED, Treatment.STALL_NOT_ACCEPTED}:
            await asyncio.sleep(behaviour.stall_seconds)

    async def reply(self, phone: str, text: str) -> Message:
        """Somebody with that phone texts our number; returns when the application has answered."""
        message = Message(
            sid=str(time_ns()) if self.aliyun else new_sid(),
            direction="inbound",
            sender=phone,
            to=self.our_number,
            body=text,
            created_at=now(),
            status="received",
        )
        word = text.strip().upper()
        if self.aliyun:
            pass  # it hands everything on and keeps no list for texts of this kind
        elif word in _STOP:
            self.messages.opted_out.add(phone)
        elif word in _START:
            self.messages.opted_out.discard(phone)
        self.messages.take(message)
        await self.webhooks.hand_in(message, self.dice.behaviour)
        return message


def open_simulator(account: Settings, own: SimulatorSettings) -> Simulator:
    """Needs a running event loop."""
    messages = Messages(own.simulator_dir)
    messages.open()
    webhooks: Webhooks
    if account.sms_provider == "aliyun":
        webhooks = AliyunPushes(messages, account, own.simulator_push_url)
    else:
        webhooks = TwilioWebhooks(messages, account, own.simulator_inbound_url)
    return Simulator(account, messages, webhooks)


async def close_simulator(simulator: Simulator) -> None:
    await simulator.webhooks.close()
    simulator.messages.close()


async def simulator_of(request: Request) -> Simulator:
    simulator: Simulator = request.app.state.simulator
    return simulator

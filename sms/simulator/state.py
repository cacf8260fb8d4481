"""One running simulator: its account, its messages, how it behaves now, and its way to the application."""

from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.settings import Settings
from sms.simulator.behaviour import HONEST, Behaviour, Dice
from sms.simulator.messages import Message, Messages, new_sid, now
from sms.simulator.webhooks import Webhooks

# What Twilio itself takes for leaving and coming back; it tells the application all the same.
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
_START = frozenset({"START", "YES", "UNSTOP"})


class SimulatorSettings(BaseSettings):
    """Environment variables of the same names in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    # Where the inboxes are kept; none: in memory only.
    simulator_dir: Path | None = None
    simulator_inbound_url: str = "http://127.0.0.1:8000/sms/twilio/inbound"


@dataclass
class Simulator:
    account_sid: str
    auth_token: str
    our_number: str
    messages: Messages
    webhooks: Webhooks
    dice: Dice = field(default_factory=lambda: Dice(HONEST))

    def behave(self, behaviour: Behaviour) -> None:
        self.dice = Dice(behaviour)

    def reset(self) -> None:
        self.webhooks.forget()
        self.messages.clear()
        self.behave(HONEST)

    def accept(self, form: dict[str, str]) -> Message:
        message = Message(
            sid=new_sid(),
            direction="outbound-api",
            sender=form["From"],
            to=form["To"],
            body=form["Body"],
            created_at=now(),
            status="queued",
            status_callback=form.get("StatusCallback", ""),
        )
        self.messages.take(message)
        return message

    async def reply(self, phone: str, text: str) -> Message:
        """Somebody with that phone texts our number; returns when the application has answered."""
        message = Message(
            sid=new_sid(),
            direction="inbound",
            sender=phone,
            to=self.our_number,
            body=text,
            created_at=now(),
            status="received",
        )
        word = text.strip().upper()
        if word in _STOP:
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
    token = account.twilio_auth_token.get_secret_value()
    webhooks = Webhooks(
        messages,
        account_sid=account.twilio_account_sid,
        auth_token=token,
        inbound_url=own.simulator_inbound_url,
    )
    return Simulator(account.twilio_account_sid, token, account.twilio_from, messages, webhooks)


async def close_simulator(simulator: Simulator) -> None:
    await simulator.webhooks.close()
    simulator.messages.close()


async def simulator_of(request: Request) -> Simulator:
    simulator: Simulator = request.app.state.simulator
    return simulator

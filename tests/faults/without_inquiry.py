"""An outbox worker that simply sends again what ended unknown: the negative control, which must send texts twice."""

import sys

from sqlalchemy import text

from app.delivery import claiming, policy
from app.delivery.policy import Outcome, Step
from app.outbox import MessageKind, MessageState
from workers.__main__ import main as work

_LAPSES = "SET state = 'unknown', error = 'lease_lapsed'"


def main() -> None:
    if _LAPSES not in claiming._LAPSE.text:
        sys.exit("leases lapse in another way now: this control shows nothing")
    claiming._LAPSE = text(
        claiming._LAPSE.text.replace(_LAPSES, "SET state = 'queued', error = 'lease_lapsed'")
    )
    after_attempt = policy.after_attempt

    def sent_again(kind: MessageKind, attempts: int, outcome: Outcome) -> Step:
        step = after_attempt(kind, attempts, outcome)
        return Step(MessageState.QUEUED) if step.state is MessageState.UNKNOWN else step

    policy.after_attempt = sent_again
    work()

"""An outbox worker that simply sends again what ended unknown: the negative control, which must send texts twice."""

import sys

from sqlalchemy import text

from app.texts import policy, queue
from app.texts.outbox import MessageKind, MessageState
from app.texts.policy import Outcome, Step
from workers.__main__ import main as work

_LAPSES = "SET state = 'unknown', error = 'lease_lapsed'"


def main() -> None:
    if _LAPSES not in queue._LAPSE.text:
        sys.exit("leases lapse in another way now: this control shows nothing")
    queue._LAPSE = text(
        queue._LAPSE.text.replace(_LAPSES, "SET state = 'queued', error = 'lease_lapsed'")
    )
    after_attempt = policy.after_attempt

    def sent_again(kind: MessageKind, attempts: int, outcome: Outcome) -> Step:
        step = after_attempt(kind, attempts, outcome)
        return Step(MessageState.QUEUED) if step.state is MessageState.UNKNOWN else step

    policy.after_attempt = sent_again
    work()

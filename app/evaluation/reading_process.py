"""The process that reads replies for another process: a line with a text comes in, a line with its reading goes out.

It imports the rules of reading only, so it is up quickly. A text that takes too long is broken off, and the next one read;
where that does not help, the kernel ends the process.
"""

import json
import signal
import sys
from typing import Final

import msgspec

from app.evaluation.reply_meanings import READY, TOO_SLOW, Reading
from app.evaluation.reply_parser import read_reply

# Of the processor's time, so that a busy machine makes no text unreadable: a hundred times what the longest text needs.
_SECONDS: Final = 0.3
_ENDED_AFTER: Final = 1.0


def break_off(*_: object) -> None:
    """`re` looks for signals while it matches."""
    raise TimeoutError


def main() -> None:
    # Ctrl-C is for the process that asks; when that ends, there is no more input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGVTALRM, break_off)
    out = sys.stdout.buffer
    out.write(READY)
    out.flush()
    for line in sys.stdin.buffer:
        # SIGPROF is not handled: it ends the process, wherever it is.
        signal.setitimer(signal.ITIMER_PROF, _ENDED_AFTER)
        reading = _read(json.loads(line))
        signal.setitimer(signal.ITIMER_PROF, 0)
        out.write(msgspec.json.encode(reading) + b"\n")
        out.flush()


def _read(text: str) -> Reading:
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
        reading = read_reply(text)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except TimeoutError:
        return TOO_SLOW
    return reading


if __name__ == "__main__":
    main()

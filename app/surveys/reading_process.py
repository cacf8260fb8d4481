"""The process that reads replies for another process: a line with a text comes in, a line with its reading goes out.

It imports the rules of reading only, so it is up quickly. The kernel ends it where a text takes too long.
"""

import json
import signal
import sys
from typing import Final

import msgspec

from app.surveys.replies import read_reply

READY: Final = b"ready\n"
# Of the processor's time, so that a busy machine makes no text unreadable: a hundred times what the longest text needs.
_SECONDS: Final = 0.3


def main() -> None:
    # Ctrl-C is for the process that asks; when that ends, there is no more input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = sys.stdout.buffer
    out.write(READY)
    out.flush()
    for line in sys.stdin.buffer:
        # SIGVTALRM is not handled: it ends the process, also in the middle of a match.
        signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
        reading = read_reply(json.loads(line))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        out.write(msgspec.json.encode(reading) + b"\n")
        out.flush()


if __name__ == "__main__":
    main()

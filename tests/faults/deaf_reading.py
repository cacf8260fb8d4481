"""Reads replies with the old pattern, and does not let itself be broken off. Never started elsewhere."""

import signal

from app.evaluation import reading_process
from tests.faults import old_pattern

if __name__ == "__main__":
    old_pattern.restore()
    breaks_off = signal.signal

    def deaf(number: int, handler: object) -> object:
        return breaks_off(number, signal.SIG_IGN if number == signal.SIGVTALRM else handler)  # type: ignore[arg-type]  # handed on

    signal.signal = deaf  # type: ignore[assignment]  # a match in code that looks for no signals
    reading_process.main()

"""What it costs to start: CPU seconds of a process that loads the application or prints its help, and ends.

Beside it a process that loads the frameworks alone, in turns: only ratios are judged. The best of several says what
the work costs; the others were disturbed.
"""

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

ROUNDS: Final = 5
# CPU seconds over those of the frameworks; 0: measured only.
TARGETS: Final = {"web": 1.8, "help": 0.6, "worker": 0.0}
_FRAMEWORKS: Final = "frameworks"
_STARTED: Final = {
    _FRAMEWORKS: ("-c", "import fastapi, sqlalchemy, sqlmodel"),
    "web": ("-c", "import qungong.asgi"),
    "help": ("-m", "qungong", "--help"),
    "worker": ("-c", "import workers.__main__"),
}


@dataclass(frozen=True, slots=True)
class Started:
    """The least CPU seconds of each."""

    seconds: dict[str, float]

    def lines(self) -> list[tuple[str, str, str, bool]]:
        lines = []
        frameworks = self.seconds[_FRAMEWORKS]
        for name, target in TARGETS.items():
            ratio = self.seconds[name] / frameworks
            told = (
                f"{ratio:.2f} × the frameworks ({self.seconds[name]:.2f} s of {frameworks:.2f} s)"
            )
            lines.append(
                (
                    f"start, {name}",
                    told,
                    f"≤ {target}" if target else "–",
                    not target or ratio <= target,
                )
            )
        return lines


def measure() -> Started:
    # The first round compiles what is not compiled yet.
    rounds = [{name: _cpu(argv) for name, argv in _STARTED.items()} for _ in range(ROUNDS + 1)][1:]
    return Started({name: min(one[name] for one in rounds) for name in _STARTED})


def _cpu(arguments: tuple[str, ...]) -> float:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603 - our own
        [sys.executable, *arguments], env=kept, stdout=subprocess.DEVNULL, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

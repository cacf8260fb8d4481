"""Web and outbox workers whose reading processes have the old pattern: the time limit alone must do. Never started elsewhere."""

from app.evaluation import reply_reader
from qungong import web
from workers.__main__ import main as work

_MODULE = "tests.faults.old_pattern"


def main() -> None:
    reply_reader.MODULE = _MODULE  # type: ignore[misc]  # a later pattern that is bad
    work()


if __name__ == "__main__":
    reply_reader.MODULE = _MODULE  # type: ignore[misc]
    web.main()

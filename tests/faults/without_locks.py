"""A deadlines worker that locks nothing: the negative control, which must issue cards twice. Never started elsewhere."""

import sys
from typing import Any

from sqlalchemy import text

from app.cards import sweep
from workers.__main__ import main

_LOCKS = "FOR NO KEY UPDATE SKIP LOCKED"


def _unlocked(name: str) -> None:
    statement: Any = getattr(sweep, name)
    if _LOCKS not in statement.text:
        sys.exit(f"{name} locks in another way now: this control shows nothing")
    setattr(sweep, name, text(statement.text.replace(_LOCKS, "")))


if __name__ == "__main__":
    for one in ("_CLAIM", "_LOCK_MATTERS"):
        _unlocked(one)
    sys.argv = ["workers", "deadlines"]
    main()

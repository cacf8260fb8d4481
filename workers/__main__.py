"""`python -m workers outbox` or `python -m workers deadlines`: one worker process, until SIGTERM."""

import asyncio
import sys

from app import garbage_collection

with garbage_collection.paused():
    from app import logs
    from workers import settings
    from workers.deadlines import Deadlines
    from workers.loop import run
    from workers.texts import Delivery, open_gateway

_NAMES = (Delivery.name, Deadlines.name)


async def _work(name: str) -> None:
    if name == Delivery.name:
        await run(Delivery(open_gateway()), settings.Outbox)
    else:
        await run(Deadlines(), settings.Deadlines)


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in _NAMES:
        sys.exit(f"usage: python -m workers {'|'.join(_NAMES)}")
    logs.configure()
    asyncio.run(_work(sys.argv[1]))


if __name__ == "__main__":
    main()

"""Web and outbox workers as they once were: the old pattern, read in the event loop. The negative control, which must hang.

Never started elsewhere.
"""

from app.evaluation import reply_reader
from app.evaluation.reply_meanings import Reading
from app.evaluation.reply_parser import read_reply
from qungong import web
from tests.faults import old_pattern
from workers.__main__ import main as work


def unguarded() -> None:
    async def read(text: str) -> Reading:
        return read_reply(text)

    old_pattern.restore()
    reply_reader.read = read


def main() -> None:
    unguarded()
    work()


if __name__ == "__main__":
    unguarded()
    web.main()

"""The pattern for opting out as it once was: twenty repetitions keep it busy for seconds, each two more for four times as long.

Run as a module it reads replies with it, as app/evaluation/reading_process.py does. Never started elsewhere.
"""

import re

from app.evaluation import reading_process, reply_parser

_OLD = r"(?:退[订定](?:请?回复?)?(?:TD?)?|TD|STOP|UNSUBSCRIBE|取消订阅|T|CANCEL|QUIT)+"


def restore() -> None:
    reply_parser._OPT_OUT = re.compile(
        rf"{reply_parser._BEFORE_OUT}{_OLD}{reply_parser._BEHIND_OUT}", re.IGNORECASE
    )


def hanging(repeated: int) -> str:
    """A text that the old pattern never gets done with."""
    return "退订TD" * repeated + "不"


if __name__ == "__main__":
    restore()
    reading_process.main()

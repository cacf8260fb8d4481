"""Worker processes without the seconds that starting Python takes: forked from one that has imported everything. Linux, macOS.

`python -m tests.faults.forks`: each line on standard input, `[module, environment]` in JSON, forks a child that runs the
module's main as `outbox` worker in that environment; its process id is printed. What runs in the child is the product's own
worker, and it dies of SIGKILL like any other.
"""

import importlib
import json
import os
import signal
import sys

from app.settings import settings
from tests.faults.post import CONTROL, IN_THE_LOOP, WITHIN_LIMIT, WORKERS


def serve() -> None:
    mains = {
        module: importlib.import_module(module).main
        for module in (WORKERS, CONTROL, WITHIN_LIMIT, IN_THE_LOOP)
    }
    # Nobody waits for the children: they are killed, and that is all that is to be known of them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)  # noqa: T201 - told to who forks
    while line := sys.stdin.readline():
        module, environment = json.loads(line)
        child = os.fork()
        if child == 0:
            os.environ.update(environment)
            _be_a_worker(mains[module])
        print(child, flush=True)  # noqa: T201


def _be_a_worker(main: object) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    sys.argv = ["workers", "outbox"]
    settings.cache_clear()
    try:
        assert callable(main)
        main()
    finally:
        os._exit(0)


if __name__ == "__main__":
    serve()

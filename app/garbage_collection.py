"""Python's cyclic garbage collection while a process loads its modules."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Switches collection off while modules load: their objects stay, and each collection would scan all of them again.

    Afterwards collection is on as before and ignores the loaded objects (`gc.freeze`).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()

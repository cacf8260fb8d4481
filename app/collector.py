"""Python's cyclic garbage collector while a process starts. Not needed afterwards."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No collection while modules load: what they define stays, and looking through it again and again takes long.

    Afterwards collection is on as before, and passes over what was loaded.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()

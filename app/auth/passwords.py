"""Hashing and checking passwords (argon2), beside the event loop and only so many at once. Counts no tries."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from app import keys
from app.errors import Unavailable

# Each check takes a core for a while and 64 MiB. Beyond those waiting, asking again later serves everybody better.
_AT_ONCE = 2
_WAITING = 16

_hasher = PasswordHash((Argon2Hasher(),))
_threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")


class _Places:
    """How many checks are under way or waiting in this process."""

    taken = 0


def hash_password(text: str) -> str:
    """Slow by design: never on the event loop of a server."""
    return _hasher.hash(_as_typed(text))


async def hashed(text: str) -> str:
    """As hash_password, beside the event loop. None waits for its turn, since the caller holds a connection meanwhile."""
    if _Places.taken >= _AT_ONCE:
        raise Unavailable(retry_after=2)
    _Places.taken += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, hash_password, text)
    finally:
        _Places.taken -= 1


async def verify(text: str, stored: str | None) -> bool:
    """Whether the password is the stored one. None, for somebody unknown, takes as long and is never right."""
    if _Places.taken >= _AT_ONCE + _WAITING:
        raise Unavailable(retry_after=2)
    _Places.taken += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, _verify, text, stored)
    finally:
        _Places.taken -= 1


def _verify(text: str, stored: str | None) -> bool:
    try:
        right = _hasher.verify(_as_typed(text), stored or _nobodys())
    except UnknownHashError:  # a person entered without a password yet
        _hasher.verify(_as_typed(text), _nobodys())
        return False
    return right and stored is not None


def _as_typed(text: str) -> str:
    # An input method in full-width mode types other characters for the same keys.
    return unicodedata.normalize("NFKC", text)


@cache
def _nobodys() -> str:
    return _hasher.hash(keys.new_token())

"""Encrypts, looks up and signs with keys derived from the deployment's one secret. Stores nothing."""

import hmac
import secrets
from functools import cache
from hashlib import sha256
from typing import Final, NewType

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.settings import settings

_NONCE_BYTES = 12
# The first byte of a ciphertext names its format; another format or key gets another number.
_FORMAT: Final = b"\x02"

# What pages show instead of such a text.
UNREADABLE: Final = "（无法读取）"
# Where a ciphertext is stored. It is authenticated with the ciphertext, which can be opened nowhere else.
Place = NewType("Place", bytes)


class Unreadable(ValueError):
    """A ciphertext that was changed, moved from another place, or made with another key."""


@cache
def _derived(purpose: str) -> bytes:
    secret = settings().secret_key.get_secret_value().encode()
    return HKDF(
        algorithm=SHA256(), length=32, salt=None, info=f"qungong/{purpose}".encode()
    ).derive(secret)


@cache
def _cipher() -> AESGCM:
    return AESGCM(_derived("personal-data"))


def at(column: str, *key: object) -> Place:
    """The place of one value: `column` as `table.column`, `key` the row's primary key."""
    return Place(msgspec.json.encode([column, *map(str, key)]))


def encrypt(text: str, place: Place) -> bytes:
    """AES-256-GCM with the place as associated data: format byte, nonce, ciphertext."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _FORMAT + nonce + _cipher().encrypt(nonce, text.encode(), _FORMAT + place)


def decrypt(sealed: bytes, place: Place) -> str:
    """Raises Unreadable for what was not encrypted for this place."""
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if sealed[:1] != _FORMAT:
        raise Unreadable
    try:
        return _cipher().decrypt(nonce, ciphertext, _FORMAT + place).decode()
    except (InvalidTag, ValueError) as changed:
        raise Unreadable from changed


def shown(sealed: bytes | None, place: Place) -> str | None:
    """For a page: the text, or a note that it cannot be read. `qungong verify` names such values."""
    try:
        return None if sealed is None else decrypt(sealed, place)
    except Unreadable:
        return UNREADABLE


def moved(sealed: bytes | None, place: Place, to: Place) -> bytes | None:
    """The same text, encrypted for another place."""
    return None if sealed is None else encrypt(decrypt(sealed, place), to)


def lookup(purpose: str, value: str) -> bytes:
    """A keyed digest (32 bytes) that finds equal values without storing them; differs by purpose."""
    return hmac.digest(_derived(f"lookup/{purpose}"), value.encode(), "sha256")


def digest(purpose: str, value: bytes) -> bytes:
    """A keyed digest (32 bytes): equal values are recognised, and cannot be found by trying without the key."""
    return hmac.digest(_derived(f"digest/{purpose}"), value, "sha256")


def new_token() -> str:
    """An opaque token of 256 random bits, safe in a header, a cookie and a URL."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """What is stored of a token: enough to recognise it, useless to whoever reads the table."""
    return sha256(token.encode()).digest()


def chain_key() -> bytes:
    """The key of the record's chains (app/cases/history.py)."""
    return _derived("record-chain")

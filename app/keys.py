"""Encrypts, looks up and signs with keys derived from the deployment's one secret. Stores nothing."""

import hmac
import secrets
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.settings import settings

_NONCE_BYTES = 12


@cache
def _derived(purpose: str) -> bytes:
    secret = settings().secret_key.get_secret_value().encode()
    return HKDF(
        algorithm=SHA256(), length=32, salt=None, info=f"qungong/{purpose}".encode()
    ).derive(secret)


@cache
def _cipher() -> AESGCM:
    return AESGCM(_derived("personal-data"))


def encrypt(text: str) -> bytes:
    """AES-256-GCM; the nonce stands before the ciphertext."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, text.encode(), None)


def decrypt(sealed: bytes) -> str:
    return _cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()


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

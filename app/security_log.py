"""The security log: who signed in, who was refused, from where. Lines of the ordinary log with `security` as their event.

No numbers, no names, no accounts in clear: staff and citizens by id, accounts by a keyed digest, the client by its address.
"""

from enum import StrEnum
from typing import Final

import structlog

from app import keys

EVENT: Final = "security"
_log = structlog.get_logger()


class What(StrEnum):
    SIGNED_IN = "signed_in"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a word for the log, no password
    WRONG_CODE = "wrong_code"
    WRONG_PIN = "wrong_pin"
    PIN_SET = "pin_set"
    PINS_REVOKED = "pins_revoked"
    SLOWED = "slowed"
    REFUSED = "refused"
    EXPORTED = "exported"


_ORDINARY: Final = frozenset({What.SIGNED_IN, What.PIN_SET, What.EXPORTED})


def record(what: What, *, address: str, **facts: str | int | None) -> None:
    """`facts`: such as `staff`, `account` (a digest), `route` (as it is written, without values), `status`."""
    told = {name: value for name, value in facts.items() if value is not None}
    level = _log.info if what in _ORDINARY else _log.warning
    level(EVENT, what=what.value, address=address, **told)


def account_digest(account: str) -> str:
    """The same for the same account, so that tries can be counted together; it does not tell which."""
    return keys.lookup("account", account).hex()[:16]

"""Whether Twilio signed a webhook, by its own library's validator. Not its client, which a web process never needs."""

from collections.abc import Sequence
from typing import Any

from twilio.request_validator import RequestValidator


class _FormFields:
    """A form as RequestValidator reads one; a name may stand in it more than once."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def __iter__(self) -> Any:
        return iter({name for name, _ in self._fields})

    def __len__(self) -> int:
        return len(self._fields)

    def getall(self, name: str) -> list[str]:
        return [value for key, value in self._fields if key == name]


def signature_valid(
    auth_token: str, url: str, params: Sequence[tuple[str, str]], header: str | None
) -> bool:
    """Whether Twilio signed this request.

    `url` is the address Twilio called, query included, as the public knows it; `params` the form's fields as sent,
    untrimmed and with the empty ones. Pure; an odd or missing header is simply not a signature.
    """
    if not header or not header.isascii():
        return False
    try:
        return bool(RequestValidator(auth_token).validate(url, _FormFields(params), header))
    except (ValueError, UnicodeError):
        # A port that is no number, a lone surrogate: nothing Twilio could have signed.
        return False

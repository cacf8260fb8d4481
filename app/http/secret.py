"""Input types of what must never be shown again: kept out of every repr, and so out of logs and tracebacks."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from app.http.inputs import plain


def _plain_digits(typed: Any) -> Any:
    """However it was copied: ６８７ 692, 687-692."""
    written = plain(typed)
    return written.replace("-", "") if isinstance(written, str) else written


# Spaces belong to a password; argon2 needs no help with long ones, the server does.
Password = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=False),
    Field(
        description="密码", repr=False, json_schema_extra={"format": "password", "writeOnly": True}
    ),
]
Pin = Annotated[
    str,
    BeforeValidator(_plain_digits),
    StringConstraints(pattern=r"^[0-9]{6}$"),
    Field(
        description="PIN，6 位数字",
        examples=["000000"],
        repr=False,
        json_schema_extra={"format": "password", "writeOnly": True},
    ),
]
OneTimeCode = Annotated[
    str,
    BeforeValidator(_plain_digits),
    StringConstraints(pattern=r"^[0-9]{6}$"),
    Field(
        description="短信验证码，6 位数字",
        examples=["000000"],
        repr=False,
        json_schema_extra={"writeOnly": True},
    ),
]

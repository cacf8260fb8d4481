"""The input types of phone numbers: however it was typed, what comes in is a mainland number in E.164."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.auth.phones import PhoneRefused, contact, mobile, public
from app.http.inputs import storable


def _checked(written: str, check: Callable[[str], str]) -> str:
    try:
        return check(written)
    except PhoneRefused as refused:
        raise PydanticCustomError("text", "{reason}", {"reason": str(refused)}) from None


def _mobile(written: str) -> str:
    return _checked(written, mobile)


def _contact(written: str) -> str:
    return _checked(written, contact)


def _public(written: str) -> str:
    return _checked(written, public)


# For fields that may be empty, which say `repr=False` themselves: it has no effect inside a union.
PhoneNumber = Annotated[
    str, BeforeValidator(storable), StringConstraints(max_length=60), AfterValidator(_mobile)
]
# A landline too: no text arrives there, but the person can be called.
ContactNumber = Annotated[
    str, BeforeValidator(storable), StringConstraints(max_length=60), AfterValidator(_contact)
]
# Published on a poster's page: also a short hotline.
PublicNumber = Annotated[
    str, BeforeValidator(storable), StringConstraints(max_length=60), AfterValidator(_public)
]
Phone = Annotated[
    PhoneNumber, Field(description="中国大陆手机号码", examples=["13800138000"], repr=False)
]

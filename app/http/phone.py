"""The input type of phone numbers: however it was typed, what comes in is a mainland mobile number in E.164."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.auth.phones import PhoneRefused, mobile


def _mobile(written: str) -> str:
    try:
        return mobile(written)
    except PhoneRefused as refused:
        raise PydanticCustomError("text", "{reason}", {"reason": str(refused)}) from None


# For fields that may be empty, which say `repr=False` themselves: it has no effect inside a union.
PhoneNumber = Annotated[str, StringConstraints(max_length=60), AfterValidator(_mobile)]
Phone = Annotated[
    PhoneNumber, Field(description="中国大陆手机号码", examples=["13800138000"], repr=False)
]

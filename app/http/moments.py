"""The output type of moments: always told in the county's own time, however they came from the database."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from app.clock import SHANGHAI


def _there(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI)


At = Annotated[datetime, AfterValidator(_there), Field(examples=["2026-11-22T17:30:00+08:00"])]

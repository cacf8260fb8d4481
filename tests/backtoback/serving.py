"""The application as it is served, without its log lines going anywhere, and its two OpenAPI documents."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from app.api import app as staff
from mobile_api import app as phones
from mobile_api import landing
from qungong.composition import compose
from sms import inbound
from tests import faces

DOCUMENTS: Final[Mapping[str, FastAPI]] = {
    staff.MOUNTED_AT: faces.desk(),
    phones.MOUNTED_AT: faces.phone(),
}


def composed(documents: Mapping[str, FastAPI]) -> ASGIApp:
    return compose({**documents, landing.MOUNTED_AT: landing.create_app()}, [inbound.router], {})


def with_a_route_more(router: APIRouter) -> Mapping[str, FastAPI]:
    """The documents of a build in which somebody has added something to the staff's interface."""
    more = staff.create_app()
    more.include_router(router)
    return {**DOCUMENTS, staff.MOUNTED_AT: more}


served: Final = composed(DOCUMENTS)

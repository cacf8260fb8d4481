"""The two interfaces for tests that read their documents: made once in a process, since a document takes seconds."""

from functools import cache

from fastapi import FastAPI

from app.api import app as desks
from mobile_api import app as phones


@cache
def desk() -> FastAPI:
    return desks.create_app()


@cache
def phone() -> FastAPI:
    return phones.create_app()

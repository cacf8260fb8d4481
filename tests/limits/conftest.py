"""A county of its own for each test, as for the calendars."""

from tests.calendars.conftest import county_id

__all__ = ["county_id"]

"""The calendars of the counties, on a real database."""

"""The limits of the counties, on a real database."""

"""Tests, on a real PostgreSQL and Redis; only the clock and the text-message provider are not the real ones."""

"""`python -m qungong`, for processes that start others. The command itself is in cli.py."""

from qungong.cli import app

app()

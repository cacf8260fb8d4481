"""One embedded PostgreSQL and one embedded Redis, each in a folder of its own: start, adopt, stop.

Who shares them and when they stop is local.py's business. Callers hold a lock: nothing here guards against a second
starter. The wheels' own launchers are not used: they open every parent folder to everybody, share one lock file
between users, and stop servers at the exit of whichever process happened to start them.
"""

from qungong.dev.embedded.launching import LocalServiceError
from qungong.dev.embedded.postgres import Postgres
from qungong.dev.embedded.redis import Redis

__all__ = ["LocalServiceError", "Postgres", "Redis"]

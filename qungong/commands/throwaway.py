"""`qungong throwaway`: a command on an empty database of its own."""

import os
import subprocess
import tempfile
from pathlib import Path

import typer

from qungong.commands import refusals
from qungong.dev.embedded import Postgres, Redis

app = typer.Typer(add_completion=False)


@app.command(
    hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
@refusals.shown()
def throwaway(command: typer.Context) -> None:
    """Run a command on an empty database and Redis of its own, removed afterwards; for checks."""
    with tempfile.TemporaryDirectory(prefix="qungong-") as folder:
        postgres = Postgres(Path(folder) / "postgres", {"fsync": "off"}, mortal=True)
        redis = Redis(Path(folder) / "redis.json", mortal=True)
        try:
            postgres.ensure()
            postgres.ensure_database("throwaway")
            redis.ensure()
            urls = {"DATABASE_URL": postgres.url("throwaway"), "REDIS_URL": redis.url()}
            done = subprocess.run(command.args, env=os.environ | urls, check=False)  # noqa: S603 - the caller's own command
        finally:
            redis.stop()
            postgres.stop()
    raise typer.Exit(done.returncode)

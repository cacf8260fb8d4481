"""`qungong migrate`: the database, brought to the newest migration."""

import typer

from qungong.commands import calendar, refusals
from qungong.dev import serving
from qungong.dev.local import local_services

app = typer.Typer(add_completion=False)


@app.command()
@refusals.shown(serving.CannotMigrate)
def migrate() -> None:
    """Bring the database to the newest migration."""
    with local_services(serving.ROOT):
        serving.migrate()
        calendar.warn_of_missing()

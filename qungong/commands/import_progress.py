"""The progress bar and the longer timeout of the import commands."""

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from app.directory.divisions import Told

COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)

# The whole country takes longer than a request may; the lock is waited for, since a person is.
PATIENT = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "60000",
}


def telling(progress: Progress) -> Told:
    steps: dict[str, TaskID] = {}

    def told(step: str, done: int, total: int) -> None:
        if step not in steps:
            steps[step] = progress.add_task(step, total=total)
        progress.update(steps[step], completed=done, total=total)

    return told

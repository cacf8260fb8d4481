"""`qungong import-phones`: official numbers from a file, all of them or none."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.db import Database, transaction
from app.directory import official_numbers
from app.errors import InvalidInput
from app.settings import settings
from qungong.commands import number_list, refusals
from qungong.commands.import_progress import COLUMNS, PATIENT, telling
from qungong.dev import serving
from qungong.dev.local import local_services

app = typer.Typer(add_completion=False)


def import_numbers(path: Path, progress: Progress) -> official_numbers.Imported:
    """`path` is a list (phone,unit,account). Raises NumbersRefused, naming every bad line; nothing is changed then."""
    try:
        data = path.read_bytes()
    except OSError as wrong:
        raise InvalidInput(f"无法读取 {path}：{wrong.strerror}") from wrong
    return asyncio.run(_import_numbers(data, progress))


async def _import_numbers(data: bytes, progress: Progress) -> official_numbers.Imported:
    reading, told = number_list.read(data), telling(progress)
    on = Database(settings().database_url, pool_size=1, **PATIENT)
    try:
        async with transaction(on) as tx:
            return await official_numbers.import_numbers(
                tx, reading.numbers, faults=reading.faults, now=await tx.now(), told=told
            )
    finally:
        await on.close()


@app.command()
@refusals.shown(serving.CannotMigrate)
def command(
    file: Annotated[Path, typer.Argument(exists=True, help="清单 CSV · phone,unit,account")],
) -> None:
    """Load the numbers of units and of staff, which speak for no citizen, from a CSV: all of them, or none."""
    with local_services(serving.ROOT):
        serving.migrate()
        with Progress(*COLUMNS) as progress:
            done = import_numbers(file, progress)
    Console().print(f"共 {done.listed} 个号码：新增 {done.added}")

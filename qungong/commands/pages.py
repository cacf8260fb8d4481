"""`qungong pages`: the pages of web/ built, and with `--check` also their types and weights."""

from typing import Annotated

import typer

from qungong.commands import refusals
from qungong.dev import pages, serving

app = typer.Typer(add_completion=False)
Check = Annotated[
    bool, typer.Option(help="also compare types and weights; exit 1 where one is wrong")
]


@app.command()
@refusals.shown(pages.CannotBuild)
def build(check: Check = False) -> None:
    """Build the pages that people work with, from web/; a wheel carries what was built."""
    if not pages.build(serving.step):
        serving.console.print("页面没有变化 · the pages are as built")
    if check:
        pages.check_types()
        heavy = [line for face in pages.BUDGETS if (line := _weighed(face))]
        if heavy:
            raise typer.Exit(1)


def _weighed(face: str) -> bool:
    weight, allowed = pages.first_load(face), pages.BUDGETS[face]
    serving.console.print(f"{face}: {weight / 1024:.1f} KiB, at most {allowed / 1024:.0f} KiB")
    return weight > allowed

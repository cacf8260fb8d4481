"""Shell pages of the faces: HTML without content that loads the files built by `qungong pages`."""

from functools import cache
from pathlib import Path
from typing import Final

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.errors import NotFound
from app.http import built_pages

# Browsers revalidate the shell each time, since the names of its files change; the files themselves are immutable.
NOT_KEPT: Final = "no-cache"
_TEMPLATES: Final = Path(__file__).parent / "templates"


@cache
def templates(folder: Path = _TEMPLATES) -> Environment:
    """Templates of a folder; they may extend shell.html of this package."""
    return Environment(
        loader=FileSystemLoader([folder, _TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def respond_shell(
    template: str, status: int = 200, *, face: str, folder: Path = _TEMPLATES, **values: object
) -> Response:
    """A page that loads the scripts and style sheets of its face."""
    shown = templates(folder).get_template(template).render(values, entry=built_pages.entry(face))
    kept = NOT_KEPT if status == 200 else "no-store"
    return HTMLResponse(shown, status, {"Cache-Control": kept})


def respond_worker(face: str, *, scope: str) -> Response:
    """A face's service worker with the list of files to cache. Raises NotFound where the pages were not built."""
    worker = built_pages.worker(face)
    if worker is None:
        raise NotFound
    headers = {"Cache-Control": NOT_KEPT, "Service-Worker-Allowed": scope}
    return Response(worker, 200, headers, "text/javascript; charset=utf-8")

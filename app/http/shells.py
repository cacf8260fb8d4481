"""The page of a face as a browser first gets it: an HTML file without content that loads what `qungong pages` built."""

from functools import cache
from pathlib import Path
from typing import Final

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.errors import NotFound
from app.http import built_pages

# Asked for anew each time, since the names of its files change; those files are kept for ever.
NOT_KEPT: Final = "no-cache"
_TEMPLATES: Final = Path(__file__).parent / "templates"


@cache
def templates(folder: Path = _TEMPLATES) -> Environment:
    """Those of a folder, which may extend shell.html of this package."""
    return Environment(
        loader=FileSystemLoader([folder, _TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def respond_shell(
    template: str, status: int = 200, *, face: str, folder: Path = _TEMPLATES, **values: object
) -> Response:
    """A page with what its face has to load."""
    shown = templates(folder).get_template(template).render(values, entry=built_pages.entry(face))
    kept = NOT_KEPT if status == 200 else "no-store"
    return HTMLResponse(shown, status, {"Cache-Control": kept})


def respond_worker(face: str, *, scope: str) -> Response:
    """A face's service worker, with the files that it is to keep. Raises NotFound where the pages were not built."""
    worker = built_pages.worker(face)
    if worker is None:
        raise NotFound
    headers = {"Cache-Control": NOT_KEPT, "Service-Worker-Allowed": scope}
    return Response(worker, 200, headers, "text/javascript; charset=utf-8")

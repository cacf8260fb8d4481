"""Files of the pages that `qungong pages` built from web/, and their addresses. A wheel carries them."""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

FOLDER: Final = Path(__file__).parent / "built"
SERVED_AT: Final = "/assets"
_WORKER: Final = "worker.js"
_LOADED: Final = frozenset({".js", ".css", ".svg", ".png"})


class _Chunk(msgspec.Struct):
    file: str
    css: list[str] = []
    imports: list[str] = []


class Entry(Struct, frozen=True):
    """Addresses of a face's script and style sheets; their names change with their content."""

    script: str
    styles: tuple[str, ...]
    # What the script imports before it runs.
    imports: tuple[str, ...]

    def addresses(self) -> tuple[str, ...]:
        return (self.script, *self.imports, *self.styles)


@cache
def entry(face: str) -> Entry | None:
    """None where the pages were not built: the server then answers with plain pages."""
    manifest = FOLDER / face / "manifest.json"
    if not manifest.exists():
        return None
    chunks = msgspec.json.decode(manifest.read_bytes(), type=dict[str, _Chunk])
    main = chunks["main.ts"]
    return Entry(
        script=_address(face, main.file),
        styles=tuple(_address(face, name) for name in main.css),
        imports=tuple(_address(face, chunks[name].file) for name in main.imports),
    )


@cache
def worker(face: str) -> str | None:
    """A face's service worker, which begins with the addresses of all files that the face may load. None: not built."""
    folder = FOLDER / face
    script = folder / _WORKER
    if not script.exists():
        return None
    found = (path for path in folder.rglob("*") if path.suffix in _LOADED and path != script)
    files = sorted(_address(face, path.relative_to(folder).as_posix()) for path in found)
    return f"const FILES={msgspec.json.encode(files).decode()};\n{script.read_text()}"


def _address(face: str, name: str) -> str:
    return f"{SERVED_AT}/{face}/{name}"

"""Both APIs' OpenAPI documents as files: `python -m qungong.dev.documents FOLDER`."""

import json
import sys
from pathlib import Path

from app.api.app import create_app as staff_api
from mobile_api.app import create_app as phones_api


def write(folder: Path) -> None:
    for name, api in (("phones", phones_api), ("staff", staff_api)):
        said = json.dumps(api().openapi(), ensure_ascii=False, sort_keys=True)
        (folder / f"{name}.json").write_text(said, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

"""Which Chromium the page tests use: $CHROMIUM, else one on PATH, else the one that npm's @sparticuz/chromium carries."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from qungong.dev import pages

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_UNPACK: Final = (
    "import chromium from '@sparticuz/chromium'; console.log(await chromium.executablePath())"
)
# As root no sandbox can be made; nothing is looked up outside this machine. WebGL by software, where there is no card.
ARGUMENTS: Final = (
    "--no-sandbox",
    "--no-zygote",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


def executable() -> Path:
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    return Path(named) if named else _carried_by_npm()


def _carried_by_npm() -> Path:
    unpacked = subprocess.run(
        [pages.tool("node"), "--input-type=module", "-e", _UNPACK],
        cwd=pages.WEB,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(unpacked.stdout.strip())

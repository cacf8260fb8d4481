"""Pages that people read: every file and anchor they name is there, and the README stays short."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/adr/*.md"),
        ROOT / "app/db/README.md",
    ]
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_links_only_to_files_that_exist(page: Path) -> None:
    links = [link.partition("#")[0] for link in _LINK.findall(page.read_text())]
    local = [link for link in links if link and "://" not in link]
    missing = [link for link in local if not (page.parent / link).resolve().exists()]
    assert missing == []


def test_readme_is_short_enough_for_a_newcomer() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_index_of_decisions_lists_each_page_once_in_order() -> None:
    pages = [path.name for path in sorted((ROOT / "docs/adr").glob("0*.md"))]
    listed = re.findall(
        r"^\| \[\d{4}\]\(([^)]+)\)", (ROOT / "docs/adr/README.md").read_text(), re.MULTILINE
    )
    assert listed == pages

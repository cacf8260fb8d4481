"""What is built: its weight, its types, and the tests of its own code."""

import subprocess

import httpx
import pytest

from app.http import built_pages as built
from qungong.dev import pages


@pytest.mark.parametrize("face", pages.BUDGETS)
def test_first_load_keeps_the_budget(built_pages: None, face: str) -> None:
    assert built_pages is None
    assert 10_000 < pages.first_load(face) <= pages.BUDGETS[face]


def test_pages_agree_with_the_api(built_pages: None) -> None:
    assert built_pages is None
    pages.check_types()


def test_code_of_the_pages_passes_its_tests(built_pages: None) -> None:
    assert built_pages is None
    vitest = [pages.tool("node"), "node_modules/vitest/vitest.mjs", "run", "--reporter=dot"]
    done = subprocess.run(vitest, cwd=pages.WEB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("coding", ["br", "gzip"])
async def test_files_are_served_compressed_and_kept_for_ever(site: str, coding: str) -> None:
    entry = built.entry("citizen")
    assert entry is not None
    async with httpx.AsyncClient(base_url=site) as client:
        for address in entry.addresses():
            file = await client.get(address, headers={"Accept-Encoding": coding})
            assert file.status_code == 200
            assert file.headers["content-encoding"] == coding
            assert "immutable" in file.headers["cache-control"]
        unknown = await client.get("/assets/citizen/assets/main-00000000.js")
        assert unknown.status_code == 404


@pytest.mark.parametrize("address", ["/t", "/m", "/desk"])
async def test_address_without_a_slash_opens_its_page(site: str, address: str) -> None:
    async with httpx.AsyncClient(base_url=site, follow_redirects=True) as client:
        page = await client.get(address)
    assert page.status_code == 200
    assert '<div id="app">' in page.text

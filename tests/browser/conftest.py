"""Debian's chromium before a real gateway and a real daemon; left out where it is not installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples import make_samples
from tests.browser.site import Site
from tests.e2e import scenes

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
_HOW = "to run it: apt-get install chromium && .venv/bin/pip install playwright"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a module; none outlives it, for it keeps an event loop."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no chromium here; {_HOW}")
    api = pytest.importorskip("playwright.sync_api", reason=f"no playwright here; {_HOW}")
    with api.sync_playwright() as playwright:
        # Without a sandbox of its own: these run as root in containers, and meet no stranger.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


def draw(folder: Path) -> None:
    """Make pictures: some alone, one with every kind of copy."""
    for seed in range(2, 8):
        scenes.save(seed, folder / f"scene-{seed}.png")
    picture = make_samples.landscape(0)
    picture.save(folder / "best.png")
    shutil.copy(folder / "best.png", folder / "twin.png")
    picture.save(folder / "equal.bmp")
    (folder / "web").mkdir()
    picture.resize((320, 240)).save(folder / "web" / "small.jpg", quality=80)
    picture.rotate(90, expand=True).save(folder / "web" / "turned.jpg", quality=90)
    (folder / "torn.jpg").write_bytes(b"\xff\xd8\xff but no more than that")
    (folder / "notes.txt").write_text("no picture")


@pytest.fixture(scope="module")
def module_site(browser: Browser) -> Iterator[Site]:
    """A library that the tests of a module leave as it is."""
    with Site(browser, draw) as site:
        yield site


@pytest.fixture
def shared_site(module_site: Site) -> Iterator[Site]:
    """The library of the module, without the pages of other tests."""
    yield module_site
    try:
        assert module_site.is_sound()
    finally:
        module_site.close_pages()


@pytest.fixture
def new_site(browser: Browser) -> Iterator[Callable[[Callable[[Path], None]], Site]]:
    """Makes a page of its own for a test, before pictures that a function draws."""
    sites: list[Site] = []

    def make(pictures: Callable[[Path], None] = draw) -> Site:
        sites.append(Site(browser, pictures))
        return sites[-1]

    yield make
    try:
        assert all(site.is_sound() for site in sites)
    finally:
        for site in sites:
            site.close()

"""Gateways with a daemon behind them, and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.client.web.running import Gateway, environ_of
from tests.e2e import scenes
from tests.e2e.home import Home
from tests.rpc.peers import short_directory


@pytest.fixture(scope="module")
def lonely() -> Iterator[Gateway]:
    """A gateway without a daemon: for what is decided before anybody is asked."""
    with short_directory() as home, Gateway(environ_of(home), "--no-start") as gateway:
        yield gateway


@dataclass
class Library:
    """A gateway before a real daemon, and the pictures that this one watches."""

    home: Home
    gateway: Gateway
    folder: Path
    script: httpx.Client

    def sync(self) -> None:
        """Wait until everything that happened before is indexed and compared."""
        self.home.pspc("sync")
        self.home.pspc("duplicates", "--wait", expect=None)


@pytest.fixture
def library() -> Iterator[Library]:
    """A library of its own, with a few pictures."""
    yield from library_of(draw)


@pytest.fixture(scope="module")
def shared_library() -> Iterator[Library]:
    """A library that the tests of a module only read."""
    yield from library_of(draw)


def draw(folder: Path) -> None:
    """Make a few pictures: two groups of copies, and what is none."""
    for seed in range(4):
        scenes.save(seed, folder / f"scene-{seed}.png")
    scenes.scene(0).resize((160, 120)).save(folder / "small.jpg", quality=90)
    (folder / "again.png").write_bytes((folder / "scene-1.png").read_bytes())
    (folder / "no picture.jpg").write_bytes(b"\xff\xd8\xff but no more than that")


def library_of(pictures: Callable[[Path], None]) -> Iterator[Library]:
    """Yield a library of pictures that a function makes in a folder."""
    home = Home()
    try:
        # Where its trash is; that of whoever runs the tests is not to be filled.
        home.environ["XDG_DATA_HOME"] = str(home.folder / "data")
        folder = home.pictures()
        pictures(folder)
        home.pspc("add", folder)
        with Gateway(home.environ) as gateway, gateway.script() as script:
            library = Library(home, gateway, folder, script)
            library.sync()
            yield library
    finally:
        home.close()

"""A daemon that indexes a folder which never rests, for the tests that end it or its parts."""

from __future__ import annotations

import random
from pathlib import Path

from tests.e2e.scenes import scene

CONFIG = "[watch]\nquiet_seconds = 0.1\n[workers]\nprocesses = 2\nquery_processes = 1\n"
WORKERS = 3
"""Processes that `CONFIG` asks for."""
STOP_SECONDS = 5.0
ASKED = 1000
"""Kills of each kind that the goal asks for."""
WAIT_SECONDS = 60.0


class Pictures:
    """A folder that gets new pictures, and loses some."""

    def __init__(self, folder: Path, random_: random.Random) -> None:
        self.folder = folder
        self._random = random_
        self._made = 0

    def add(self, count: int) -> None:
        for _ in range(count):
            self._made += 1
            scene(self._made, 40, 30).save(self.folder / f"{self._made}.png")

    def remove_one(self) -> None:
        paths = sorted(self.folder.iterdir())
        if len(paths) > 40:
            self._random.choice(paths).unlink()

    def paths(self) -> set[str]:
        return {str(path) for path in self.folder.iterdir()}

"""Keeps a daemon indexing while something else is measured."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.live_daemon import LiveDaemon
from examples.make_samples import noise, to_image

SCENES = 200
"""Different pictures; each is written again and again as another content."""
SIDE = 640
_CANVAS = 2048
_LOOK_SECONDS = 0.1
_FOLDER_FILES = 500
_FIRST_SECONDS = 60.0


@cache
def scene(number: int) -> bytes:
    """Return one of `SCENES` JPEG pictures of 640 × 480 whose hashes differ, over and over."""
    if number >= SCENES:
        return scene(number % SCENES)
    random = np.random.default_rng(number)
    side = int(random.integers(SIDE // 2, SIDE))
    left, top = (int(each) for each in random.integers(0, _CANVAS - SIDE, 2))
    box = (left, top, left + side, top + side * 3 // 4)
    shown = _canvas().resize((SIDE, SIDE * 3 // 4), Image.Resampling.BILINEAR, box=box)
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@cache
def _canvas() -> Image.Image:
    random = np.random.default_rng(7)
    layers = [noise(random, _CANVAS, _CANVAS, coarsest=24) for _ in range(3)]
    return to_image(np.stack(layers, axis=2))


class Feeder:
    """Writes new pictures into a watched folder whenever few are waiting.

    Args:
        daemon: Runs.
        folder: Watched by it.
        waiting: Files that are kept waiting, at least.
    """

    def __init__(self, daemon: LiveDaemon, folder: Path, waiting: int) -> None:
        self._daemon = daemon
        self._waiting = waiting
        self._folder = folder
        self._written = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._feed)
        self._begun = 0.0
        self._before = 0

    def start(self) -> None:
        """Begin; returns when the first pictures were indexed.

        Raises:
            RuntimeError: None is.
        """
        before = self._daemon.status()["extracted"]
        self._thread.start()
        until = time.monotonic() + _FIRST_SECONDS
        while (now := self._daemon.status()["extracted"]) == before:
            if time.monotonic() > until:
                raise RuntimeError("nothing is indexed")
        self._before, self._begun = now, time.perf_counter()

    def indexed(self) -> int:
        """Return how many pictures were indexed since the start."""
        return int(self._daemon.status()["extracted"]) - self._before

    def rate(self) -> float:
        """Return how many pictures were indexed a second since the start."""
        return self.indexed() / (time.perf_counter() - self._begun)

    def stop(self) -> None:
        """Write no more."""
        self._stopping.set()
        self._thread.join()

    def _feed(self) -> None:
        with self._daemon.connect() as connection:
            while not self._stopping.wait(_LOOK_SECONDS):
                if connection.status().pending < self._waiting:
                    self._write(self._waiting)

    def _write(self, count: int) -> None:
        for _ in range(count):
            folder = self._folder / f"{self._written // _FOLDER_FILES:04}"
            folder.mkdir(exist_ok=True)
            data = scene(self._written) + b"%d" % self._written
            (folder / f"{self._written:06}.jpg").write_bytes(data)
            self._written += 1


@contextmanager
def fed(daemon: LiveDaemon, waiting: int) -> Iterator[Feeder]:
    """Have the daemon index all the while; what still waits at the end is indexed as well."""
    folder = daemon.pictures("feeding")
    for number in range(min(SCENES, waiting)):
        scene(number)
    daemon.pspc("add", folder, "--wait")
    feeder = Feeder(daemon, folder, waiting)
    feeder.start()
    try:
        yield feeder
    finally:
        feeder.stop()
    with daemon.connect() as connection:
        connection.sync()

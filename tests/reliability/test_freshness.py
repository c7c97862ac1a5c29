"""G8: a file that was closed is found by a search after a sync, every time."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import pytest

from pspc import Connection
from tests.e2e.daemon import Daemon
from tests.e2e.home import Home
from tests.e2e.scenes import scene
from tests.reliability.conftest import Report
from tests.reliability.goals import Size, too_few

MOST_SECONDS = 0.4
PERCENTILE = 0.99


def pictures(count: int) -> Iterator[bytes]:
    """Yield files that are all different: one picture, with another comment in each."""
    file = io.BytesIO()
    scene(1, 64, 48).save(file, "JPEG")
    data = file.getvalue()
    for number in range(count):
        comment = f"{number:08}".encode()
        yield data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + data[2:]


@pytest.mark.goal("G8")
def test_what_was_closed_is_found_after_a_sync(goal: Report, size: Size, home: Home) -> None:
    rounds = size.of(50, 10_000, 100_000)
    deadline = time.monotonic() + size.of(60, 150, 3600)
    folder = home.pictures()
    seconds: list[float] = []
    missed = 0
    with Daemon(home) as daemon, Connection(home.path) as connection:
        assert daemon.await_ready()
        connection.add(folder)
        connection.sync(timeout=30)
        for number, data in enumerate(pictures(rounds)):
            if time.monotonic() > deadline:
                break
            # Few files at a time, as in a folder of downloads; each round's is new.
            path = folder / f"{number % 500}.jpg"
            path.write_bytes(data)
            begun = time.monotonic()
            connection.sync(timeout=30)
            hits = connection.search(data, mode="original").hits
            seconds.append(time.monotonic() - begun)
            missed += str(path).encode() not in {
                hit.path for hit in hits if hit.verdict == "same_file"
            }
            if number % 1000 == 999:
                goal.progress(f"{number + 1:,} of {rounds:,} rounds, {missed} missed")
        daemon.stop()
    done = len(seconds)
    p99 = sorted(seconds)[int(PERCENTILE * (done - 1))]
    is_well = not missed and p99 <= MOST_SECONDS
    few = too_few(size, done, 10_000)
    goal.figure(
        f"{done:,} files closed, {done - missed:,} found, p99 {1000 * p99:.0f} ms with decode",
        reached=is_well and not few,
        why=few if is_well else "",
    )

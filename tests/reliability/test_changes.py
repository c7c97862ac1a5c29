"""G19: no change of a file goes unnoticed, and no half-written file is taken for a whole one."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability.conftest import Report
from tests.reliability.goals import Size
from tests.reliability.pipeline import picture, running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs ctime and leases")

FILES = 200


@pytest.mark.goal("G19")
def test_rewrites_of_equal_size_and_time_are_all_noticed(
    goal: Report, size: Size, tmp_path: Path
) -> None:
    rounds = size.of(2, 50, 500)
    wrong = 0
    with running(tmp_path) as pipeline:
        contents = {f"{number}.bmp": picture(number) for number in range(FILES)}
        for name, data in contents.items():
            (pipeline.top / name).write_bytes(data)
        pipeline.sync()
        for number in range(1, rounds + 1):
            for index, name in enumerate(list(contents)):
                contents[name] = picture(number * FILES + index)
                path = pipeline.top / name
                status = path.stat()
                path.write_bytes(contents[name])
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            pipeline.sync()
            wrong += len(pipeline.wrong(dict(contents)))
    text = f"{rounds * FILES:,} rewrites of equal size and time: {wrong} not noticed"
    goal.figure(text, reached=not wrong)


@pytest.mark.goal("G19")
def test_writes_while_a_file_is_read_leave_no_stale_features(
    goal: Report, size: Size, tmp_path: Path
) -> None:
    writes = size.of(200, 1000, 10_000)
    with running(tmp_path) as pipeline:
        contents: dict[str, bytes] = {}
        for number in range(writes):
            # Each file is written again and again while the first version is on its way.
            name = f"{number % 20}.bmp"
            contents[name] = picture(number)
            with (pipeline.top / name).open("r+b" if number >= 20 else "wb") as file:
                file.write(contents[name])
        pipeline.sync()
        wrong = len(pipeline.wrong(contents))
    text = f"{writes:,} writes racing with the reader: {wrong} files with stale features"
    goal.figure(text, reached=not wrong)


def _slowly(path: Path, data: bytes, pause: Callable[[], object]) -> None:
    with path.open("wb", buffering=0) as file:
        for first in range(0, len(data), 200):
            file.write(data[first : first + 200])
            pause()


def _in_several_openings(path: Path, data: bytes, pause: Callable[[], object]) -> None:
    path.touch()
    for first in range(0, len(data), 300):
        with path.open("r+b") as file:
            file.seek(first)
            file.write(data[first : first + 300])
        pause()


def _into_reserved_space(path: Path, data: bytes, pause: Callable[[], object]) -> None:
    """As downloaders do: until the end it decodes, as a picture that is black below."""
    with path.open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, len(data))
        pause()
        file.write(data[: len(data) // 2])
    pause()
    with path.open("r+b", buffering=0) as file:
        file.seek(len(data) // 2)
        file.write(data[len(data) // 2 :])


WAYS = (_slowly, _in_several_openings, _into_reserved_space)


@pytest.mark.goal("G19")
def test_files_that_are_written_bit_by_bit_end_up_right(
    goal: Report, size: Size, tmp_path: Path
) -> None:
    writes = size.of(60, 1000, 10_000)
    clock = threading.Event()

    def pause() -> None:
        clock.wait(0.004)

    with running(tmp_path) as pipeline:
        contents: dict[str, bytes] = {}
        for number in range(writes):
            name = f"{number}.bmp"
            contents[name] = picture(number)
            WAYS[number % len(WAYS)](pipeline.top / name, contents[name], pause)
        pipeline.sync()
        wrong = len(pipeline.wrong(contents))
    text = f"{writes:,} files written bit by bit: {wrong} with features of a part"
    goal.figure(text, reached=not wrong)

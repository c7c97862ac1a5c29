"""The watcher with the kernel's events: what happens in a folder is known soon, without a scan."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import until
from tests.watcher.bench import Bench, deep_folder, watching
from tests.watcher.test_scan import write


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with watching(tmp_path) as bench:
        yield bench


def test_what_is_written_moved_and_removed_is_known_without_a_scan(bench: Bench) -> None:
    write(bench.top / "a/b/c")
    write(bench.top / "a/d")
    assert bench.settles() is not None
    (bench.top / "a/b").rename(bench.top / "e")
    (bench.top / "a/d").write_text("changed")
    assert bench.settles() is not None
    write(bench.top / "e/in a renamed folder")
    shutil.rmtree(bench.top / "a")

    assert bench.settles() is not None
    assert sorted(bench.stamps()) == ["e/c", "e/in a renamed folder"]


def test_a_directory_that_left_and_is_written_outside_adds_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    write(bench.top / "d/file")
    assert bench.settles() is not None
    (bench.top / "d").rename(tmp_path / "outside")
    (bench.top / "d").mkdir()
    (bench.top / "d").rmdir()
    write(tmp_path / "outside/ghost")
    shutil.rmtree(tmp_path / "outside")
    write(bench.top / "seen")

    assert bench.settles() is not None
    assert sorted(bench.stamps()) == ["seen"]


def test_the_root_is_renamed_and_replaced_and_comes_back(bench: Bench, tmp_path: Path) -> None:
    write(bench.top / "d/file")
    assert bench.settles() is not None
    bench.index_all()
    bench.top.rename(tmp_path / "elsewhere")
    bench.top.mkdir()
    bench.sync()
    assert sorted(bench.stamps()) == ["d/file"], "an empty folder in its place is not believed"
    assert bench.notices("unavailable")
    bench.top.rmdir()
    (tmp_path / "elsewhere").rename(bench.top)
    bench.sync()
    write(bench.top / "d/new")

    assert bench.settles() is not None
    assert bench.extracted == 1
    assert not bench.notices("unavailable")


def test_paths_longer_than_the_system_takes_are_watched(bench: Bench) -> None:
    descriptor = deep_folder(bench.top)
    bench.sync()
    os.close(os.open("late", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)

    assert until(lambda: any(path.endswith("/late") for path in bench.stamps())) is not None


def test_whoever_asks_for_a_scan_before_the_watcher_runs_waits_for_it(tmp_path: Path) -> None:
    with watching(tmp_path) as bench:
        bench.watcher.close()
        write(bench.top / "new")
        bench.watcher = bench.new_watcher()
        scan = bench.watcher.scan_all()

        assert not scan.done(), "a request may come while the daemon starts its parts"
        bench.watcher.start()
        scan.result(timeout=60)
        assert sorted(bench.stamps()) == ["new"]

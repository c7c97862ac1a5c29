"""A disk that is full or read-only stops indexing, never searching, and nothing is lost."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.home import Home
from tests.e2e.scenes import save, scene
from tests.reliability import shim


class SmallDisk:
    """A tmpfs under the daemon's home."""

    def __init__(self, home: Home, size: str) -> None:
        self.folder = home.path
        self._mount("-t", "tmpfs", "-o", f"size={size},mode=700", "psp-test")

    def remount(self, options: str) -> None:
        self._mount("-o", f"remount,{options}")

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)

    def _mount(self, *words: str) -> None:
        subprocess.run(["mount", *words, str(self.folder)], check=True, capture_output=True)


Disk = Callable[[str], SmallDisk]


@pytest.fixture
def disk(home: Home) -> Iterator[Disk]:
    made: list[SmallDisk] = []

    def make(size: str) -> SmallDisk:
        if os.getuid() != 0:
            pytest.skip("needs root to mount a small tmpfs")
        try:
            made.append(SmallDisk(home, size))
        except subprocess.CalledProcessError:
            pytest.skip("needs the right to mount a small tmpfs")
        return made[0]

    yield make
    home.run("pspc", "stop")
    for each in made:
        each.close()
    home.pspc("start")  # what the fixture stops


def status_with(home: Home, words: str) -> dict[str, object]:
    for _ in range(100):
        status = home.status()
        if any(words in notice["cause"] for notice in status["notices"]):
            return status
    raise AssertionError(f"no notice says: {words}")


def without_notices(home: Home) -> bool:
    return any(not home.status()["notices"] for _ in range(100))


def test_indexing_pauses_before_the_disk_is_full_and_goes_on_when_there_is_room(
    home: Home, disk: Disk
) -> None:
    small = disk("4m")
    folder = home.pictures()
    first = save(1, folder / "first.png")
    home.pspc("add", folder, "--wait")
    filling = home.path / "filling"
    free = os.statvfs(home.path).f_bavail * os.statvfs(home.path).f_frsize
    filling.write_bytes(bytes(free - (100 << 10)))  # a twentieth of 4 MiB is 200 KiB
    status_with(home, "is the disk full?")
    for seed in range(20):
        scene(seed, 64, 48).save(folder / f"{seed}.png")
    home.run("pspc", "sync", "--timeout", "2")
    status = status_with(home, "is the disk full?")
    assert status["pending"]
    assert str(first) in home.search(first, expect=None)
    filling.unlink()
    home.pspc("sync")
    assert without_notices(home)
    done = home.status()
    assert (done["indexed"], done["pending"], done["problem"]) == (21, 0, "")
    assert home.document("check", "--deep")["found"] == 0
    assert small.folder == home.path


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("kind", ["write", "sync"])
def test_a_disk_that_begins_to_fail_is_told_and_searches_go_on(
    home: Home, kind: str, number: int
) -> None:
    library = shim.build()
    if library is None:
        pytest.skip("no C compiler here, or not Linux")
    mended = home.folder / "mended"
    mended.touch()
    settings: dict[str, str | Path] = {
        "FAIL": f"{kind}:1:{number}",
        "FAIL_TIMES": "0",
        "FAIL_PATHS": "/data.mdb",
        "UNTIL": mended,
    }
    plain = dict(home.environ)
    home.environ.update(shim.environ(library, settings))
    folder = home.pictures()
    first = save(1, folder / "first.png")
    home.pspc("start")
    home.environ = plain
    home.pspc("add", folder, "--wait")
    pid = home.pid()
    mended.unlink()
    save(2, folder / "second.png")
    status_with(home, "the store cannot be written")
    assert str(first) in home.search(first, expect=None)
    mended.touch()
    home.pspc("stop")
    home.pspc("sync")
    assert home.pid() != pid
    assert home.status()["indexed"] == 2
    assert home.document("check", "--deep")["found"] == 0


def test_a_read_only_home_is_refused_with_one_line(home: Home, disk: Disk) -> None:
    small = disk("16m")
    small.remount("ro")
    done = home.run("pspd")
    small.remount("rw")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"Read-only file system" in done.stderr


def test_a_full_disk_does_not_keep_the_daemon_from_starting(home: Home, disk: Disk) -> None:
    disk("4m")
    folder = home.pictures()
    first = save(1, folder / "first.png")
    home.pspc("add", folder, "--wait")
    home.pspc("stop")
    filling = home.path / "filling"
    with contextlib.suppress(OSError), open(filling, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert os.statvfs(home.path).f_bavail == 0
    assert str(first) in home.search(first, expect=None)
    filling.unlink()
    home.pspc("sync")
    assert home.status()["indexed"] == 1

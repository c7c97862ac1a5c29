"""The daemon over a store that was damaged or laid open to others."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from pspc import Connection
from pspd.core.model import FileState
from pspd.store.store import Store
from tests.e2e.daemon import Daemon
from tests.e2e.home import Home
from tests.e2e.scenes import save
from tests.reliability.conftest import Report
from tests.reliability.goals import Size
from tests.store import damage


def content_of(state: Path) -> dict[str, tuple[Any, ...]]:
    """Return all that a store has of its files, by path; numbers that are its own left out."""
    store = Store(state / "store")
    found = {}
    with store.read() as reader:
        for root in reader.roots():
            waiting = [root.directory]
            while waiting:
                directory = waiting.pop()
                waiting += [each.directory_id for each in reader.children(directory)]
                for key, record in reader.files_in(directory).items():
                    assert record.state is not FileState.PENDING
                    number = record.image
                    image = None if number is None else reader.image(number)
                    hashes = () if number is None else tuple(reader.cells(number).values())
                    described = (
                        None if image is None else (image.image_id, image.format, image.mean)
                    )
                    path = str(reader.file_path(key))
                    found[path] = (record.state, record.stamp, described, hashes)
    store.close()
    return found


@pytest.mark.goal("G16")
def test_a_rebuilt_store_is_what_a_fresh_index_is(goal: Report, size: Size, home: Home) -> None:
    folder = home.pictures()
    for seed in range(8):
        save(seed, folder / f"{seed}.png")
    shutil.copy(folder / "1.png", folder / "again.png")
    (folder / "broken.png").write_bytes((folder / "2.png").read_bytes()[:500])
    live_once(home, folder)
    fresh = content_of(home.path)
    assert len(fresh) == 10
    data, known = home.path / "store" / "data.mdb", home.path / "MANIFEST"
    original = data.read_bytes(), known.read_bytes()
    damages = size.of(3, 14, 280)
    equal = 0
    slowest = 0.0
    for seed in range(damages):
        kind = list(damage.KINDS)[seed % len(damage.KINDS)]
        shutil.rmtree(home.path / "backups", ignore_errors=True)
        damage.damage(data, kind, seed)
        slowest = max(slowest, live_once(home))
        equal += content_of(home.path) == fresh
        restore(home, original)
    text = f"{damages} damaged stores: {equal} rebuilt exactly; slowest start {slowest:.1f} s"
    goal.figure(text, reached=equal == damages and slowest <= 10)


def live_once(home: Home, folder: Path | None = None) -> float:
    """Have a daemon index all there is; returns the seconds until it was ready."""
    with Daemon(home) as daemon, Connection(home.path) as connection:
        assert daemon.await_ready(), daemon.log()[-2000:]
        if folder is not None:
            connection.add(folder)
        connection.sync(timeout=60)
        status, _ = daemon.stop()
        assert status == 0
        return daemon.ready_seconds


def restore(home: Home, original: tuple[bytes, bytes]) -> None:
    """Put the whole store back, and the counter of rebuilds with it."""
    for bad in home.path.glob("store.bad-*"):
        shutil.rmtree(bad)
    (home.path / "store" / "data.mdb").write_bytes(original[0])
    (home.path / "MANIFEST").write_bytes(original[1])


@pytest.mark.goal("G22")
def test_nothing_of_psp_is_open_to_other_users_under_any_umask(goal: Report) -> None:
    home = Home()
    try:
        folder = home.pictures()
        save(1, folder / "a.png")
        home.environ["PSP_HOME"] = str(home.path / "new")  # made by PSP, not by this test
        old = os.umask(0)
        try:
            home.pspc("add", folder, "--wait")
            home.pspc("backup")
            home.pspc("search", folder / "a.png")
            home.pspc("stop")
            os.truncate(home.path / "new" / "store" / "data.mdb", 4096)
            home.pspc("sync")
        finally:
            os.umask(old)
        seen = [home.path / "new", *(home.path / "new").rglob("*")]
        names = {path.name.partition(".bad")[0] for path in seen}
        assert {"store", "data.mdb", "MANIFEST", "pspd.sock", "backups", "pspd.lock"} <= names
        open_ones = [str(path) for path in seen if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    finally:
        home.path = home.path / "new"
        home.close()
    text = f"{len(seen)} files, folders and sockets under umask 000: {len(open_ones)} open"
    goal.figure(text + "".join(f", {path}" for path in open_ones[:3]), reached=not open_ones)

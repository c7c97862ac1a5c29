"""The store is checked, mended and backed up while the daemon runs; damage costs time alone."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from pspd.core.model import RootId
from pspd.store import checksum
from pspd.store.keys import number_key, root_key
from pspd.store.manifest import read as read_manifest
from tests.e2e.home import Home
from tests.e2e.scenes import save

PICTURES = 6


@pytest.fixture
def folder(home: Home) -> Path:
    """Some pictures that are indexed."""
    folder = home.pictures()
    for seed in range(PICTURES):
        save(seed, folder / f"{seed}.png")
    home.pspc("add", folder, "--wait")
    return folder


MEAN = b"\xc4\x06"
"""What stands before the means in an image's record."""


def change_value(home: Home, database: str, key: bytes, at: int | bytes, *, seals: bool) -> None:
    """Change a byte of a value's body behind the daemon's back, with or without its checksum."""
    path = str(home.path / "store")
    with lmdb.open(path, max_dbs=20, lib_version=0, map_size=1 << 30) as environment:
        opened = environment.open_db(database.encode(), create=False)
        with environment.begin(write=True, db=opened) as transaction:
            key = key or next(iter(transaction.cursor()))[0]
            value = transaction.get(key) or b""
            body = bytearray(checksum.unseal(key, value))
            body[body.rindex(at) + len(at) if isinstance(at, bytes) else at] ^= 1
            changed = checksum.seal(key, bytes(body)) if seals else value[:4] + bytes(body)
            transaction.put(key, changed)


def test_a_store_in_order_passes_every_check(home: Home, folder: Path) -> None:
    assert home.pspc("check") == "nothing is wrong\n"
    document = home.document("check", "--deep", "--subset", "1/2")
    assert (document["found"], document["findings"]) == (0, [])
    done = home.run("pspc", "check", "--subset", "3/2")
    assert done.returncode == 2
    assert b"a part such as 1/7 is wanted" in done.stderr


def test_features_that_are_wrong_are_found_by_a_deep_check_and_mended(
    home: Home, folder: Path
) -> None:
    change_value(home, "images", number_key(0), MEAN, seals=True)
    assert home.document("check")["found"] == 0
    document = home.document("check", "--deep", expect=1)
    [finding] = document["findings"]
    assert finding["level"] == "content"
    assert str(folder) in finding["text"]
    [notice] = home.status()["notices"]
    assert "pspc repair" in notice["cure"]
    assert "1 files are read again" in home.pspc("repair", "--deep")
    home.pspc("sync")
    assert home.document("check", "--deep")["found"] == 0
    assert home.status()["notices"] == []


def test_a_rotating_deep_check_comes_by_every_picture_once(home: Home, folder: Path) -> None:
    for number in range(PICTURES):
        change_value(home, "images", number_key(number), MEAN, seals=True)
    parts = [home.document("check", "--deep", "--subset", f"{n}/3", expect=None) for n in (1, 2, 3)]
    texts = [finding["text"] for part in parts for finding in part["findings"]]
    assert len(texts) == len(set(texts)) == PICTURES


def test_damage_that_a_search_meets_is_mended_by_itself(home: Home, folder: Path) -> None:
    change_value(home, "images", b"", 40, seals=False)
    # Which picture came first is the workers' affair. A search that meets the damage is refused or
    # does without; the next finds all that there is.
    home.run("pspc", "search", *sorted(folder.iterdir()))
    wait_for_notice(home, "damage was met")
    home.pspc("sync")
    for picture in folder.iterdir():
        assert str(picture) in home.search(picture)
    assert home.status()["indexed"] == PICTURES
    assert home.status()["counters"]["store_damages"] >= 1
    assert home.document("check", "--deep")["found"] == 0


@pytest.mark.parametrize("names", [["pictures"], ["pictures", "more"]])
def test_watched_folders_that_are_damaged_behind_the_daemon_stay_watched(
    home: Home, folder: Path, names: list[str]
) -> None:
    for name in names[1:]:
        save(PICTURES, home.pictures(name) / "other.png")
        home.pspc("add", home.folder / name, "--wait")
    extracted = home.status()["extracted"]
    for number in range(len(names)):
        change_value(home, "roots", root_key(RootId(number + 1)), 4, seals=False)
    home.pspc("repair")
    save(PICTURES + 1, folder / "new.png")
    home.pspc("sync")
    assert str(folder / "new.png") in home.search(folder / "new.png")
    status = home.status()
    assert [root["path"] for root in status["roots"]] == [str(home.folder / name) for name in names]
    assert status["counters"].get("watcher_restarts", 0) == 0
    # What is known of the folders is kept with them.
    assert status["extracted"] == extracted + 1
    assert home.document("check", "--deep")["found"] == 0


def delete_all(home: Home, database: str) -> None:
    """Let every record of a database vanish behind the daemon's back."""
    path = str(home.path / "store")
    with lmdb.open(path, max_dbs=20, lib_version=0, map_size=1 << 30) as environment:
        opened = environment.open_db(database.encode(), create=False)
        with environment.begin(write=True) as transaction:
            transaction.drop(opened, delete=False)


@pytest.mark.parametrize("database", ["images", "digests", "links", "files"])
def test_records_that_vanished_cost_no_search_and_are_back_after_the_next_start(
    home: Home, folder: Path, database: str
) -> None:
    delete_all(home, database)
    for picture in folder.iterdir():
        answered = home.run("pspc", "search", picture)
        assert answered.returncode in {0, 1}  # found or not
    os.kill(home.pid(), signal.SIGKILL)
    home.pspc("start")
    wait_for_notice(home, "missing")
    home.pspc("sync")
    for picture in folder.iterdir():
        assert str(picture) in home.search(picture)
    assert home.status()["indexed"] == PICTURES
    assert home.document("check", "--deep")["found"] == 0


def wait_for_notice(home: Home, words: str) -> None:
    """Look at the status until it has a notice; each look is a process, so this does not spin."""
    for _ in range(100):
        if any(words in notice["cause"] for notice in home.status()["notices"]):
            return
    raise AssertionError(f"no notice says: {words}")


def test_damaged_pages_of_a_running_store_are_found_and_another_is_built(
    home: Home, folder: Path
) -> None:
    pid = home.pid()
    with open(home.path / "store" / "data.mdb", "r+b") as file:
        size = os.path.getsize(file.name)
        for at in range(2 * 4096 + 10, size, 4096):
            file.seek(at)
            file.write(b"\xff\xff")  # the page's kind
    # The daemon may die of it; the client starts the next one, which looks before it opens.
    home.run("pspc", "repair")
    home.pspc("sync")
    assert home.pid() != pid
    status = home.status()
    assert (status["indexed"], status["pending"]) == (PICTURES, 0)
    assert [root["path"] for root in status["roots"]] == [str(folder)]
    assert home.document("check", "--deep")["found"] == 0
    assert len(list(home.path.glob("store.bad-*"))) == 1


def test_a_backup_is_a_sound_store_in_a_private_folder(home: Home, folder: Path) -> None:
    target = home.folder / "elsewhere"
    home.pspc("distinct", *sorted(folder.iterdir())[:2])
    place = Path(home.pspc("backup", target).strip())
    assert place.parent == target
    # What no picture tells again goes along.
    assert (place / "distinct.jsonl").read_bytes() == (home.path / "distinct.jsonl").read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    known = read_manifest(home.path)
    assert known is not None
    home.pspc("stop")
    shutil.rmtree(home.path / "store")
    shutil.copytree(place, home.path / "store")
    home.pspc("sync")
    status = home.status()
    assert (status["indexed"], status["extracted"], status["notices"]) == (PICTURES, 0, [])
    done = home.run("pspc", "backup", "/proc/nowhere")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1


def test_the_repair_of_a_daemon_that_does_not_start_says_what_it_needs(home: Home) -> None:
    environ = {**home.environ, "PSP_HOME": str(home.folder / "nowhere")}
    command = [sys.executable, "-m", "pspd", "--repair"]
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    assert done.returncode == 78
    assert done.stderr.count(b"\n") == 1
    home.pspc("start")
    done = subprocess.run(command, env=home.environ, capture_output=True, check=False)
    assert done.returncode == 75

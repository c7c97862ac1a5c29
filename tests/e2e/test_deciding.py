"""Copies are found, a plan is made, carried out and taken back, with the real daemon and client."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.home import Home
from tests.e2e.scenes import save, scene
from tests.pictures import shared_pictures


def everything(folder: Path) -> dict[str, tuple[str, int]]:
    """Return the digest and time of each file below a folder."""
    return {
        str(path.relative_to(folder)): (
            hashlib.blake2b(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def folder(home: Home) -> Path:
    """A picture, the same file, the same pixels and a copy of it, and a stranger."""
    home.environ["XDG_DATA_HOME"] = str(home.folder / "data")
    folder = home.pictures()
    picture = scene(1)
    picture.save(folder / "best.png")
    shutil.copy(folder / "best.png", folder / "twin.png")
    picture.save(folder / "equal.bmp")
    picture.resize((160, 120)).save(folder / "small.jpg", quality=80)
    save(2, folder / "stranger.png")
    home.pspc("add", folder, "--wait")
    return folder


def plan(home: Home, *options: str) -> dict[str, str]:
    """Write a plan; returns what it does with which file."""
    path = home.folder / "plan.jsonl"
    path.unlink(missing_ok=True)
    home.pspc("duplicates", "--wait", "--plan", path, *options, expect=None)
    _, *lines = (json.loads(line) for line in path.read_text().splitlines())
    return {Path(line["path"]).name: line["do"] for line in lines}


def test_a_plan_is_carried_out_and_taken_back(home: Home, folder: Path) -> None:
    before = everything(folder)
    assert plan(home, "--keep", "lossless, pixels, path:*/best.png") == {
        "best.png": "keep",
        "twin.png": "trash",
        "equal.bmp": "trash",
    }
    path = home.folder / "plan.jsonl"
    answer = home.run("pspc", "apply", "--dry-run", path)
    assert answer.returncode == 0
    assert everything(folder) == before

    answer = home.run("pspc", "apply", path)
    assert answer.returncode == 0, answer.stderr
    assert set(everything(folder)) == {"best.png", "small.jpg", "stranger.png"}
    assert b"2 files done" in answer.stderr
    home.pspc("sync")
    assert home.status()["indexed"] == 3

    # What is gone cannot go again.
    answer = home.run("pspc", "apply", path)
    assert (answer.returncode, answer.stdout.count(b"failed\t")) == (1, 2)
    answer = home.run("pspc", "undo")
    assert answer.returncode == 0, answer.stderr
    assert everything(folder) == before
    answer = home.run("pspc", "undo")
    assert (answer.returncode, answer.stdout) == (1, b"")


def test_only_who_asks_for_copies_lets_copies_go(home: Home, folder: Path) -> None:
    assert "small.jpg" not in plan(home)
    assert plan(home, "--verdict", "copy")["small.jpg"] == "trash"
    assert set(plan(home, "--verdict", "same_file")) == {"best.png", "twin.png"}
    assert plan(home, "--verdict", "same_file", "--link")["twin.png"] in {"link", "keep"}
    assert plan(home, "--across-roots") == {}


def test_the_listing_keeps_to_what_is_asked_for(home: Home, folder: Path) -> None:
    other = home.pictures("other")
    save(2, other / "elsewhere.png")
    home.pspc("add", other, "--wait")
    groups = home.document("duplicates", "--wait", "--across-roots")["groups"]
    assert [{Path(file["path"]).name for file in group["files"]} for group in groups] == [
        {"elsewhere.png", "stranger.png"}
    ]
    groups = home.document("duplicates", "--verdict", "same_file")["groups"]
    assert sorted(len(group["files"]) for group in groups) == [2, 2]
    answer = home.run("pspc", "duplicates", "--keep", "pixels")
    assert answer.returncode == 2
    assert b"give --plan FILE as well" in answer.stderr
    # Who takes --plan for a switch names a picture with it.
    answer = home.run("pspc", "duplicates", "--plan", folder / "best.png")
    assert answer.returncode == 2
    assert b"is there already" in answer.stderr


def test_of_what_lies_elsewhere_nothing_goes(home: Home, folder: Path) -> None:
    phone = home.pictures("phone")
    shutil.copy(folder / "best.png", phone / "from-phone.png")
    home.pspc("add", phone, "--wait")
    (home.folder / "link").symlink_to(phone)
    done = plan(home, str(home.folder / "link"), "--keep", "path:*/best.png")
    assert done == {"best.png": "keep", "from-phone.png": "trash"}


def test_a_file_that_changed_since_the_plan_stays_and_the_rest_goes(
    home: Home, folder: Path
) -> None:
    plan(home, "--keep", "path:*/best.png")
    (folder / "twin.png").write_bytes((folder / "stranger.png").read_bytes())
    before = everything(folder)
    answer = home.run("pspc", "apply", home.folder / "plan.jsonl")
    assert answer.returncode == 1
    assert b"twin.png has changed" in answer.stderr
    assert set(before) - set(everything(folder)) == {"equal.bmp"}
    home.pspc("undo")
    assert everything(folder) == before


def test_what_is_no_plan_is_one_line(home: Home, folder: Path) -> None:
    (home.folder / "no-plan").write_text("hello\n")
    for name in ("no-plan", "nowhere", "pictures/best.png"):
        answer = home.run("pspc", "apply", home.folder / name)
        assert answer.returncode == 2
        assert answer.stderr.count(b"\n") == 1, answer.stderr


def test_a_kill_while_a_plan_is_carried_out_is_taken_back(home: Home) -> None:
    home.environ["XDG_DATA_HOME"] = str(home.folder / "data")
    folder = home.pictures()
    save(1, folder / "best.png")
    for number in range(200):
        shutil.copy(folder / "best.png", folder / f"{number:03}.png")
    home.pspc("add", folder, "--wait")
    plan(home, "--keep", "path:*/best.png")
    before = everything(folder)
    command = [sys.executable, "-m", "pspc", "apply", str(home.folder / "plan.jsonl")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=home.environ) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert set(everything(folder)) < set(before)
    assert home.run("pspc", "undo").returncode == 0
    assert everything(folder) == before


@pytest.mark.skipif(shared_pictures() is None, reason="there is no folder of real pictures")
def test_the_edits_of_the_bridge_stand_with_it_and_no_stranger(home: Home) -> None:
    shared = shared_pictures()
    assert shared is not None
    folder = home.folder / "copies"
    shutil.copytree(shared / "copies", folder)
    home.pspc("add", folder, "--wait")
    groups = home.document("duplicates", "--wait")["groups"]
    [bridge] = [
        group for group in groups if any("pdq_bridge_mods" in f["path"] for f in group["files"])
    ]
    names = {Path(file["path"]) for file in bridge["files"]}
    mods = {path for path in (folder / "pdq_bridge_mods").iterdir() if path.is_file()}
    # The other folder has the same photograph, turned and mirrored.
    assert {path.parent.name for path in names} == {"pdq_bridge_mods", "pdq_dih"}
    assert mods - names == set()

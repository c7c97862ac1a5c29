"""Bursts and raw halves are not offered as copies, in the listing as little as in a plan."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.client.deciding.groups import shot
from tests.e2e.home import Home
from tests.e2e.scenes import scene


def frame(number: int) -> Image.Image:
    """Return a scene a moment later: all but the same."""
    pixels = np.array(scene(1))
    pixels[:8, :8] = number
    return Image.fromarray(pixels)


@pytest.fixture
def folder(home: Home) -> Path:
    """A burst of three, one of it saved again, a raw file with its JPEG, and both once more."""
    home.environ["XDG_DATA_HOME"] = str(home.folder / "data")
    folder = home.pictures()
    (folder / "burst").mkdir()
    (folder / "card").mkdir()
    shot(frame(10), folder / "burst" / "1.jpg", "10:00:01", "10", quality=95)
    shot(frame(90), folder / "burst" / "2.jpg", "10:00:01", "907", quality=94)
    shot(frame(200), folder / "burst" / "3.jpg", "10:00:02", "007123", quality=93)
    shot(frame(200), folder / "burst" / "3-saved.jpg", "10:00:02", quality=70)
    # Told by its name alone: what reads raw files is not everywhere.
    scene(2).save(folder / "card" / "IMG_1.CR2", "jpeg", quality=96)
    scene(2).save(folder / "card" / "IMG_1.JPG", quality=80)
    home.pspc("add", folder, "--wait")
    return folder


def listed(home: Home, *options: str) -> tuple[list[list[str]], dict[str, Any]]:
    """Return the names of the files in each group, and the whole document."""
    document = home.document("duplicates", "--wait", *options, expect=None)
    groups = [[Path(file["path"]).name for file in group["files"]] for group in document["groups"]]
    return groups, document


def test_a_burst_and_a_raw_half_are_left_out_and_told(home: Home, folder: Path) -> None:
    groups, document = listed(home)
    assert groups == [["3.jpg", "3-saved.jpg"]]
    assert document["left_out"] == 4
    assert document["total"] == 1
    assert document["waste"] == document["groups"][0]["waste"]
    assert document["waste"] == (folder / "burst" / "3-saved.jpg").stat().st_size

    groups, document = listed(home, "--all-shots")
    assert sorted(map(len, groups)) == [2, 4]
    assert (document["left_out"], document["total"]) == (0, 2)

    answer = home.run("pspc", "duplicates")
    assert answer.returncode == 0
    assert answer.stdout.count(b"\n") == 2
    note = b"pspc: 4 files left out as other shots or halves of one; --all-shots lists them\n"
    assert answer.stderr == note
    answer = home.run("pspc", "duplicates", "-0", "--all-shots")
    assert (answer.stdout.count(b"\0"), answer.stderr) == (8, b"")
    shutil.rmtree(folder / "burst")
    answer = home.run("pspc", "duplicates", "--wait")
    assert (answer.returncode, answer.stdout) == (1, b"")


def test_equal_pairs_are_listed_and_planned_as_pairs(home: Home, folder: Path) -> None:
    shutil.copytree(folder / "card", folder / "again")
    shutil.rmtree(folder / "burst")
    groups, document = listed(home)
    assert groups == [["IMG_1.CR2", "IMG_1.CR2"], ["IMG_1.JPG", "IMG_1.JPG"]]
    assert document["left_out"] == 0

    path = home.folder / "plan.jsonl"
    home.pspc("duplicates", "--plan", path, "--verdict", "copy", "--keep", "path:*/card/*")
    _, *lines = (json.loads(line) for line in path.read_text().splitlines())
    done = {(line["do"], Path(line["path"]).parent.name) for line in lines}
    assert (len(lines), done) == (4, {("keep", "card"), ("trash", "again")})

    path.unlink()
    (folder / "card" / "IMG_1.JPG").unlink()
    home.pspc("duplicates", "--wait", "--plan", path, "--keep", "path:*/card/*", expect=1)
    # The pair is whole in the other folder alone.
    assert path.read_text().count("\n") == 1


def test_the_picture_of_a_live_photo_stays_with_its_movie(home: Home, folder: Path) -> None:
    shutil.rmtree(folder / "card")
    shutil.rmtree(folder / "burst")
    scene(3).save(folder / "IMG_7.JPG")
    (folder / "IMG_7.MOV").write_bytes(b"a movie")
    (folder / "old").mkdir()
    shutil.copy(folder / "IMG_7.JPG", folder / "old" / "IMG_7.JPG")
    path = home.folder / "plan.jsonl"
    words = ("duplicates", "--wait", "--plan", path, "--keep", "path:*/old/*")
    home.pspc(*words, expect=1)
    path.unlink()
    shutil.copy(folder / "IMG_7.MOV", folder / "old" / "IMG_7.MOV")
    home.pspc(*words)
    assert '"trash"' in path.read_text()


def test_a_plan_takes_no_wish_to_list_more(home: Home, folder: Path) -> None:
    answer = home.run("pspc", "duplicates", "--all-shots", "--plan", home.folder / "plan.jsonl")
    assert answer.returncode == 2
    assert answer.stderr.count(b"\n") == 1
    assert b"--all-shots only lists" in answer.stderr

"""What a person has told apart stays apart: over moves, restarts and a store that is built anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.home import Home
from tests.e2e.scenes import scene


@pytest.fixture
def folder(home: Home) -> Path:
    """A picture in three sizes."""
    folder = home.pictures()
    picture = scene(1)
    picture.save(folder / "large.png")
    picture.resize((200, 150)).save(folder / "middle.png")
    picture.resize((160, 120)).save(folder / "small.png")
    home.pspc("add", folder, "--wait")
    return folder


def groups(home: Home) -> list[set[str]]:
    found = home.document("duplicates", "--wait", expect=None)["groups"]
    return [{Path(file["path"]).name for file in group["files"]} for group in found]


def test_two_pictures_are_told_apart_and_taken_back(home: Home, folder: Path) -> None:
    assert groups(home) == [{"large.png", "middle.png", "small.png"}]
    large, small = folder / "large.png", folder / "small.png"
    assert home.pspc("distinct", large, small) == "1 pair told apart\n"
    assert home.pspc("distinct", small, large, expect=1) == "0 pairs told apart\n"
    assert groups(home) == [{"large.png", "middle.png"}]
    when, *paths = home.pspc("distinct", "--list").rstrip("\n").split("\t")
    assert when.endswith("Z")
    assert set(paths) == {str(large), str(small)}

    # By content: elsewhere, under another name, after another start, and in another store.
    moved = folder / "sub" / "tiny.png"
    moved.parent.mkdir()
    shutil.move(small, moved)
    home.pspc("sync")
    assert groups(home) == [{"large.png", "middle.png"}]
    home.pspc("stop")
    shutil.rmtree(home.path / "store")
    home.pspc("sync")
    assert groups(home) == [{"large.png", "middle.png"}]

    moved.unlink()
    home.pspc("sync")
    (pair,) = home.document("distinct", "--list")["pairs"]
    (gone,) = [each["image"] for each in (pair["first"], pair["second"]) if not each["files"]]
    assert home.pspc("distinct", "--forget", gone[:12]) == "1 pair forgotten\n"
    assert home.pspc("distinct", "--list", expect=1) == ""


def test_of_two_that_are_apart_one_stands_with_their_common_copy(home: Home, folder: Path) -> None:
    home.pspc("distinct", folder / "middle.png", folder / "small.png")
    (group,) = groups(home)
    assert len(group & {"middle.png", "small.png"}) == 1
    plan = home.folder / "plan.jsonl"
    home.pspc("duplicates", "--wait", "--verdict", "copy", "--plan", plan)
    _, *lines = (json.loads(line) for line in plan.read_text().splitlines())
    assert {Path(line["path"]).name for line in lines} == group


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["distinct"], "two pictures or more are wanted"),
        (["distinct", "--forget"], "a picture is wanted"),
        (["distinct", "--json", "a", "b"], "--json belongs to --list"),
        (["distinct", "--list", "a"], "name no files"),
        (["distinct", "nowhere.png", "large.png"], "nowhere.png cannot be read"),
        (["distinct", "--forget", "0123456789ab"], "none is listed with a digest"),
    ],
)
def test_a_mistake_is_one_line(home: Home, words: list[str], said: str) -> None:
    answer = home.run("pspc", *words)
    assert answer.returncode == 2
    assert said in answer.stderr.decode()
    assert answer.stderr.count(b"\n") == 1


def test_equal_files_cannot_be_told_apart(home: Home, folder: Path) -> None:
    shutil.copy(folder / "small.png", folder / "twin.png")
    answer = home.run("pspc", "distinct", folder / "small.png", folder / "twin.png")
    assert answer.returncode == 2
    assert b"byte for byte" in answer.stderr

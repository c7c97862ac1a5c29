"""Copies are grouped as pictures arrive, and the groups follow what becomes of the files."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from PIL import Image

from pspc import Connection
from tests.e2e.home import Home
from tests.e2e.scenes import save, scene
from tests.waiting import expect


def groups(home: Home, *arguments: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Return the groups of all that is there by now: name of file → verdict."""
    document = home.document("duplicates", "--wait", *arguments, expect=None)
    return [
        {Path(file["path"]).name: file["verdict"] for file in group["files"]}
        for group in document["groups"]
    ]


def add_copies(folder: Path) -> None:
    """Put a picture, three edits of it, and a stranger into a folder."""
    picture = scene(1)
    picture.save(folder / "best.png")
    picture.resize((160, 120)).save(folder / "small.jpg", quality=80)
    picture.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", quality=85)
    shutil.copy(folder / "best.png", folder / "twin.png")
    save(2, folder / "stranger.png")


def test_copies_stand_in_one_group_with_the_best_first(home: Home) -> None:
    folder = home.pictures()
    add_copies(folder)
    home.pspc("add", folder)

    [group] = home.document("duplicates", "--wait")["groups"]
    files = group["files"]
    verdicts = {Path(file["path"]).name: file["verdict"] for file in files}
    assert verdicts == {
        "best.png": "best",
        "twin.png": "same_file",
        "small.jpg": "copy",
        "turned.jpg": "copy",
    }
    assert Path(files[0]["path"]).name == "best.png"
    turns = {Path(file["path"]).name: file["turn"] for file in files}
    assert turns["turned.jpg"] == "rotate_90"
    assert group["waste"] == sum(file["bytes"] for file in files[1:])
    assert home.status()["uncompared"] == 0


def test_groups_follow_files_that_come_go_and_move(home: Home) -> None:
    folder = home.pictures()
    save(1, folder / "best.png")
    home.pspc("add", folder)
    assert groups(home) == []

    scene(1).resize((160, 120)).save(folder / "small.png")
    assert groups(home) == [{"best.png": "best", "small.png": "copy"}]
    (folder / "small.png").rename(folder / "moved.png")
    assert groups(home) == [{"best.png": "best", "moved.png": "copy"}]
    (folder / "best.png").unlink()
    assert groups(home) == []
    save(1, folder / "best.png")
    assert groups(home) == [{"best.png": "best", "moved.png": "copy"}]
    (folder / "moved.png").write_bytes(b"no picture any more")
    assert groups(home) == []


def test_a_restart_goes_on_and_a_kill_in_the_middle_loses_nothing(home: Home) -> None:
    folder = home.pictures()
    for seed in range(40):
        save(seed, folder / f"{seed}.png")
        scene(seed).resize((200, 150)).save(folder / f"{seed}-small.png")
    home.pspc("add", folder)
    with Connection(home.path) as connection:
        expect(lambda: connection.status().pictures > connection.status().uncompared)
    os.kill(home.pid(), signal.SIGKILL)

    found = groups(home)
    assert len(found) == 40
    assert all(len(group) == 2 for group in found)
    home.pspc("stop")
    assert groups(home) == found
    assert home.document("check")["found"] == 0


def test_folders_choose_groups_with_a_file_there(home: Home) -> None:
    one, other = home.pictures("one"), home.pictures("other")
    add_copies(one)
    scene(1).resize((100, 75)).save(other / "thumb.png")
    save(3, other / "a.png")
    shutil.copy(other / "a.png", other / "b.png")
    home.pspc("add", one, other)

    assert len(groups(home)) == 2
    assert len(groups(home, one)) == 1
    assert len(groups(home, other)) == 2
    assert len(groups(home, one.parent)) == 2
    (home.folder / "link").symlink_to(one)
    assert len(groups(home, home.folder / "link")) == 1
    (one / "link").symlink_to(other)
    assert groups(home, one / "link") == groups(home, other)


def test_a_folder_that_is_not_watched_is_no_folder_without_copies(home: Home) -> None:
    home.pspc("add", home.pictures())

    answer = home.run("pspc", "duplicates", home.folder / "elsewhere")
    assert answer.returncode == 2
    assert b"is in no watched folder; watched are: " in answer.stderr


def test_nobody_is_chained_to_a_stranger(home: Home) -> None:
    folder = home.pictures()
    for seed in range(6):
        save(seed, folder / f"{seed}.png")
    home.pspc("add", folder)

    assert groups(home) == []
    assert home.run("pspc", "duplicates").returncode == 1


def test_a_pipe_gets_lines_or_paths(home: Home) -> None:
    folder = home.pictures()
    add_copies(folder)
    home.pspc("add", folder)
    lines = home.pspc("duplicates", "--wait").splitlines()
    assert [line.split("\t")[:2] for line in lines][:2] == [["1", "best"], ["1", "same_file"]]
    paths = home.pspc("duplicates", "-0").split("\0")
    assert [Path(path).name for path in paths[:2]] == ["best.png", "twin.png"]
    assert paths[-2:] == ["", ""]
    assert len(paths) == len(lines) + 2


def test_many_copies_of_one_picture_are_one_group(home: Home) -> None:
    """More than are kept of one image: the index is asked for the rest."""
    folder = home.pictures()
    picture = scene(1)
    for side in range(80):
        picture.resize((320 + side, 240 + side)).save(folder / f"{side:02}.png")
    home.pspc("add", folder)

    [group] = groups(home)
    assert len(group) == 80
    assert next(iter(group)) == "79.png"


def test_another_threshold_compares_anew(home: Home) -> None:
    folder = home.pictures()
    picture = scene(1)
    picture.save(folder / "best.png")
    cut = picture.crop((8, 6, 312, 234))
    cut.save(folder / "cut.png")
    home.pspc("add", folder)
    near = groups(home)
    home.pspc("stop")
    home.configure("[search]\ncopy_distance = 0\n")

    assert groups(home) == []
    assert near == [{"best.png": "best", "cut.png": "copy"}]

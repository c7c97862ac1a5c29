"""`pspc missing`: what a card has that the library has not, whatever it is called there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.home import Home
from tests.e2e.scenes import save, scene

KNOWN, NEW = 20, 3


@pytest.fixture
def library(home: Home) -> Path:
    """Twenty pictures that are indexed."""
    folder = home.pictures("library")
    for seed in range(KNOWN):
        save(seed, folder / f"{seed}.png")
    home.pspc("add", folder, "--wait")
    return folder


def test_exactly_what_is_new_is_named(home: Home, library: Path) -> None:
    card = home.pictures("card")
    for seed in range(KNOWN):
        # By content, pixels and copies, and never by name.
        match seed % 4:
            case 0:
                shutil.copy(library / f"{seed}.png", card / f"DSC{seed:03}.png")
            case 1:
                save(seed, card / f"IMG{seed:03}.bmp")
            case 2:
                save(seed, card / f"IMG{seed:03}.jpg", quality=70)
            case _:
                scene(seed).transpose(Image.Transpose.ROTATE_90).save(card / f"{seed}.webp")
    (card / "inner").mkdir()
    for seed in range(KNOWN, KNOWN + NEW):
        # With names that the library has for others.
        save(seed, card / "inner" / f"{seed - KNOWN}.png")
    (card / "notes.txt").write_text("no picture")

    document = home.document("missing", card, expect=1)
    assert [(file["state"], file["path"]) for file in document["files"]] == [
        ("missing", str(card / "inner" / f"{number}.png")) for number in range(NEW)
    ]
    assert (document["pictures"], document["safe"], document["not_pictures"]) == (23, 20, 1)

    paths = home.run("pspc", "missing", "-0", card).stdout
    assert paths == b"".join(
        os.fsencode(card / "inner" / f"{number}.png") + b"\0" for number in range(NEW)
    )
    shutil.copytree(card / "inner", library / "new")
    answer = home.run("pspc", "missing", "--wait", card)
    assert (answer.returncode, answer.stdout) == (0, b"")
    assert b"23 of 23 pictures are safe" in answer.stderr


def test_a_smaller_copy_is_not_the_picture(home: Home, library: Path) -> None:
    card = home.pictures("card")
    scene(0).resize((1280, 960)).save(card / "large.png")
    scene(1).resize((160, 120)).save(card / "small.png")
    first, second = scene(2), scene(3)
    first.save(card / "moving.webp", save_all=True, append_images=[second], lossless=True)

    document = home.document("missing", card, expect=1)
    states = {Path(file["path"]).name: file["state"] for file in document["files"]}
    assert states == {"large.png": "lesser", "moving.webp": "lesser"}
    found = {Path(file["found"]["path"]).name for file in document["files"]}
    assert found == {"0.png", "2.png"}


def test_a_picture_with_something_around_it_is_not_safe_by_what_is_in_it(
    home: Home, library: Path
) -> None:
    card = home.pictures("card")
    both = Image.new("RGB", (640, 240))
    both.paste(scene(0), (0, 0))
    both.paste(scene(99), (320, 0))
    both.save(card / "collage.png")
    # Of a film or a text nobody reads a byte.
    (card / "film.mp4").write_bytes(b"\0" * 1000)
    (card / "empty.txt").write_bytes(b"")
    document = home.document("missing", card, expect=1)
    assert [file["state"] for file in document["files"]] == ["lesser"]
    assert (document["pictures"], document["not_pictures"]) == (1, 2)


def test_the_folder_itself_is_no_proof_though_it_is_watched(home: Home, library: Path) -> None:
    card = home.pictures("card")
    save(0, card / "known.png")
    save(99, card / "new.png")
    home.pspc("add", card, "--wait")
    document = home.document("missing", card, expect=1)
    assert [Path(file["path"]).name for file in document["files"]] == ["new.png"]
    # Twice, and with one that it lies in, it is still one file.
    twice = home.document("missing", card, card, card.parent / "card", expect=1)
    assert (twice["pictures"], len(twice["files"])) == (2, 1)
    # Through a link it is the same folder.
    (home.folder / "link").symlink_to(card)
    assert home.document("missing", home.folder / "link", expect=1)["safe"] == 1


def test_what_cannot_be_looked_for_is_not_safe(home: Home, library: Path) -> None:
    card = home.pictures("card")
    whole = (library / "0.png").read_bytes()
    (card / "torn.png").write_bytes(whole[: len(whole) // 2])
    (card / "empty.jpg").write_bytes(b"")
    (card / "text.jpg").write_text("named like a picture, and none")
    (card / "notes").write_text("no picture")
    document = home.document("missing", card, expect=1)
    states = {Path(file["path"]).name: file["state"] for file in document["files"]}
    assert states == dict.fromkeys(("torn.png", "empty.jpg", "text.jpg"), "unread")
    assert all(file["message"] for file in document["files"])
    assert document["safe"] == 0


def test_an_empty_folder_is_no_good_news(home: Home, library: Path) -> None:
    answer = home.run("pspc", "missing", home.pictures("card"))
    assert answer.returncode == 1
    assert b"no pictures are there" in answer.stderr
    answer = home.run("pspc", "missing", home.folder / "elsewhere")
    assert answer.returncode == 2
    assert answer.stderr.count(b"\n") == 1
    assert b"is no folder" in answer.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root lists everything")
def test_a_folder_that_cannot_be_listed_is_not_safe(home: Home, library: Path) -> None:
    card = home.pictures("card")
    save(0, card / "known.png")
    (card / "closed").mkdir(mode=0)
    answer = home.run("pspc", "missing", card)
    (card / "closed").chmod(0o700)
    assert answer.returncode == 1
    assert b"closed cannot be listed: Permission denied" in answer.stderr

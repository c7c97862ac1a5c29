"""Which copy is kept, by which rule, and what may go because of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pspc.deciding.choosing import Choice, Verdict, whole_groups
from pspc.deciding.keeping import choose, rules
from pspc.deciding.metadata import has_metadata, taken
from pspc.deciding.proposing import Wishes, proposals
from pspc.deciding.shots import Shots
from pspc.errors import UsageError
from pspd.rpc import wire
from tests.client.deciding.groups import file
from tests.rpc import samples


def kept(files: list[wire.GroupFile], keep: str = wire.DEFAULT_KEEP) -> tuple[str, str]:
    choice = choose(files, rules(keep))
    return os.fsdecode(choice.file.path), choice.rule


def going(
    files: list[wire.GroupFile], keep: str = "pixels", limit: Verdict = "copy", **related: Any
) -> dict[str, str]:
    """Return what may go, by path, with its verdict."""
    wishes = Wishes(rules(keep), limit)
    found = proposals([files], wishes, lambda _: related.get("relations", {}), Shots())
    return {
        os.fsdecode(line.path): line.verdict for group in found for line in group if line.verdict
    }


def test_the_first_rule_that_tells_them_apart_decides_and_is_named() -> None:
    small, large = file("/a", width=320), file("/b")
    assert kept([small, large]) == ("/b", "pixels")
    assert kept([file("/a"), file("/b", format="PNG")], "lossless, pixels") == ("/b", "lossless")
    assert kept([file("/a", size=5), file("/b", size=9)], "pixels, bytes") == ("/b", "bytes")
    assert kept([file("/b"), file("/a")], "pixels") == ("/a", "path")
    assert kept([file("/x/1"), file("/photos/y/2")], "path:/photos/**, pixels") == (
        "/photos/y/2",
        "path:/photos/**",
    )


def test_metadata_and_age_are_read_from_the_files(tmp_path: Path) -> None:
    bare, told = tmp_path / "bare.jpg", tmp_path / "told.jpg"
    bare.write_bytes(b"\xff\xd8 pixels")
    told.write_bytes(b"\xff\xd8\xff\xe1\0\x20Exif\0\0MM\0*2026:11:30 10:00:00\0")
    os.utime(bare, (1, 1))
    os.utime(told, (2, 2))
    assert (has_metadata(os.fsencode(bare)), has_metadata(os.fsencode(told))) == (False, True)
    assert taken(os.fsencode(told)) == (b"2026:11:30 10:00:00", frozenset())
    assert not has_metadata(b"/nowhere")
    files = [file(bare, size=2000, format="PNG"), file(told)]
    assert kept(files) == (str(told), "metadata")
    assert kept(files, "oldest") == (str(bare), "oldest")
    assert kept([*files, file("/nowhere")], "newest") == (str(told), "newest")


@pytest.mark.parametrize("keep", ["", "largest", "pixels,", "path:"])
def test_a_rule_that_there_is_not_is_told_with_those_that_there_are(keep: str) -> None:
    with pytest.raises(UsageError, match="there are pixels, metadata, lossless"):
        rules(keep)


def test_nothing_goes_that_is_less_sure_than_asked_for() -> None:
    files = [
        file("/best", "best", width=900),
        file("/twin", "same_file", image="/best", width=900),
        file("/equal", "same_pixels", width=900, size=9),
        file("/small", width=320),
    ]
    keep = "pixels, bytes"
    assert going(files, keep) == {
        "/twin": "same_file",
        "/equal": "same_pixels",
        "/small": "copy",
    }
    assert set(going(files, keep, "same_pixels")) == {"/twin", "/equal"}
    assert set(going(files, keep, "same_file")) == {"/twin"}


def test_equal_files_among_those_that_stay_go_as_well() -> None:
    files = [
        file("/best", "best", width=900),
        file("/copy", image="c", size=9),
        file("/twin", image="c", size=9),
    ]
    assert going(files, limit="same_file") == {"/twin": "same_file"}


def test_nothing_goes_outside_of_the_folders_that_were_named() -> None:
    files = [file("/a/best", "best", width=900), file("/a/copy"), file("/ab/copy"), file("/b/copy")]
    wishes = Wishes(rules("pixels"), "copy", folders=(b"/a/", b"/b/"))
    found = proposals([files], wishes, lambda _: {}, Shots())
    lines = [line for group in found for line in group]
    assert [line.path for line in lines if line.do != "keep"] == [b"/a/copy", b"/b/copy"]


def test_equal_pixels_are_asked_for() -> None:
    files = [file("/best", "best", size=9), file("/equal"), file("/small", width=320)]
    keep = "pixels, bytes"
    assert going(files, keep, "same_pixels") == {}
    known = {b"/equal": "same_pixels", b"/small": "copy"}
    assert going(files, "path:/best", "same_pixels", relations=known) == {"/equal": "same_pixels"}


def test_two_copies_of_the_best_go_for_one_another_only_if_they_are_copies() -> None:
    files = [file("/best", "best", width=900), file("/photos/one"), file("/other"), file("/third")]
    keep = "path:/photos/**"
    assert going(files, keep) == {"/best": "copy"}
    assert going(files, keep, relations={b"/other": "copy", b"/third": "alike"}) == {
        "/best": "copy",
        "/other": "copy",
    }


def lay(folder: Path, *names: str) -> None:
    """Put files of one byte into a folder."""
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"x")


def test_a_raw_file_and_its_jpeg_stay_both(tmp_path: Path) -> None:
    for name in ("IMG_1.jpg", "IMG_1.CR2", "IMG_2.jpg"):
        (tmp_path / name).write_bytes(b"")
    files = [
        file("/elsewhere.jpg", "best", width=900),
        file(tmp_path / "IMG_1.jpg"),
        file(tmp_path / "IMG_1.CR2"),
        file(tmp_path / "IMG_2.jpg"),
    ]
    assert set(going(files)) == {str(tmp_path / "IMG_2.jpg")}


def test_a_raw_file_goes_for_the_same_bytes_alone_and_nothing_goes_for_it() -> None:
    raw = [file("/a.CR2", "best", "raw"), file("/b.cr2", "same_file", "raw")]
    assert going([*raw, file("/c.jpg")]) == {"/b.cr2": "same_file"}
    # Its pixels are those of a preview.
    equal = [file("/a.dng", "best"), file("/b.dng", "same_pixels"), file("/c.jpg", "same_pixels")]
    assert going(equal) == {}
    assert going([file("/a.jpg", "best", format="RAW"), file("/b.jpg")]) == {}


def test_a_pair_goes_for_a_pair_and_not_for_a_half(tmp_path: Path) -> None:
    here, there = tmp_path / "a", tmp_path / "b"
    lay(here, "IMG_1.CR2", "IMG_1.JPG", "IMG_2.JPG")
    lay(there, "IMG_1.CR2", "IMG_1.JPG", "IMG_2.JPG", "IMG_2.CR2")

    def pair(name: str) -> list[wire.GroupFile]:
        return [file(here / name, "best", name), file(there / name, "same_file", name)]

    assert set(going(pair("IMG_1.CR2"))) == {str(there / "IMG_1.CR2")}
    assert set(going(pair("IMG_1.JPG"))) == {str(there / "IMG_1.JPG")}
    assert going(pair("IMG_2.JPG"), f"path:{here}/**") == {}
    assert set(going(pair("IMG_2.JPG"), f"path:{there}/**")) == {str(here / "IMG_2.JPG")}
    (there / "IMG_1.JPG").write_bytes(b"another one, by its size")
    assert going(pair("IMG_1.CR2")) == {}


def test_of_two_pairs_one_stays_as_a_whole(tmp_path: Path) -> None:
    here, there = tmp_path / "a", tmp_path / "b"
    lay(here, "IMG_1.CR2", "IMG_1.JPG")
    lay(there, "IMG_1.CR2", "IMG_1.JPG")
    os.utime(here / "IMG_1.CR2", (1, 1))
    os.utime(there / "IMG_1.JPG", (1, 1))
    groups = [
        [file(here / name, "best", name), file(there / name, "same_file", name)]
        for name in ("IMG_1.CR2", "IMG_1.JPG")
    ]
    wishes = Wishes(rules("oldest"), "same_file")
    lines = [line for group in proposals(groups, wishes, lambda _: {}, Shots()) for line in group]
    assert [line.path for line in lines if line.do == "trash"] == [os.fsencode(there / "IMG_1.CR2")]
    # Linked, both halves stay where they are.
    linked = proposals(groups, wishes._replace(links=True), lambda _: {}, Shots())
    assert [line.do for group in linked for line in group] == ["keep", "link"] * 2


@pytest.mark.parametrize("picture", ["IMG_1.HEIC", "IMG_1.jpg"])
def test_a_live_photo_goes_only_where_its_movie_is_as_well(tmp_path: Path, picture: str) -> None:
    here, there = tmp_path / "a", tmp_path / "b"
    lay(here, picture)
    lay(there, picture, "IMG_1.MOV")
    both = [file(here / picture, "best", "one"), file(there / picture, "same_file", "one")]
    assert going(both, f"path:{here}/**") == {}
    assert going(both, f"path:{there}/**") == {str(here / picture): "same_file"}
    (here / "IMG_1.mov").write_bytes(b"another movie")
    assert going(both, f"path:{here}/**") == {}
    (here / "IMG_1.mov").write_bytes(b"y")
    assert going(both, f"path:{here}/**") == {str(there / picture): "same_file"}


def test_pictures_taken_one_after_the_other_stay(tmp_path: Path) -> None:
    shots = []
    for number in range(2):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(b"Exif\0\0II*\0" + f"2026:11:30 10:00:0{number}\0".encode())
        shots.append(file(path, "copy" if number else "best"))
    assert going(shots) == {}
    # One that was made smaller keeps the moment of the other, or has none.
    small = tmp_path / "small.jpg"
    small.write_bytes(b"Exif\0\0II*\x002026:11:30 10:00:00\0")
    assert set(going([shots[0], file(small)])) == {str(small)}


def pages(*groups: wire.Group) -> list[wire.DuplicatesReply]:
    """Return a page a group."""
    (known,) = [reply for reply in samples.REPLIES if isinstance(reply, wire.DuplicatesReply)]
    made = [replace(known, groups=[group], next=b"more") for group in groups]
    return [*made[:-1], replace(made[-1], next=None)]


def test_a_group_on_two_pages_is_one() -> None:
    files = [file(f"/{number}", "copy" if number else "best") for number in range(5)]
    split = pages(wire.Group(files[:3], 9, 5, 0), wire.Group(files[3:], 9, 5, 3))
    assert list(whole_groups(split)) == [files]
    [group] = [group for page in Choice("copy").pages(split) for group in page.groups]
    assert (group.files, group.total, group.first, group.waste) == (files, 5, 0, 9)


def test_groups_across_folders_alone() -> None:
    here = [file("/a/1", "best"), file("/a/2")]
    across = [file("/a/3", "best"), file("/b/4")]
    both = pages(wire.Group(here, 1, 2, 0), wire.Group(across, 1, 2, 0))
    found = Choice("copy", [b"/a/", b"/b/"]).pages(both)
    assert [group.files for page in found for group in page.groups] == [across]


def test_every_rule_that_the_daemon_knows_can_be_applied() -> None:
    assert [rule.word for rule in rules(", ".join(wire.KEEP_RULES))] == list(wire.KEEP_RULES)


def test_what_is_told_apart_does_not_go_for_one_another() -> None:
    files = [file("/best", "best", width=900), file("/near"), file("/other")]
    wishes = Wishes(rules("pixels"), "copy", apart=frozenset({frozenset({"/best", "/near"})}))
    lines = [line for group in proposals([files], wishes, lambda _: {}, Shots()) for line in group]
    assert [os.fsdecode(line.path) for line in lines if line.do != "keep"] == ["/other"]


def test_a_group_of_many_is_gone_through_in_time_and_its_equals_are_found() -> None:
    files = [file("/best", "best", width=900)]
    files += [file(f"/{number:05}") for number in range(20_000)]
    files += [file("/twin-1", image="twin"), file("/twin-2", image="twin")]
    assert going(files, "pixels", "same_file") == {"/twin-2": "same_file"}


def test_without_the_best_nothing_is_concluded_from_what_others_are_to_it() -> None:
    """As when the best file lies in a trash: two copies of it need not be copies of one another."""
    files = [file("/large", width=900), file("/small", width=300)]
    assert going(files) == {}
    assert going(files, relations={b"/small": "copy"}) == {"/small": "copy"}

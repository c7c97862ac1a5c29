"""What tells two shots apart: names, dates of real files, and what lies beside them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspc.deciding.metadata import Taken, fractions, taken
from pspc.deciding.shots import Shots, companions, shot_name
from tests.client.deciding.groups import exif, file, shot
from tests.e2e.scenes import scene


def test_dates_and_fractions_are_read_from_what_pillow_writes(tmp_path: Path) -> None:
    picture = scene(1, 64, 48)
    for suffix in (".jpg", ".png", ".webp"):
        for endian in ("<", ">"):
            for fraction in ("5", "50", "507", "0507", "507123"):
                path = tmp_path / f"shot{suffix}"
                told = exif("10:00:01", fraction, changed="12:00:00", endian=endian)
                picture.save(path, exif=told)
                found = taken(os.fsencode(path))
                assert found == (
                    b"2026:11:30 10:00:01",
                    frozenset({fraction.rstrip("0").encode()}),
                ), (suffix, endian, fraction)
    picture.save(tmp_path / "bare.png")
    assert taken(os.fsencode(tmp_path / "bare.png")) is None
    assert taken(os.fsencode(tmp_path)) is None
    assert taken(b"/nowhere") is None


def test_a_date_at_the_end_of_a_large_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "late.png"
    path.write_bytes(bytes(3_000_000) + b"eXIfMM\0*2026:11:30 10:00:01\0")
    assert taken(os.fsencode(path)) == (b"2026:11:30 10:00:01", frozenset())


@given(st.binary(max_size=300))
def test_any_bytes_tell_fractions_or_nothing(data: bytes) -> None:
    entries = (b"\x91\x92\x02\0\x09\0\0\0" + data, b"MM\0*\x92\x91\0\x02\0\0\0\x09" + data)
    for entry in (data, *entries):
        assert all(each == b"" or each.isdigit() for each in fractions(entry))


def apart(one: Any, other: Any, verdict: str = "copy") -> bool:
    return Shots().are_apart([one], [other], verdict)


def test_pictures_of_different_seconds_or_parts_of_one_are_different_shots(tmp_path: Path) -> None:
    picture = scene(1, 64, 48)

    def at(name: str, *when: str, **changes: Any) -> Any:
        return file(shot(picture, tmp_path / name, *when), **changes)

    first, second = at("a.jpg", "10:00:01"), at("b.jpg", "10:00:02")
    assert apart(first, second)
    assert not apart(first, second, "same_file")
    assert not apart(first, second, "same_pixels")
    assert not apart(first, at("c.jpg", "10:00:01"))
    # Of another size: a program that made it smaller may have dated it anew.
    assert not apart(first, at("d.jpg", "10:00:02", width=320, height=240))
    assert apart(first, at("e.jpg", "10:00:02", width=480, height=640))
    early, late = at("f.jpg", "10:00:01", "10"), at("g.jpg", "10:00:01", "905")
    assert apart(early, late)
    assert not apart(early, at("h.jpg", "10:00:01", "100"))
    assert not apart(early, first)
    # Of a raw file the preview has whatever size.
    assert apart(first, at("i.jpg", "10:00:02", width=160, format="RAW"))


def test_raw_and_developed_of_one_name_in_one_folder_are_halves_of_a_shot() -> None:
    raw = file("/a/IMG_1.CR2", "best")
    assert apart(raw, file("/a/IMG_1.jpg"))
    assert apart(raw, file("/a/IMG_1.jpg"), "same_pixels")
    assert apart(file("/a/IMG_1.HEIC"), file("/a/IMG_1.dng"))
    assert not apart(raw, file("/b/IMG_1.jpg"))
    assert not apart(raw, file("/a/IMG_2.jpg"))
    assert not apart(file("/a/IMG_1.HEIC"), file("/a/IMG_1.jpg"))
    assert not apart(raw, file("/a/IMG_1.dng"))
    # By content: whoever has the bytes of a half is that half as well.
    twins = [file("/b/other.jpg", image="x"), file("/a/IMG_1.jpg", image="x")]
    assert Shots().are_apart([raw], twins, "copy")


def test_pixel_phones_name_their_halves_otherwise() -> None:
    name = "/dcim/PXL_20231207_032111247"
    raw = file(f"{name}.RAW-02.ORIGINAL.dng")
    assert apart(raw, file(f"{name}.RAW-01.COVER.jpg"))
    assert apart(raw, file(f"{name}.RAW-01.MP.COVER.jpg"))
    assert apart(file(f"{name}.dng"), file(f"{name}.MP.jpg"))
    assert shot_name(b"/a/x.MP.jpg") == b"/a/x.MP"


FRAMES = [
    ("IMG_20231014_183246_BURST001_COVER.jpg", "IMG_20231014_183246_BURST002.jpg"),
    ("IMG_20180914_094602055_BURST000_COVER.jpg", "IMG_20180914_094602055_BURST002.jpg"),
    ("DSC_0001_BURST20230709220904977.JPG", "DSC_0035_BURST20230709220904977_COVER.JPG"),
    ("00001IMG_00001_BURST20171111030039.jpg", "00015IMG_00015_BURST20171111030039_COVER.jpg"),
    ("00001IMG_00001_BURST1723801037429_COVER.jpg", "00002IMG_00002_BURST1723801037429.jpg"),
]


@pytest.mark.parametrize(("one", "other"), FRAMES)
def test_frames_of_a_burst_are_known_by_their_names(one: str, other: str) -> None:
    assert apart(file(f"/a/{one}"), file(f"/b/{other}", width=320))
    assert not apart(file(f"/a/{one}"), file(f"/b/{one}", width=320))
    assert not apart(file(f"/a/{one}"), file(f"/a/{other}"), "same_pixels")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IMG_20231014_183246_BURST001.jpg", "IMG_20231014_183247_BURST002.jpg"),
        ("IMG_20231014_183246.jpg", "IMG_20231014_183246_BURST002.jpg"),
        ("00000PORTRAIT_00000_BURST20200418222652648.jpg", FRAMES[3][0]),
        # Programs that import pictures name copies like that.
        ("20231207_101605_001.jpg", "20231207_101605_002.jpg"),
    ],
)
def test_names_of_no_burst_tell_nothing(one: str, other: str) -> None:
    assert not apart(file(f"/a/{one}"), file(f"/a/{other}"))


def test_what_belongs_to_a_picture_lies_beside_it(tmp_path: Path) -> None:
    for name, size in (("x.CR2", 5), ("x.jpg", 3), ("x.MOV", 2), ("xy.jpg", 1), ("x.xmp", 1)):
        (tmp_path / name).write_bytes(bytes(size))
    assert companions(os.fsencode(tmp_path / "x.jpg")) == {(b".cr2", 5), (b".mov", 2)}
    assert companions(os.fsencode(tmp_path / "x.CR2")) == {(b".jpg", 3), (b".mov", 2)}
    assert companions(os.fsencode(tmp_path / "xy.jpg")) == frozenset()


def test_each_file_is_looked_at_once_and_only_where_it_matters() -> None:
    asked: list[bytes] = []

    def look(path: bytes) -> Taken:
        asked.append(path)
        return Taken(path, frozenset())

    shots = Shots(look)
    for _ in range(3):
        assert shots.are_apart([file("/a")], [file("/b")], "copy")
        assert not shots.are_apart([file("/a")], [file("/c", width=9)], "copy")
        assert not shots.are_apart([file("/a")], [file("/d")], "same_pixels")
    assert asked == [b"/a", b"/b"]

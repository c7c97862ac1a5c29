"""What EXIF says becomes short lines, and nothing that it says can do harm."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from pspd.core.model import Limits
from pspd.errors import FileFailure
from pspd.features.tags import LONGEST_NAME, LONGEST_TAG, MOST_TAGS, tags_of
from pspd.workers.channel import NonsenseError
from pspd.workers.messages import Done, Order
from pspd.workers.replies import checked_outcome

MAKE, MODEL, ARTIST, EXIF, GPS = 0x010F, 0x0110, 0x013B, 0x8769, 0x8825


def picture(exif: Image.Exif | bytes, image_format: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 10, 30)).save(file, image_format, exif=exif)
    return file.getvalue()


def camera() -> Image.Exif:
    exif = Image.Exif()
    exif[MAKE], exif[MODEL] = "Maker", "X100 "
    exif.get_ifd(EXIF).update({0x829A: IFDRational(1, 250), 0x8827: 200, 0x927C: b"\x00\xffnote"})
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 8.0, 14.5)})
    return exif


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_tags_are_named_and_written_for_people(image_format: str) -> None:
    tags = dict(tags_of(picture(camera(), image_format), Limits()))
    assert tags["Make"] == "Maker"
    assert tags["Model"] == "X100"
    assert not set(tags) & {"ImageWidth", "StripOffsets", "ExifOffset", "MakerNote"}
    if image_format == "TIFF":  # Pillow writes no other blocks into it
        return
    assert tags["ExposureTime"] == "0.004"
    assert tags["ISOSpeedRatings"] == "200"
    assert tags["GPSLatitude"] == "48, 8, 14.5"


def test_a_picture_without_exif_has_none() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    assert tags_of(file.getvalue(), Limits()) == ()


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(FileFailure):
        tags_of(b"this is a text", Limits())


def test_controls_and_length_are_taken_from_a_text() -> None:
    exif = Image.Exif()
    exif[ARTIST] = "a\x1b[31m\nb" + "c" * 1000
    (text,) = [text for name, text in tags_of(picture(exif), Limits()) if name == "Artist"]
    assert text.isprintable()
    assert text.startswith("a [31m b")
    assert len(text) <= LONGEST_TAG


@given(st.binary(max_size=600))
def test_any_block_yields_lines_that_a_worker_may_say(block: bytes) -> None:
    data = picture(b"Exif\0\0" + block)
    tags = tags_of(data, Limits())
    assert len(tags) <= MOST_TAGS
    done = Done(bytes(32), tags=tags)  # type: ignore[arg-type]
    assert checked_outcome(done, Order(features=False, tags=True), Limits(), None).tags == tags


@pytest.mark.parametrize(
    "tags",
    [
        (("", "text"),),
        (("name\n", "text"),),
        (("name", "\x1b"),),
        (("n" * (LONGEST_NAME + 1), ""),),
        (("name", "t" * (LONGEST_TAG + 1)),),
        (("name", "text"),) * (MOST_TAGS + 1),
    ],
)
def test_a_worker_may_not_say_anything_else(tags: tuple[tuple[str, str], ...]) -> None:
    order = Order(features=False, tags=True)
    with pytest.raises(NonsenseError):
        checked_outcome(Done(bytes(32), tags=tags), order, Limits(), None)  # type: ignore[arg-type]


def test_tags_that_nobody_asked_for_are_nonsense() -> None:
    done = Done(bytes(32), tags=(("name", "text"),))  # type: ignore[arg-type]
    with pytest.raises(NonsenseError):
        checked_outcome(done, Order(features=False), Limits(), None)

"""Each edit makes a file, the same for the same seed, and says where the original is."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pspc.selftest import geometry
from pspc.selftest.edits import EDITS, Edit, Edited, Source, Unreadable, chosen, encode, read_source
from pspc.selftest.made_pictures import scene

NAMES = [edit.name for edit in EDITS]
SIZE = (240, 180)
CROPS = {f"crop-{percent}": percent / 100 for percent in (95, 90, 70, 50, 25, 10)}
LEAST_CORRELATION = {"logo": 0.25, "watermarks": 0.75, "hue-40": 0.75}
"""Of gray values, where the edit covers a good part or changes them."""

ODD_FILES: dict[str, Image.Image] = {
    "one pixel": Image.new("RGB", (1, 1), "red"),
    "one column": Image.new("RGB", (1, 300), "blue"),
    "one row": Image.new("L", (300, 1), 40),
    "bits": Image.new("1", (17, 9), 1),
    "gray and alpha": Image.new("LA", (20, 30), (90, 128)),
    "colours and alpha": Image.new("RGBA", (33, 21), (10, 200, 30, 0)),
    "palette": scene(Random(1), (31, 41)).quantize(16),
    "deep gray": Image.fromarray(np.linspace(0, 65535, 600).astype(np.uint16).reshape(20, 30)),
}


def source(seed: int = 0) -> Source:
    return Source(scene(Random(seed), SIZE), (2 * SIZE[0], 2 * SIZE[1]))


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def brightness(image: Image.Image, points: geometry.Points) -> npt.NDArray[np.float64]:
    """The gray values at points, of a picture made a little soft."""
    gray = np.asarray(image.convert("L"), np.float64)
    x, y = np.floor(points).astype(int).T
    return np.asarray(gray[np.clip(y, 0, image.height - 1), np.clip(x, 0, image.width - 1)])


def points_seen(edited: Edited, count: int = 400) -> geometry.Points:
    """Points of the original, at random, a little inside of what is seen of it."""
    drawn = np.random.default_rng(3)
    middle = edited.seen.mean(axis=0)
    corners = middle + 0.95 * (edited.seen - middle)
    weights = drawn.dirichlet(np.full(len(corners), 0.5), count)
    return np.asarray(weights @ corners)


def test_there_are_enough_edits_and_each_has_a_name_of_its_own() -> None:
    assert len(EDITS) >= 31
    assert len(set(NAMES)) == len({edit.description for edit in EDITS}) == len(EDITS)


@pytest.mark.parametrize("edit", EDITS, ids=NAMES)
def test_pixels_are_where_the_truth_says(edit: Edit) -> None:
    original = source()
    edited = edit.apply(original, 5)
    image = opened(edited.data)
    assert image.size == edited.size
    points = points_seen(edited)
    before = brightness(original.image, points / 2)
    after = brightness(image, geometry.moved(points, edited.transform))
    correlation = np.corrcoef(before, after)[0, 1]
    assert correlation > LEAST_CORRELATION.get(edit.name, 0.9)


@pytest.mark.parametrize("edit", EDITS, ids=NAMES)
def test_what_is_seen_lies_within_both_pictures(edit: Edit) -> None:
    original = source()
    edited = edit.apply(original, 6)
    whole = geometry.frame(original.full_size)
    there = geometry.moved(edited.seen, edited.transform)
    assert geometry.area(geometry.clipped(edited.seen, whole)) == pytest.approx(
        geometry.area(edited.seen), rel=1e-6
    )
    assert geometry.area(geometry.clipped(there, geometry.frame(edited.size))) == pytest.approx(
        geometry.area(there), rel=1e-6
    )


@pytest.mark.parametrize(("name", "share"), CROPS.items())
def test_a_crop_keeps_its_share_of_the_area(name: str, share: float) -> None:
    (edit,) = chosen([name])
    edited = edit.apply(source(), 1)
    whole = 4 * SIZE[0] * SIZE[1]
    assert geometry.area(edited.seen) / whole == pytest.approx(share, abs=0.02)


def test_an_edit_is_the_same_for_the_same_seed_and_picture_alone() -> None:
    (edit,) = chosen(["crop-25"])
    first = edit.apply(source(), 1)
    assert edit.apply(source(), 1).data == first.data
    assert not np.array_equal(edit.apply(source(), 2).seen, first.seen)
    assert not np.array_equal(edit.apply(source(1), 1).seen, first.seen)


@pytest.mark.parametrize("what", ODD_FILES)
def test_every_picture_can_be_edited(what: str) -> None:
    original = read_source(encode(ODD_FILES[what], "PNG"))
    assert original.image.mode == "RGB"
    for edit in EDITS:
        edited = edit.apply(original, 0)
        assert opened(edited.data).size == edited.size, edit.name
        assert np.isfinite(edited.transform).all(), edit.name


def test_transparent_pictures_are_put_on_white() -> None:
    assert read_source(encode(ODD_FILES["colours and alpha"], "PNG")).image.getpixel((3, 3)) == (
        255, 255, 255,
    )  # fmt: skip


def test_gray_of_16_bits_keeps_its_range() -> None:
    pixels = np.asarray(read_source(encode(ODD_FILES["deep gray"], "PNG")).image)
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert 120 < pixels.mean() < 135


def test_a_large_picture_is_made_smaller_and_its_full_size_known() -> None:
    image = scene(Random(2), (600, 400))
    tag = Image.Exif()
    tag[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=tag)
    original = read_source(buffer.getvalue(), 150)
    assert original.full_size == (400, 600)
    assert original.image.size == (100, 150)


@pytest.mark.parametrize("data", [b"", b"no picture", encode(Image.new("L", (90, 90)), "PNG")[:60]])
def test_what_cannot_be_edited_says_so(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_source(data)


def test_a_bomb_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(Unreadable, match="too large"):
        read_source(encode(Image.new("L", (12, 12)), "PNG"))


def test_an_unknown_name_is_told() -> None:
    assert chosen([]) == EDITS
    with pytest.raises(KeyError, match="crop-11"):
        chosen(["crop-10", "crop-11"])


def test_every_edit_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "quality.md").read_text(encoding="utf-8")
    for edit in EDITS:
        assert f"| `{edit.name}` | {edit.description} |" in text

from __future__ import annotations

import sys

import numpy as np
import pytest

from pspd.errors import MissingExtra
from pspd.verify.local_features import MOST_FEATURES, describe
from pspd.verify.opencv import opencv
from tests.verify.drawings import collage, photograph, pixels


def test_features_are_the_same_each_time_and_within_bounds() -> None:
    view = pixels(collage())

    first, second = describe(view), describe(view)

    assert 200 < len(first.keypoints) <= MOST_FEATURES
    assert np.array_equal(first.keypoints.points, second.keypoints.points)
    assert np.array_equal(first.keypoints.descriptors, second.keypoints.descriptors)
    assert len(describe(view, most=50).keypoints) <= 51
    assert first.nbytes == view.nbytes + len(first.keypoints) * (128 + 8 + 8)


def test_features_lie_in_the_picture_and_their_descriptors_have_unit_length() -> None:
    keypoints = describe(pixels(collage(640, 300))).keypoints

    assert keypoints.points.real.min() >= 0
    assert keypoints.points.real.max() <= 640
    assert keypoints.points.imag.min() >= 0
    assert keypoints.points.imag.max() <= 300
    lengths = np.linalg.norm(keypoints.descriptors.astype(float), axis=1)
    assert np.abs(lengths - 512).max() < 10
    units = np.linalg.norm(keypoints.unit_descriptors(), axis=1)
    assert np.abs(units - 1).max() < 1e-5


def test_mirrored_features_are_those_of_the_mirrored_pixels() -> None:
    view = pixels(collage())
    mirrored = describe(view).keypoints.mirrored(view.shape[1])
    described = describe(np.ascontiguousarray(view[:, ::-1])).keypoints

    similarity = mirrored.unit_descriptors() @ described.unit_descriptors().T
    near = np.abs(mirrored.points[:, None] - described.points) < 1
    near &= np.abs(mirrored.frames[:, None] - described.frames) < 0.1 * np.abs(described.frames)

    # Not all: what is extreme by a hair on one side is not on the other.
    assert near.any(axis=1).mean() > 0.75
    assert np.quantile(np.where(near, similarity, 0).max(axis=1), 0.3) > 0.98


def test_inverted_features_are_those_of_the_inverted_pixels() -> None:
    view = pixels(collage())
    inverted = describe(view).keypoints.inverted()
    described = describe(~view).keypoints

    similarity = inverted.unit_descriptors() @ described.unit_descriptors().T
    near = np.abs(inverted.points[:, None] - described.points) < 1
    near &= np.abs(inverted.frames[:, None] - described.frames) < 0.1 * np.abs(described.frames)

    assert near.any(axis=1).mean() > 0.75
    assert np.quantile(np.where(near, similarity, 0).max(axis=1), 0.3) > 0.98


def test_mirroring_twice_changes_nothing() -> None:
    keypoints = describe(pixels(collage())).keypoints
    twice = keypoints.mirrored(640).mirrored(640)

    assert np.allclose(twice.points, keypoints.points, atol=1e-3)
    assert np.array_equal(twice.frames, keypoints.frames)
    assert np.array_equal(twice.descriptors, keypoints.descriptors)


def test_small_pictures_are_enlarged_and_their_places_brought_back() -> None:
    small = pixels(collage(120, 90, shapes=30))

    keypoints = describe(small).keypoints

    assert len(keypoints) > 30
    assert keypoints.points.real.max() <= 120


def test_soft_pictures_have_features_too() -> None:
    soft = (pixels(photograph()) // 4 + 100).astype(np.uint8)

    assert len(describe(soft).keypoints) > 100


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 900), (7, 7), (8, 8), (900, 9), (31, 31), (480, 640)]
)
def test_flat_and_tiny_pictures_have_none(shape: tuple[int, int]) -> None:
    assert len(describe(np.full((*shape, 3), 200, np.uint8)).keypoints) == 0


@pytest.mark.parametrize(
    "view",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_are_no_pixels_is_refused(view: np.ndarray) -> None:
    with pytest.raises(ValueError, match="height × width × 3"):
        describe(view)


def test_impossible_sizes_are_refused() -> None:
    view = np.zeros((40, 40, 3), np.uint8)
    for size in ((0, 40), (40, 0), (-1, 5)):
        with pytest.raises(ValueError, match="cannot be"):
            describe(view, size)
    with pytest.raises(ValueError, match="cannot be"):
        describe(view, most=0)


def test_without_opencv_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    opencv.cache_clear()
    monkeypatch.setitem(sys.modules, "cv2", None)

    with pytest.raises(MissingExtra, match=r"pip install 'picsearchpic\[proof\]'"):
        describe(pixels(collage(64, 64)))

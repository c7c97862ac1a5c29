"""Columns made of features are what an index compares."""

from __future__ import annotations

from pspd.core.model import Features, ImageId, ImageNumber
from pspd.search.index import Rows, hash_value, shape_value


def features(phash64: bytes, width: int, height: int, quality: int) -> Features:
    return Features(
        version=1,
        image_id=ImageId(bytes(32)),
        format="PNG",
        width=width,
        height=height,
        channels=3,
        size=100,
        frames=1,
        orientation=1,
        mean=(1.0, 2.0, 3.0),
        quality=quality,
        phash64=phash64,
        phash256=bytes(range(32)),
    )


def test_rows_of_features_carry_their_columns() -> None:
    rows = Rows.of(
        [
            (ImageNumber(3), features(b"\xff" * 8, 65_500, 1, 100)),
            (ImageNumber(1), features(bytes(7) + b"\x01", 1, 2, 0)),
        ]
    )
    assert rows.numbers.tolist() == [3, 1]
    assert rows.phash64.tolist() == [2**64 - 1, 1]
    assert rows.shapes.tolist() == [(65_500 << 32) + 1, (1 << 32) + 2]
    assert rows.quality.tolist() == [100, 0]
    assert rows.phash256.tobytes() == bytes(range(32)) * 2


def test_no_features_make_no_rows() -> None:
    assert len(Rows.of([])) == 0


def test_the_first_bit_of_a_hash_is_the_highest() -> None:
    assert hash_value(b"\x80" + bytes(7)) == 1 << 63


def test_shapes_that_differ_have_different_values() -> None:
    shapes = {shape_value(width, height) for width in range(1, 9) for height in range(1, 9)}
    assert len(shapes) == 64

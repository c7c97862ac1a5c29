"""Bytes of a picture → its features; the same code for indexed files and for queries.

    data → open_picture → shrink (one decode) → hashes, mean, quality

Any change of a hash's bits, of the mean or of the quality figure raises `FEATURES_VERSION`; the
daemon then extracts again in the background. Golden tests hold it to that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from pspd.core.model import Features, ImageId, Limits, Turn, TurnedHashes
from pspd.features import hashes
from pspd.features.colour import Flattener, channels_of
from pspd.features.decode import OpenPicture, open_picture
from pspd.features.upright import strips, upright_size

FEATURES_VERSION: int = 1
"""Of everything `extract` computes; two values of different versions are not comparable."""

SMALL_SIDE: Final = 256
"""Pixels that scaled decoding of a JPEG leaves of the smaller side, at least. At 256 the 256-bit
hash stays within 4 bits of the full decode's for 97 to 100 % of real JPEGs, at 128 within 8 bits
for 98, at 64 for 82 to 97 %. Other formats are decoded in full and hashed from that: averaging
them down to 256 saved a third of the time, but left only 91 % of photographs within 8 bits."""

_TURN_OF_ORIENTATION: Final = {
    1: Turn.NONE,
    2: Turn.FLIP_LEFT_RIGHT,
    3: Turn.ROTATE_180,
    4: Turn.FLIP_TOP_BOTTOM,
    5: Turn.TRANSPOSE,
    6: Turn.ROTATE_270,
    7: Turn.TRANSVERSE,
    8: Turn.ROTATE_90,
}


Mean: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Extraction:
    features: Features
    pair: hashes.GrayPair
    """Upright."""


def extract(data: bytes, limits: Limits) -> Features:
    """Extract the features of one picture; decodes it once, scaled where its format allows.

    Args:
        data: The whole file.
        limits: What it may cost; time and memory are the worker's to limit.

    Raises:
        FileFailure: It cannot be read as a picture within the limits.
    """
    return _extract(data, limits).features


def extract_query(
    data: bytes, limits: Limits, *, keep: Callable[[OpenPicture], None] | None = None
) -> tuple[Features, tuple[TurnedHashes, ...]]:
    """Extract the features of a query image, and its hashes after each of the eight turns.

    Args:
        data: The whole file.
        limits: What it may cost.
        keep: Given the picture as it was loaded, so that its pixels need not be decoded again.

    Returns:
        The features, and the hashes in the order of `Turn`, so the unturned ones first.

    Raises:
        FileFailure: It cannot be read as a picture within the limits.
    """
    extraction = _extract(data, limits, keep)
    turned = []
    for turn in Turn:
        pair = hashes.turn_pair(extraction.pair, turn)
        turned.append(TurnedHashes(turn, hashes.phash64(pair), hashes.phash256(pair)))
    return extraction.features, tuple(turned)


def _extract(
    data: bytes, limits: Limits, keep: Callable[[OpenPicture], None] | None = None
) -> _Extraction:
    with open_picture(data, limits) as picture:
        stored_size = picture.image.size
        channels = channels_of(picture.image)
        box = _draft(picture)
        pending = picture.load()
        if picture.format == "TIFF":
            # Turned while it was loaded, and its palette's alpha known only now.
            stored_size = picture.image.size
        gray, mean = _flatten(picture.image)
        pair = hashes.turn_pair(hashes.gray_pair(gray, box), _TURN_OF_ORIENTATION[pending])
        width, height = upright_size(stored_size, pending)
        features = Features(
            version=FEATURES_VERSION,
            image_id=ImageId(hashlib.blake2b(data, digest_size=32).digest()),
            format=picture.format,
            width=width,
            height=height,
            channels=channels,
            size=len(data),
            frames=picture.frames,
            orientation=picture.turn,
            mean=mean,
            quality=hashes.quality(pair),
            phash64=hashes.phash64(pair),
            phash256=hashes.phash256(pair),
        )
        if keep is not None:
            keep(picture)
    return _Extraction(features, pair)


def _draft(picture: OpenPicture) -> hashes.Box | None:
    """Have a JPEG decoded at the smallest scale that leaves `SMALL_SIDE`; no other format."""
    image = picture.image
    if image.format not in {"JPEG", "MPO"}:
        return None
    drafted = image.draft(None, (SMALL_SIDE, SMALL_SIDE))
    return None if drafted is None else drafted[1]


def _flatten(image: Image.Image) -> tuple[Image.Image, Mean]:
    """Make a loaded picture gray, a strip at a time, and take the mean of its colours."""
    flatten = Flattener(image)
    gray = Image.new("L", image.size)
    top = 0
    sums = np.zeros(3)
    for strip in strips(image):
        flat = flatten(strip)
        gray.paste(flat.convert("L"), (0, top))
        top += strip.height
        sums += strip.height * _mean(flat)
    red, green, blue = (float(total) / image.height for total in sums)
    return gray, (red, green, blue)


def _mean(flat: Image.Image) -> npt.NDArray[np.float64]:
    """Compute the mean of red, green and blue, each 0 to 255."""
    counts = np.asarray(flat.histogram(), np.float64).reshape(-1, 256)
    return np.broadcast_to(counts @ np.arange(256.0) / (flat.width * flat.height), (3,))

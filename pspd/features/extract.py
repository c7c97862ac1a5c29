"""Bytes of a picture → its features; the same code for indexed files and for queries.

    data → open_picture → shrink (one decode) → hashes, mean, quality

Any change of a hash's bits, of the mean or of the quality figure raises `FEATURES_VERSION`; the
daemon then extracts again in the background. Golden tests hold it to that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pspd.core.model import Features, ImageId, Limits, Turn, TurnedHashes
from pspd.core.verdict import FLAT_QUALITY
from pspd.features import hashes, scaled
from pspd.features.colour import channels_of
from pspd.features.decode import OpenPicture, open_picture
from pspd.features.shrink import exact_gray, shrink
from pspd.features.upright import upright_size

FEATURES_VERSION: int = 3
"""Of everything `extract` computes; two values of different versions are not comparable."""

SMALL_SIDE: Final = 96
"""Pixels that scaled decoding of a JPEG leaves of the smaller side, at least."""

EXACT_SIDE: Final = 256
"""The same where the hashes are doubtful. At 256 the 256-bit hash stays within 4 bits of the full
decode's for 97 to 100 % of real JPEGs, doubtful ones included."""

SURELY_FLAT: Final = FLAT_QUALITY // 2
"""Quality, from averages, below which no exact hash is made: none is ever compared with it unless
the exact quality were `FLAT_QUALITY` or more. Of 406 real pictures it is within 3 of the other;
of made ones (noise, waves, checks, lines) it was up to 17 more, 24 instead of 7, and none reached
42. Nine of the real ones are below, and took half of the time of all doubtful ones."""

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


@dataclass(frozen=True, slots=True)
class _Extraction:
    features: Features
    pair: hashes.GrayPair
    """Upright."""


def extract(
    data: bytes,
    limits: Limits,
    image_id: ImageId | None = None,
    *,
    keep: Callable[[OpenPicture], None] | None = None,
) -> Features:
    """Extract the features of one picture; decodes it once, scaled where its format allows.

    Args:
        data: The whole file.
        limits: What it may cost; time and memory are the worker's to limit.
        image_id: The digest of `data`, where it is known.
        keep: Given the picture as it was loaded, so that its pixels need not be decoded again.

    Raises:
        FileFailure: It cannot be read as a picture within the limits.
    """
    return _extract(data, limits, image_id, keep).features


def extract_query(
    data: bytes,
    limits: Limits,
    image_id: ImageId | None = None,
    *,
    keep: Callable[[OpenPicture], None] | None = None,
) -> tuple[Features, tuple[TurnedHashes, ...]]:
    """Extract the features of a query image, and its hashes after each of the eight turns.

    Args:
        data: The whole file.
        limits: What it may cost.
        image_id: The digest of `data`, where it is known.
        keep: Given the picture as it was loaded, so that its pixels need not be decoded again.

    Returns:
        The features, and the hashes in the order of `Turn`, so the unturned ones first.

    Raises:
        FileFailure: It cannot be read as a picture within the limits.
    """
    extraction = _extract(data, limits, image_id, keep)
    return extraction.features, hashes.turned_hashes(extraction.pair)


def image_id_of(data: bytes) -> ImageId:
    """Digest the bytes of a file."""
    return ImageId(hashlib.blake2b(data, digest_size=32).digest())


def _extract(
    data: bytes,
    limits: Limits,
    image_id: ImageId | None,
    keep: Callable[[OpenPicture], None] | None = None,
) -> _Extraction:
    with open_picture(data, limits) as picture:
        stored_size = picture.image.size
        channels = channels_of(picture.image)
        loaded = scaled.load(picture, SMALL_SIDE, EXACT_SIDE)
        if picture.format == "TIFF":
            # Turned while it was loaded, and its palette's alpha known only now.
            stored_size = picture.image.size
        small = shrink(picture.image, loaded.box)
        turn = _TURN_OF_ORIENTATION[loaded.orientation]
        pair = hashes.turn_pair(hashes.gray_pair(small.gray, small.box), turn)
        seen = hashes.contrasts(pair)
        quality = hashes.quality(seen)
        is_worth_it = quality >= SURELY_FLAT and hashes.is_doubtful(seen)
        if is_worth_it and not (small.is_exact and loaded.is_final):
            pair = hashes.turn_pair(_exact_pair(picture, loaded), turn)
            seen = hashes.contrasts(pair)
            quality = hashes.quality(seen)
        width, height = upright_size(stored_size, loaded.orientation)
        features = Features(
            version=FEATURES_VERSION,
            image_id=image_id_of(data) if image_id is None else image_id,
            format=picture.format,
            width=width,
            height=height,
            channels=channels,
            size=len(data),
            frames=picture.frames,
            orientation=picture.turn,
            mean=small.mean,
            quality=quality,
            phash64=hashes.phash64(seen),
            phash256=hashes.phash256(seen),
        )
        if keep is not None:
            keep(picture)
    return _Extraction(features, pair)


def _exact_pair(picture: OpenPicture, loaded: scaled.Loaded) -> hashes.GrayPair:
    """Scale the picture as ImageHash does, from as many pixels as that takes."""
    if not loaded.is_final:
        picture.reopen()
        loaded = scaled.load(picture, EXACT_SIDE)
    return hashes.gray_pair(exact_gray(picture.image), loaded.box)

"""Small gray pictures → perceptual hashes and a figure for how much they rest on.

The hash is ImageHash's `phash` (https://github.com/JohannesBuchner/imagehash): 8-bit luma scaled to
4 × 4 times the hash's size by Lanczos, a type-II DCT over both axes, the lowest frequencies, and a
bit for each that is above their median.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from pspd.core.model import Turn, TurnedHashes

Gray: TypeAlias = npt.NDArray[np.uint8]
"""Luma, rows × columns, 0 to 255."""

Coefficients: TypeAlias = npt.NDArray[np.float64]

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels, with fractions."""

_SIDE_64: Final = 32
_SIDE_256: Final = 64

_DECIMALS: Final = 6
"""Coefficients of a symmetric picture are zero or equal in theory, and ±1e-11 by the order in which
a processor sums; rounded, the bits do not depend on it. Integers give steps far above 1e-6."""

_QUARTERS: Final = {Turn.ROTATE_90: 1, Turn.ROTATE_180: 2, Turn.ROTATE_270: 3}
"""Counter-clockwise, as both Pillow and NumPy count."""

_NOISE_8: Final = 64.0
"""Deviation of a coefficient when every pixel of the 32 × 32 has noise of one gray level:
4 × sqrt(32 × 32 / 4), the 4 being SciPy's scale of a transform over both axes."""
_NOISE_16: Final = 128.0
"""The same of the 64 × 64."""

_ERROR: Final = 0.625
"""Gray levels of noise that move coefficients about as much as averaging does; see `is_doubtful`.
With this and the next two, of 397 real pictures that are not surely flat all are within 2 of 64
bits of ImageHash's, and 395 within 4 of 256 (docs/quality.md)."""
_MOST_UNSURE_8: Final = 4
_MOST_UNSURE_16: Final = 10


@dataclass(frozen=True, slots=True)
class GrayPair:
    """A picture at the two sizes that its hashes start from, upright or turned."""

    side32: Gray
    """32 × 32, for 64 bits."""
    side64: Gray
    """64 × 64, for 256 bits."""


@dataclass(frozen=True, slots=True)
class Contrasts:
    """The lowest frequencies of a pair, each as its distance from the median of all."""

    side8: Coefficients
    """8 × 8, of the 32 × 32 pixels."""
    side16: Coefficients
    """16 × 16, of the 64 × 64 pixels."""


def gray_pair(gray: Image.Image, box: Box | None = None) -> GrayPair:
    """Scale a gray picture ("L") to the sizes that the hashes start from.

    Args:
        gray: Any size, best at least 96 pixels a side.
        box: The part of `gray` that is picture, fractions of pixels included, where scaled
            decoding did not divide the sides evenly; None for all of it.
    """

    def scale(side: int) -> Gray:
        return np.asarray(gray.resize((side, side), Image.Resampling.LANCZOS, box=box), np.uint8)

    return GrayPair(scale(_SIDE_64), scale(_SIDE_256))


def turn_pair(pair: GrayPair, turn: Turn) -> GrayPair:
    """Turn or mirror a pair as `turn` says."""
    return GrayPair(turn_gray(pair.side32, turn), turn_gray(pair.side64, turn))


def turn_gray(gray: Gray, turn: Turn) -> Gray:
    """Turn or mirror an array of rows × columns as Pillow's `transpose` does."""
    match turn:
        case Turn.NONE:
            return gray
        case Turn.ROTATE_90 | Turn.ROTATE_180 | Turn.ROTATE_270:
            return np.rot90(gray, _QUARTERS[turn])
        case Turn.FLIP_LEFT_RIGHT:
            return gray[:, ::-1]
        case Turn.FLIP_TOP_BOTTOM:
            return gray[::-1]
        case Turn.TRANSPOSE:
            return gray.T
        case Turn.TRANSVERSE:
            return gray[::-1, ::-1].T


def contrasts(pair: GrayPair) -> Contrasts:
    """Transform a pair, and take from each frequency the median of all."""
    return Contrasts(_contrasts(pair.side32, _DCT_32), _contrasts(pair.side64, _DCT_64))


def phash64(of: Contrasts) -> bytes:
    """Compute 8 bytes: the bits of `imagehash.phash(hash_size=8)`, row by row."""
    return np.packbits(of.side8 > 0).tobytes()


def phash256(of: Contrasts) -> bytes:
    """Compute 32 bytes: the bits of `imagehash.phash(hash_size=16)`, row by row."""
    return np.packbits(of.side16 > 0).tobytes()


def turned_hashes(pair: GrayPair) -> tuple[TurnedHashes, ...]:
    """Compute the hashes after each of the eight turns, in the order of `Turn`."""
    turned = []
    for turn in Turn:
        seen = contrasts(turn_pair(pair, turn))
        turned.append(TurnedHashes(turn, phash64(seen), phash256(seen)))
    return tuple(turned)


def quality(of: Contrasts) -> int:
    """Compute how much of the 256-bit hash rests on structure, 0 (flat) to 100.

    The share, in percent, of the 256 coefficients that noise of one gray level would not move to
    the other side of their median. Blank, dark and softly shaded pictures have none; a symmetric
    one (a star, a ring) has less than half: its other coefficients are zero, their bits chance.
    PDQ's measure, the sum of gradients, gives such a star 100: of real pictures that it let pass,
    one in twelve lost its hash by JPEG 50 or resizing; see docs/quality.md.
    """
    return round(100 * float((np.abs(of.side16) > _NOISE_16).mean()))


def is_doubtful(of: Contrasts) -> bool:
    """Say whether more bits than a few hang on small errors of the pair.

    Rounding to 8 bits and averaging move a coefficient about as much as noise of `_ERROR` gray
    levels does. Of 406 real pictures 55 are doubtful, 23 of them symmetric drawings.
    """
    unsure8 = np.count_nonzero(np.abs(of.side8) <= _ERROR * _NOISE_8)
    unsure16 = np.count_nonzero(np.abs(of.side16) <= _ERROR * _NOISE_16)
    return bool(unsure8 > _MOST_UNSURE_8 or unsure16 > _MOST_UNSURE_16)


def _dct_matrix(size: int, side: int) -> npt.NDArray[np.float64]:
    """Build the first `size` rows of the type-II DCT of `side` points, as SciPy scales it."""
    frequency = np.arange(size)[:, None]
    point = np.arange(side)[None, :]
    return 2 * np.cos(np.pi * frequency * (2 * point + 1) / (2 * side))


_DCT_32: Final = _dct_matrix(8, _SIDE_64)
_DCT_64: Final = _dct_matrix(16, _SIDE_256)


def _contrasts(gray: Gray, dct: npt.NDArray[np.float64]) -> Coefficients:
    low = np.round(dct @ gray.astype(np.float64) @ dct.T, _DECIMALS)
    # The median of an even number, as NumPy's own takes five times as long to say.
    middle = low.size // 2
    ordered = np.partition(low, (middle - 1, middle), axis=None)
    return np.asarray(low - (ordered[middle - 1] + ordered[middle]) / 2)

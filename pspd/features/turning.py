"""A picture's hashes → about what they are after each of the eight turns.

The hashes of a turned picture need its pixels, which nobody keeps. But a mirror only changes the
sign of every second frequency of a DCT, and a transposition exchanges its axes; and a bit tells on
which side of the median a frequency lies, which is close to zero. So turning the bits gives the
turned hash but for the frequencies between median and zero.

Of 314 real pictures that are not flat the turned 256-bit hashes are off by 7 bits on average, those
of 99 % by 34 at most, the 64-bit ones by 3.4 and 12; a transposition is exact. Of their copies
after six edits (JPEG 50, halved, brighter, cropped to 98 %, watermarked) and then a mirror, a
quarter or half a turn, 95.5 to 99.7 % are found within the thresholds, at most 1 % fewer than with
exact hashes; no pair of strangers comes nearer.

What is turned so keeps its distances: that of a turned A to B is that of A to B turned back. So it
does not matter which of two pictures came first.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pspd.core.model import Turn, TurnedHashes

_CHANGES: Final = {
    Turn.NONE: (False, False, False),
    Turn.ROTATE_90: (True, False, True),
    Turn.ROTATE_180: (False, True, True),
    Turn.ROTATE_270: (True, True, False),
    Turn.FLIP_LEFT_RIGHT: (False, True, False),
    Turn.FLIP_TOP_BOTTOM: (False, False, True),
    Turn.TRANSPOSE: (True, False, False),
    Turn.TRANSVERSE: (True, True, True),
}
"""Turn → whether the axes are exchanged, and then the picture mirrored left to right, and top to
bottom."""

_Bits = npt.NDArray[np.uint8]


def turned_hashes(phash64: bytes, phash256: bytes) -> tuple[TurnedHashes, ...]:
    """Turn the hashes of an upright picture.

    Args:
        phash64: 8 bytes, row by row.
        phash256: 32 bytes, row by row.

    Returns:
        About its hashes after each turn, in the order of `Turn`: exact for the first.
    """
    narrow, wide = _turned(phash64, 8), _turned(phash256, 16)
    return tuple(
        TurnedHashes(turn, short, long)
        for turn, short, long in zip(Turn, narrow, wide, strict=True)
    )


def _turned(phash: bytes, side: int) -> list[bytes]:
    bits = np.unpackbits(np.frombuffer(phash, np.uint8)).reshape(side, side)
    odd = (np.arange(side) & 1).astype(np.uint8)
    return [_turn(bits, odd, turn).tobytes() for turn in Turn]


def _turn(bits: _Bits, odd: _Bits, turn: Turn) -> _Bits:
    exchanges_axes, mirrors_sides, mirrors_ends = _CHANGES[turn]
    turned = bits.T if exchanges_axes else bits
    if mirrors_sides:
        turned = turned ^ odd
    if mirrors_ends:
        turned = turned ^ odd[:, np.newaxis]
    return np.packbits(turned)

"""Distances → verdicts, and every threshold with where it comes from.

The figures are those of `python -m benchmarks.thresholds`, which prints them again on any folder of
pictures; `docs/quality.md` keeps the table.
"""

from __future__ import annotations

from typing import Final

from pspd.core.model import Verdict

FLAT_QUALITY: Final[int] = 42
"""Quality below which the perceptual hashes mean nothing. Of 344 real pictures those below it are
blank on white, or so symmetric that half of their bits are noise: JPEG 50 moved the hashes of stars
by 66 to 93 bits, and other stars are within 19. Those from 42 to 59 (soft wood, faint symbols) are
moved by 46 at most and have no stranger within 88; so it is below a first guess of 60."""

COPY_DISTANCE: Final[int] = 48
"""Distance of the 256-bit hashes up to which two pictures are copies, inclusive. Finds 96 to 100 %
of real pictures after each of 19 edits (71 % after a crop to 95 %). Of 314 as queries with their
eight turns, 9 playing cards found cards of another number or suit in the same layout; all else that
was found were themes, turns and recolourings of the queried drawing. The closest pair beyond is a
round button and a clock, 50 bits apart."""

SHORTLIST_RADIUS: Final[int] = 16
"""Distance of the 64-bit hashes within which the 256-bit ones are looked at, inclusive. Keeps 99.7
to 100 % of the copies after each edit, and 0.8 % of other pictures; 20 would keep 8 % of those."""

MEAN_DIFFERENCE: Final[float | None] = None
"""Largest difference of a channel's mean between copies; None for no threshold. Off: 40 levels
would lose 24 % of the copies made gray and 96 % of those darkened to 0.6, and would keep the only
wrong hits within `COPY_DISTANCE`, playing cards, whose means are alike."""

PIXELS_DISTANCE: Final[int] = 24
"""Largest distance of the 256-bit hashes of pictures with equal pixels, neither flat. A JPEG,
hashed from a scaled decode, and a lossless copy of its full decode were at most 4 bits apart,
turned copies 6; a candidate more costs one comparison, a candidate less is a wrong answer."""

PIXELS_MEAN_DIFFERENCE: Final[float] = 2.0
"""Largest difference of a channel's mean (0 to 255) between pictures with equal pixels, flat or
not. Scaled decoding and averaging moved it by 0.83 at most."""


def hamming(a: bytes, b: bytes) -> int:
    """Count the bits in which two hashes of equal length differ.

    Raises:
        ValueError: The lengths differ.
    """
    if len(a) != len(b):
        raise ValueError(f"hashes of {len(a)} and {len(b)} bytes cannot be compared")
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()


def similar_verdict(
    distance: int, threshold: int | None = None, copy_distance: int = COPY_DISTANCE
) -> Verdict | None:
    """Decide what a distance of 256-bit hashes proves.

    Args:
        distance: 0 to 256 bits, of two pictures neither of which is flat.
        threshold: How far the user wants to see, inclusive; None for `copy_distance`.
        copy_distance: Up to where a picture is called a copy, inclusive.

    Returns:
        `COPY` up to `copy_distance`, `ALIKE` beyond it where the user asked for more, None outside
        the threshold.
    """
    if distance > (copy_distance if threshold is None else threshold):
        return None
    return Verdict.COPY if distance <= copy_distance else Verdict.ALIKE


def means_agree(
    a: tuple[float, float, float], b: tuple[float, float, float], most: float | None
) -> bool:
    """Say whether no channel's mean differs by more than `most` levels; None asks for nothing."""
    return most is None or all(abs(x - y) <= most for x, y in zip(a, b, strict=True))

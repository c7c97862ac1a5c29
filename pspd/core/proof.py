"""Where one picture lies in another, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pspd.core.model import Turn

Point = tuple[float, float]
"""A place in a picture, in pixels from its upper left corner, rightwards and down: a pixel's middle
is at .5, the lower right corner at (width, height)."""

Quadrilateral = tuple[Point, Point, Point, Point]
"""Four corners."""


class Fit(StrEnum):
    """How free the transform of a proof is."""

    SIMILARITY = "similarity"
    """Moved, turned, scaled alike in both directions, perhaps mirrored."""
    AFFINE = "affine"
    """Also squeezed or sheared."""
    HOMOGRAPHY = "homography"
    """Also seen at a slant."""


class Recolouring(StrEnum):
    """In what the query's colours differ from the indexed picture's; the first that applies.

    Both as seen where they lie on each other.
    """

    NONE = ""
    INVERTED = "inverted"
    GRAY = "gray"
    """The query has no colour, the indexed picture has."""
    COLOURED = "coloured"
    """The query has colour, the indexed picture has none."""
    OTHER_HUE = "other hue"
    BRIGHTER = "brighter"
    DARKER = "darker"
    PALER = "paler"
    """Of less contrast or saturation."""
    STRONGER = "stronger"
    """Of more contrast or saturation."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How two pictures lie on each other, and how much of what they show agrees there.

    Whether that makes them copies is for `pspd.core.verdict.proof_verdict` to say.
    """

    transform: tuple[float, float, float, float, float, float, float, float, float]
    """3 × 3 row by row, the last 1: (x, y, 1) of the query to that of the indexed picture, both
    upright and in full size, after division by the third coordinate."""
    fit: Fit
    angle: float
    """Degrees, over -180 up to 180, by which the query, mirrored left to right first where
    `mirrored`, is turned counter-clockwise to lie as the indexed picture does."""
    mirrored: bool
    inliers: int
    """Distinct places of the query that lie where the transform says."""
    matches: int
    """Places of the query whose surroundings look alike in the indexed picture, wherever they lie;
    some inliers are found only once it is known where to look, and count here as well."""
    query_share: float
    """Share of the query's area that shows the indexed picture, 0 to 1."""
    indexed_share: float
    """Share of the indexed picture's area that the query shows, 0 to 1."""
    quadrilateral: Quadrilateral
    """The part of the indexed picture that the query shows, from the corner that is the upper left
    one in the query, clockwise as seen there."""
    query_quadrilateral: Quadrilateral
    """The same corners, in the same order, in the query."""
    agreement: float
    """Share of the structure (contrast) within that part that the other picture has too, 0 to 1; of
    the picture of which that is more, for something may lie over one of them."""
    intact: float
    """Share of the blocks with structure, 16 along the longer side, where neither picture has
    anything that the other lacks, 0 to 1."""
    coverage: float
    """Share of that part's area which has structure that agrees, 0 to 1: about 0.2 for line
    drawings, to 0.9 for photographs."""
    foreign: float
    """Structure that the other picture lacks, at its worst place: its contrast within one window,
    against what agrees at the typical place, from 0; of the picture where that is less."""
    plainness: float
    """Share of the part's area that has one of its three commonest tones (of 64), in the plainer
    picture: mostly over 0.5 for drawings and text, below 0.4 for photographs."""
    colour: Recolouring


_QUARTERS: Final = (
    (Turn.NONE, Turn.ROTATE_90, Turn.ROTATE_180, Turn.ROTATE_270),
    (Turn.FLIP_LEFT_RIGHT, Turn.TRANSPOSE, Turn.FLIP_TOP_BOTTOM, Turn.TRANSVERSE),
)
"""By quarters of a turn, counter-clockwise, of the picture as it is and mirrored left to right."""


def turn_of(proof: Proof) -> Turn:
    """Return which of the eight turns brings the query nearest to how the indexed picture lies."""
    return _QUARTERS[proof.mirrored][round(proof.angle / 90) % 4]

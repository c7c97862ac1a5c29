"""Two pictures and their proof → one picture that shows it to a person.

Both stand beside each other; lines join matched points, and the common part is outlined in each.
Only Pillow draws: this needs no extra.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from pspd.core.proof import Proof, Quadrilateral
from pspd.verify.local_features import LocalFeatures, Pixels

_SIDE: Final = 640
"""Longer side, in pixels, of each picture."""
_GAP: Final = 16
_GROUND: Final = (32, 32, 32)
_OUTLINE: Final = (255, 64, 64)
_POINT: Final = (64, 224, 96)
_LINE: Final = (64, 224, 96, 110)
_MOST_LINES: Final = 80
"""More lines hide the pictures."""


def draw_proof(
    query: LocalFeatures,
    indexed: LocalFeatures,
    proof: Proof | None = None,
    points: npt.NDArray[np.float64] | None = None,
) -> Pixels:
    """Draw two pictures beside each other, the query left, with what joins them.

    Args:
        query: Its view is drawn.
        indexed: Its view is drawn.
        proof: None to draw the pictures alone.
        points: As `pspd.verify.proving.matched_points` gives them; None for no lines.

    Returns:
        Height × width × 3, at most 640 × 1,296 pixels.
    """
    left, right = (_drawn(each) for each in (query, indexed))
    size = (left.width + _GAP + right.width, max(left.height, right.height))
    canvas = Image.new("RGB", size, _GROUND)
    canvas.paste(left, (0, 0))
    canvas.paste(right, (left.width + _GAP, 0))
    if proof is not None:
        here = _factors(query, left)
        there = _factors(indexed, right)
        offset = left.width + _GAP
        if points is not None:
            _draw_points(canvas, points, here, (*there, offset))
        draw = ImageDraw.Draw(canvas)
        _outline(draw, proof.query_quadrilateral, (*here, 0))
        _outline(draw, proof.quadrilateral, (*there, offset))
    return np.asarray(canvas)


def png(pixels: Pixels) -> bytes:
    """Encode a drawing."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _drawn(features: LocalFeatures) -> Image.Image:
    image = Image.fromarray(features.view)
    factor = _SIDE / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _factors(features: LocalFeatures, drawn: Image.Image) -> tuple[float, float]:
    return drawn.width / features.full_size[0], drawn.height / features.full_size[1]


def _outline(
    draw: ImageDraw.ImageDraw, corners: Quadrilateral, placed: tuple[float, float, int]
) -> None:
    horizontal, vertical, offset = placed
    path = [(x * horizontal + offset, y * vertical) for x, y in (*corners, corners[0])]
    draw.line(path, fill=_OUTLINE, width=3, joint="curve")
    x, y = path[0]
    # The query's upper left corner: tells how the picture was turned.
    draw.ellipse((x - 6, y - 6, x + 6, y + 6), fill=_OUTLINE)


def _draw_points(
    canvas: Image.Image,
    points: npt.NDArray[np.float64],
    here: tuple[float, float],
    there: tuple[float, float, int],
) -> None:
    # Every n-th, so that the lines come from all over the picture.
    shown = points[:: max(1, -(-len(points) // _MOST_LINES))]
    layer = Image.new("RGBA", canvas.size)
    draw = ImageDraw.Draw(layer)
    for x, y, x_there, y_there in shown.tolist():
        start = (x * here[0], y * here[1])
        end = (x_there * there[0] + there[2], y_there * there[1])
        draw.line((start, end), fill=_LINE)
        for px, py in (start, end):
            draw.ellipse((px - 2, py - 2, px + 2, py + 2), fill=_POINT)
    canvas.paste(layer, (0, 0), layer)

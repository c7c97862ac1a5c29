"""A loaded picture → a small one on the background, in one pass over its pixels.

Averages of whole pixels, by integers, commute with whatever is linear: gray, the mean colour, and
transparency once colours are multiplied by it. So pixels are averaged first, and all the rest is
done on some ten thousands of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from pspd.features.colour import BACKGROUND, Flattener, is_linear
from pspd.features.hashes import Box
from pspd.features.upright import Corners, strips

LEAST_SIDE: Final = 128
"""Pixels left of each side, at least, of those there were: twice the larger hash's. Of 406 real
pictures, all but the doubtful ones (`pspd.features.hashes.is_doubtful`), one is more than 4 of 256
bits from the exact way, at 6; at 96 four are."""

Mean: TypeAlias = tuple[float, float, float]

_Values: TypeAlias = npt.NDArray[np.uint8]
_Weights: TypeAlias = npt.NDArray[np.float64]

_MOST: Final = 512
"""Most pixels averaged along an axis: of some millions at once, Pillow's integers lose percents."""

_YCC_TO_RGB: Final = np.array(((1, 0, 1.402), (1, -0.344136, -0.714136), (1, 1.772, 0)))
"""JFIF 1.02, of chroma centred at 0."""
_NO_COLOUR: Final = np.array((0.0, 128.0, 128.0))


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """A picture at a fraction of its size."""

    gray: Image.Image
    """"L", on the background."""
    box: Box
    """The part of `gray` that is picture; its last row and column may be less than a pixel."""
    mean: Mean
    """Of red, green and blue, 0 to 255."""
    is_exact: bool
    """Whether `gray` is what `exact_gray` would make of the same picture."""


def shrink(image: Image.Image, box: Box | None = None) -> SmallPicture:
    """Average a picture down, to at least `LEAST_SIDE` a side.

    Args:
        image: Loaded.
        box: The part of it that is picture, from its upper left corner; None for all of it.
    """
    width, height = (image.width, image.height) if box is None else box[2:]
    across, down = (min(max(1, int(side / LEAST_SIDE)), _MOST) for side in (width, height))
    small = averages(image, across, down)
    gray, mean = _seen(small, _weights(width, across), _weights(height, down))
    is_exact = across == down == 1 and is_linear(small)
    return SmallPicture(gray, (0.0, 0.0, width / across, height / down), mean, is_exact)


def exact_gray(image: Image.Image) -> Image.Image:
    """Make a loaded picture gray ("L"), of its own size, each pixel on the background."""
    if is_linear(image):
        return image.convert("L")
    flatten = Flattener(image)
    gray = Image.new("L", image.size)
    top = 0
    for strip in strips(image):
        gray.paste(flatten.to_gray(strip), (0, top))
        top += strip.height
    return gray


def averages(
    image: Image.Image, across: int, down: int, part: Corners | None = None
) -> Image.Image:
    """Average `across` × `down` pixels to one; those at the edges may be of fewer.

    Args:
        image: Loaded.
        across: At least 1; likewise `down`.
        down: With both 1 pixels stay as they are, bit by bit, where they are opaque.
        part: What of it is wanted; None for all of it.

    Returns:
        "L", "RGB" or "YCbCr", or "La" or "RGBa": colours multiplied by alpha.
    """
    if is_linear(image):
        if part is not None and across == down == 1:
            return image.crop(part)
        return image.reduce((across, down), part)
    # A strip at a time: what may be averaged would be in memory beside the picture.
    flatten = Flattener(image)
    small = [
        flatten.to_linear(strip).reduce((across, down))
        for strip in strips(image, multiple=down, part=part)
    ]
    if len(small) == 1:
        return small[0]
    whole = Image.new(small[0].mode, (small[0].width, sum(each.height for each in small)))
    top = 0
    for each in small:
        whole.paste(each, (0, top))
        top += each.height
    return whole


def _seen(small: Image.Image, columns: _Weights, rows: _Weights) -> tuple[Image.Image, Mean]:
    """Put averages on the background; return them gray, and the mean colour."""
    mean = _mean(np.asarray(small), columns, rows)
    match small.mode:
        case "La" | "RGBa":
            *colours, alpha = small.split()
            opaque = colours[0] if len(colours) == 1 else Image.merge("RGB", colours).convert("L")
            gray = ImageChops.add(opaque, ImageChops.invert(alpha))
            mean = mean[:-1] + (BACKGROUND - mean[-1])
        case "YCbCr":
            gray = small.getchannel("Y")
            mean = np.clip(_YCC_TO_RGB @ (mean - _NO_COLOUR), 0.0, 255.0)
        case _:
            gray = small.convert("L")
    red, green, blue = (float(each) for each in np.broadcast_to(mean, (3,)))
    return gray, (red, green, blue)


def _mean(values: _Values, columns: _Weights, rows: _Weights) -> npt.NDArray[np.float64]:
    """Compute the weighted mean of each channel."""
    # One row of them at a time, for a matrix product needs all as floats, eight times the memory.
    pixels = values.reshape(len(rows), -1)
    sums = np.einsum("i,ij->j", rows, pixels).reshape(len(columns), -1)
    mean: npt.NDArray[np.float64] = columns @ sums / (columns.sum() * rows.sum())
    return mean


def _weights(side: float, factor: int) -> _Weights:
    """Say of how many pixels each average along a side of so many is."""
    before = factor * np.arange(math.ceil(side / factor), dtype=np.float64)
    return np.minimum(side - before, factor)

"""Upright pixels → a model's input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pspd.learned.catalogue import Preprocessing

Pixels = NDArray[np.uint8]
"""Height × width × 3, red, green and blue; both sides at least 1."""

_LONGEST: Final = 8
"""For crop: how many times as long as the shorter side a picture may be before its ends are left
out. They are far outside the square, and to resize them would take memory without bound."""

_RESAMPLING: Final = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def model_input(pictures: Sequence[Pixels], preprocessing: Preprocessing) -> NDArray[Any]:
    """Prepare pictures for a model.

    Args:
        pictures: At least one.
        preprocessing: How.

    Returns:
        N × side × side × 3, or N × 3 × side × side, of the type that is asked for.
    """
    squares = np.stack([_square(picture, preprocessing) for picture in pictures])
    if preprocessing.layout == "nchw":
        squares = squares.transpose(0, 3, 1, 2)
    if preprocessing.dtype == "uint8":
        return np.ascontiguousarray(squares)
    shape = (1, 3, 1, 1) if preprocessing.layout == "nchw" else (3,)
    # (level / 255 - mean) / deviation, in one pass over the pixels.
    deviation = np.array(preprocessing.deviation, np.float64)
    scale = (1.0 / (255.0 * deviation)).astype(np.float32).reshape(shape)
    offset = (np.array(preprocessing.mean) / deviation).astype(np.float32).reshape(shape)
    values = np.ascontiguousarray(squares) * scale - offset
    return values.astype(np.float16 if preprocessing.dtype == "float16" else np.float32, copy=False)


def _square(picture: Pixels, preprocessing: Preprocessing) -> Pixels:
    """Return a picture as side × side × 3."""
    image = Image.fromarray(picture)
    side = preprocessing.side
    resampling = _RESAMPLING[preprocessing.resampling]
    if preprocessing.resize == "squash":
        return np.asarray(image.resize((side, side), resampling))
    image = _without_far_ends(image)
    shorter = preprocessing.shorter or side
    # Truncated, as the image processors of transformers and torchvision do.
    if image.width <= image.height:
        size = (shorter, int(shorter * image.height / image.width))
    else:
        size = (int(shorter * image.width / image.height), shorter)
    left, top = ((length - side) // 2 for length in size)
    middle = image.resize(size, resampling).crop((left, top, left + side, top + side))
    return np.asarray(middle)


def _without_far_ends(image: Image.Image) -> Image.Image:
    """Return the middle of a picture that is very long, all of any other."""
    most = _LONGEST * min(image.size)
    if max(image.size) <= most:
        return image
    width, height = (min(length, most) for length in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))

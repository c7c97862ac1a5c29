"""Bytes of a picture, a part of it → what a person sees there, pixel for pixel if it is small.

A detail is seen as a view is: upright, on white, in colour. Where the part has no more pixels than
are wanted, they are those that a plain decoder gives, bit by bit, so that two files can be compared
by them; a larger part is scaled down, of a JPEG by its decoder first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pspd.core.model import FailureReason
from pspd.core.view import View
from pspd.errors import FileFailure
from pspd.features import scaled
from pspd.features.decode import open_picture
from pspd.features.scaled import Loaded
from pspd.features.upright import stored_corners, turn_upright, upright_size
from pspd.features.views import fitted, seen_small

if TYPE_CHECKING:
    from pspd.core.model import Limits
    from pspd.core.view import Box
    from pspd.features.decode import OpenPicture

_ROUNDING: Final = 0.99
"""Of the pixels that are needed a JPEG's decoder may leave so many: of sides that cannot be divided
evenly, parts are rounded up, and would have all of it decoded at twice the size."""


def detail_of(data: bytes, limits: Limits, part: Box, longest: int) -> View:
    """Make a view of a part of a picture's first frame.

    Args:
        data: The whole file.
        limits: What it may cost.
        part: In pixels of the upright picture, in which it has to lie.
        longest: Pixels of the view's longer side, at most; nothing is enlarged.

    Raises:
        FileFailure: It cannot be read as a picture within the limits; `unsupported`: the part does
            not lie in it.
    """
    factor = min(1.0, longest / max(part.width, part.height))
    with open_picture(data, limits) as picture:
        stored_size = picture.image.size
        loaded = _loaded(picture, factor)
        image = picture.image
        if picture.format == "TIFF":
            # Turned while it was loaded.
            stored_size = image.size
        full_size = upright_size(stored_size, loaded.orientation)
        if not is_inside(part, full_size):
            raise FileFailure(FailureReason.UNSUPPORTED, outside(full_size))
        corners = (part.left, part.top, part.left + part.width, part.top + part.height)
        left, top, right, bottom = stored_corners(stored_size, loaded.orientation, corners)
        size = fitted((right - left, bottom - top), factor)
        # A JPEG may have been decoded at a fraction of its size.
        width, height = image.size if loaded.box is None else loaded.box[2:]
        across, down = width / stored_size[0], height / stored_size[1]
        box = (left * across, top * down, right * across, bottom * down)
        upright = turn_upright(seen_small(image, box, size), loaded.orientation)
    return View(*upright.size, upright.tobytes(), *full_size)


def is_inside(part: Box, size: tuple[int, int]) -> bool:
    """Say whether a part lies in an upright picture of this size, and is one."""
    return (
        min(part.left, part.top) >= 0
        and min(part.width, part.height) >= 1
        and part.left + part.width <= size[0]
        and part.top + part.height <= size[1]
    )


def outside(size: tuple[int, int]) -> str:
    """Say that a part does not lie in an upright picture of this size."""
    return f"the part does not lie in the picture, which has {size[0]} × {size[1]} pixels"


def _loaded(picture: OpenPicture, factor: float) -> Loaded:
    if factor == 1.0:
        # All of red, green and blue, as any other program has them.
        return Loaded(picture.load())
    return scaled.load(picture, max(1, int(min(picture.image.size) * factor * _ROUNDING)))

"""Bytes of a picture → what a person sees of it, small: for descriptors and proofs.

A view is upright, on white, in colour, and no larger than asked for. It is made of a decode at a
fraction of the size where the format allows, so that it is not for comparing pixel by pixel; the
whole picture's size goes along, for places in a view are told in the picture's own pixels.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageChops

from pspd.core.model import FailureReason
from pspd.core.view import CHANNELS, LONGEST_VIEW, View
from pspd.errors import FileFailure
from pspd.features import scaled
from pspd.features.decode import open_picture
from pspd.features.shrink import averages
from pspd.features.upright import turn_upright, upright_size

if TYPE_CHECKING:
    import numpy.typing as npt

    from pspd.core.model import Limits
    from pspd.core.view import Box
    from pspd.features.decode import OpenPicture

_FILTER_REACH: Final = 8
"""Pixels on each side of a part that the filter takes into account, at most: two of the small
picture's, and it makes one of less than four."""

_PNG_MODES: Final = frozenset({"1", "L", "LA", "RGB", "RGBA", "I;16"})


def pixels_of(view: View) -> npt.NDArray[np.uint8]:
    """Return a view as height × width × 3, 0 to 255; read-only."""
    return np.frombuffer(view.pixels, np.uint8).reshape(view.height, view.width, CHANNELS)


def view_of(data: bytes, limits: Limits, longest: int) -> View:
    """Make a view of a picture's first frame.

    Args:
        data: The whole file.
        limits: What it may cost.
        longest: Pixels of the longer side, at most, 1 to `LONGEST_VIEW`; nothing is enlarged.

    Raises:
        FileFailure: It cannot be read as a picture within the limits.
        ValueError: `longest` is out of range.
    """
    if not 1 <= longest <= LONGEST_VIEW:
        raise ValueError(f"a view has 1 to {LONGEST_VIEW} pixels a side, not {longest}")
    with open_picture(data, limits) as picture:
        stored_size = picture.image.size
        factor = min(1.0, longest / max(stored_size))
        # As much of the smaller side as the view has; a JPEG's decoder leaves at least that.
        least = max(1, round(min(stored_size) * factor))
        loaded = scaled.load(picture, least, least)
        if picture.format == "TIFF":
            # Turned while it was loaded.
            stored_size = picture.image.size
        box = loaded.box or (0.0, 0.0, *picture.image.size)
        small = seen_small(picture.image, box, fitted(stored_size, factor))
        upright = turn_upright(small, loaded.orientation)
        full_width, full_height = upright_size(stored_size, loaded.orientation)
    return View(*upright.size, upright.tobytes(), full_width, full_height)


def cropped(data: bytes, limits: Limits, box: Box) -> bytes:
    """Cut a part out of the upright first frame, as a PNG file without compression.

    Raises:
        FileFailure: `unsupported`: no part of the box is in the picture; or it cannot be read.
    """
    with open_picture(data, limits) as picture:
        orientation = picture.load()
        upright = turn_upright(_encodable(picture), orientation)
    left, top = max(0, box.left), max(0, box.top)
    right = min(box.left + box.width, upright.width)
    bottom = min(box.top + box.height, upright.height)
    if left >= right or top >= bottom:
        raise FileFailure(
            FailureReason.UNSUPPORTED,
            f"the part to search with lies outside of the picture, which has {upright.width} × "
            f"{upright.height} pixels",
        )
    file = io.BytesIO()
    upright.crop((left, top, right, bottom)).save(file, "PNG", compress_level=0)
    return file.getvalue()


def _encodable(picture: OpenPicture) -> Image.Image:
    """Return a loaded picture in a mode that a PNG can hold, without its metadata."""
    image = picture.image
    if image.mode == "P" or (image.mode not in _PNG_MODES and image.has_transparency_data):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode not in _PNG_MODES:
        image = image.convert("RGB")
    elif image.mode in {"L", "RGB"} and image.has_transparency_data:
        image = image.convert("RGBA")
    bare = image.copy()
    bare.info = {}
    return bare


def fitted(size: tuple[int, int], factor: float) -> tuple[int, int]:
    """Return a size after scaling; no side vanishes."""
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def seen_small(
    image: Image.Image, box: tuple[float, float, float, float], size: tuple[int, int]
) -> Image.Image:
    """Bring a part of a loaded picture to this size, in colour, on white.

    Args:
        image: Loaded.
        box: Left, upper, right and lower edge of the part, in pixels of the image.
        size: No larger than the part.
    """
    left, top, right, bottom = box
    # By whole pixels first, so that all else is done on few; the rest by a filter that needs some.
    across, down = (
        max(1, int(have / want / 2))
        for have, want in zip((right - left, bottom - top), size, strict=True)
    )
    # What the filter needs around the part, it gets where the picture has it.
    around = (
        max(0, math.floor(left) - _FILTER_REACH * across),
        max(0, math.floor(top) - _FILTER_REACH * down),
        min(image.width, math.ceil(right) + _FILTER_REACH * across),
        min(image.height, math.ceil(bottom) + _FILTER_REACH * down),
    )
    whole = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
    if whole == box and size == (right - left, bottom - top):
        return _on_white(averages(image, 1, 1, whole))
    coloured = _on_white(averages(image, across, down, around))
    part = (
        (left - around[0]) / across,
        (top - around[1]) / down,
        (right - around[0]) / across,
        (bottom - around[1]) / down,
    )
    return coloured.resize(size, Image.Resampling.BICUBIC, box=part)


def _on_white(linear: Image.Image) -> Image.Image:
    """Make averages, as `averages` leaves them, "RGB"."""
    if linear.mode not in {"La", "RGBa"}:
        return linear if linear.mode == "RGB" else linear.convert("RGB")
    *colours, alpha = linear.split()
    behind = ImageChops.invert(alpha)
    seen = [ImageChops.add(each, behind) for each in colours]
    return Image.merge("RGB", seen * CHANNELS if len(seen) == 1 else seen)

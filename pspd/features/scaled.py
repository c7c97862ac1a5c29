"""A JPEG is decoded at a fraction of its size, and of a progressive one only the scans that count.

libjpeg scales while it decodes, to 1/2, 1/4 or 1/8. Luma is taken as it stands in the file, before
it becomes red, green and blue: that saves a conversion, and what it is does not depend on chroma.

Where the short way fails, the picture is decoded whole and plain, so that it fails, or not, as it
would have without.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image, JpegImagePlugin

from pspd.features.decode import DECODER_ERRORS, OpenPicture
from pspd.features.hashes import Box
from pspd.features.progressive import EXACT_SCALE, without_detail

_JPEGS: Final = frozenset({"JPEG", "MPO"})
_SCALES: Final = (8, 4, 2, 1)
_ADOBE_YCC: Final = 1


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a picture was loaded."""

    orientation: int
    """Still to be applied, 1 to 8."""
    box: Box | None = None
    """The part of the image that is picture, where scaling did not divide its sides evenly."""
    is_final: bool = True
    """Whether loading it for more pixels would give no more."""


def load(picture: OpenPicture, least_side: int, exact_side: int | None = None) -> Loaded:
    """Decode a picture: a JPEG at a fraction of its size, others in full.

    Args:
        picture: Open, not loaded.
        least_side: Pixels to leave of the smaller side, at least, of those there are.
        exact_side: What would be asked for to be exact; None to be so now, and leave out nothing of
            a progressive file that has any effect on luma.
    """
    image = picture.image
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return Loaded(picture.load())
    scale = _scale(image.size, least_side)
    is_final = exact_side is None or scale == _scale(image.size, exact_side)
    is_ycc = _is_surely_ycc(image)
    has_luma = is_ycc or image.mode == "L"
    may_be_thin = scale == EXACT_SCALE or (scale > 1 and exact_side is not None)
    thin = None
    if image.info.get("progressive") and has_luma and may_be_thin:
        thin = without_detail(picture.source, scale)
        is_final = is_final and (thin is None or scale == EXACT_SCALE)
    if thin is None and not is_ycc:
        return Loaded(*_drafted(picture, least_side), is_final)
    try:
        return Loaded(*_drafted(picture, least_side, "YCbCr", thin), is_final)
    except DECODER_ERRORS:
        picture.reopen()
        return Loaded(*_drafted(picture, least_side), is_final)


def _drafted(
    picture: OpenPicture, least_side: int, mode: str | None = None, source: bytes | None = None
) -> tuple[int, Box | None]:
    image = picture.image
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    drafted = image.draft(mode, (least_side, least_side))
    if source is not None:
        image.fp = io.BytesIO(source)
    return picture.load(), None if drafted is None else drafted[1]


def _scale(size: tuple[int, int], least_side: int) -> int:
    """Return what `draft` divides the sides by."""
    smaller = min(size) // least_side
    return next((scale for scale in _SCALES if smaller >= scale), 1)


def _is_surely_ycc(image: Image.Image) -> bool:
    """Say whether a picture that will be RGB is luma and chroma in the file, by its own word."""
    return image.mode == "RGB" and (
        "jfif" in image.info or image.info.get("adobe_transform") == _ADOBE_YCC
    )

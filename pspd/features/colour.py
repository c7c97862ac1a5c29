"""Whatever colour model a picture is in → one of few, on the one documented background.

Transparent pictures are put on white, as they are mostly seen. Of 276 real drawings, 42 come out
blank on black (lines are black), 4 on middle gray, none on white; ignoring alpha, so hashing the
colours that lie hidden under it, leaves 41 blank.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, cast

import numpy as np
from PIL import Image, ImageCms

BACKGROUND: Final = 255
"""Gray value that transparent pictures are put on: white."""

_DEEP_MODES: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I", "F"})
_GRAY_MODES: Final = frozenset({"1", "L", "LA", "La", *_DEEP_MODES})


def channels_of(image: Image.Image) -> int:
    """Count what a picture stores per pixel: 1 gray, 3 colour, one more with alpha; 4 CMYK."""
    if image.mode == "CMYK":
        return 4
    has_alpha = image.mode in {"La", "RGBa"} or image.has_transparency_data
    return (1 if image.mode in _GRAY_MODES else 3) + has_alpha


def is_linear(image: Image.Image) -> bool:
    """Say whether a picture is opaque, and may be averaged as it is."""
    return image.mode in {"L", "RGB", "YCbCr"} and not image.has_transparency_data


class Flattener:
    """Turns strips of one picture into 8-bit pictures.

    Args:
        image: The whole picture, loaded: the range of deep values is the whole picture's.
    """

    def __init__(self, image: Image.Image) -> None:
        self._range = _deep_range(image) if image.mode in _DEEP_MODES else (0.0, 1.0)

    def to_linear(self, strip: Image.Image) -> Image.Image:
        """Bring a strip to what may be averaged: "L", "RGB", "YCbCr", or "La", "RGBa".

        The last two have their colours multiplied by alpha, so that
        colour + `BACKGROUND` - alpha is the average as it is seen.
        """
        if strip.mode in {"La", "RGBa"} or is_linear(strip):
            return strip
        if strip.mode in _DEEP_MODES:
            return self._deep_to_gray(strip)
        if not strip.has_transparency_data:
            return _opaque_to_rgb(strip)
        if strip.mode == "LA":
            return strip.convert("La")
        return (strip if strip.mode == "RGBA" else strip.convert("RGBA")).convert("RGBa")

    def to_gray(self, strip: Image.Image) -> Image.Image:
        """Bring a strip to "L" on the background."""
        if strip.mode in _DEEP_MODES:
            return self._deep_to_gray(strip)
        if strip.mode in {"La", "RGBa"} or strip.has_transparency_data:
            return _gray_on_background(strip)
        return _opaque_to_rgb(strip).convert("L")

    def _deep_to_gray(self, strip: Image.Image) -> Image.Image:
        low, high = self._range
        values = np.nan_to_num(np.asarray(strip, np.float64), nan=low, posinf=high, neginf=low)
        scaled = (np.clip(values, low, high) - low) * (255.0 / (high - low))
        return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _deep_range(image: Image.Image) -> tuple[float, float]:
    """Find which values of a deep gray picture are black and white.

    16-bit integers have theirs; 32-bit integers and floats have none agreed on, so the first usual
    range that fits is taken, and the picture's own if none does.
    """
    if image.mode.startswith("I;16"):
        return 0.0, 65535.0
    values = np.asarray(image)
    finite = values[np.isfinite(values)] if image.mode == "F" else values
    if finite.size == 0:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (65535.0,)
    for white in usual:
        if low >= 0.0 and high <= white:
            return 0.0, white
    return low, max(high, low + 1.0)


def _gray_on_background(strip: Image.Image) -> Image.Image:
    if strip.mode == "La":
        strip = strip.convert("LA")
    straight = strip if strip.mode == "RGBA" else strip.convert("RGBA")
    gray = Image.new("L", straight.size, BACKGROUND)
    gray.paste(straight.convert("L"), mask=straight.getchannel("A"))
    return gray


def _opaque_to_rgb(strip: Image.Image) -> Image.Image:
    if strip.mode == "1":
        return strip.convert("L")
    if strip.mode == "LAB":
        # Pillow's stubs say that this may return None, which is for `inPlace` alone.
        return cast("Image.Image", ImageCms.applyTransform(strip, _lab_to_rgb()))
    return strip.convert("RGB")


@lru_cache(maxsize=1)
def _lab_to_rgb() -> Any:
    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, rgb, "LAB", "RGB")

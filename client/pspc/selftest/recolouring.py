"""Edits that leave every pixel in its place: colours, blur, noise, marks over the picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from pspc.selftest.canvas import Canvas, Change
from pspc.selftest.made_pictures import logo, words, write

_NOISE_LEVELS: Final = 12.0
_BLUR_WIDTHS: Final = 1 / 200
_DEGREES: Final = 360
_LEVELS: Final = 256
_MARK: Final = (255, 255, 255, 150)
_MARK_OUTLINE: Final = (0, 0, 0, 90)


def gray(canvas: Canvas, _random: Random) -> Canvas:
    """Take the colours away."""
    return canvas.repainted(canvas.image.convert("L"))


def blurred(canvas: Canvas, _random: Random) -> Canvas:
    """Blur by a Gaussian whose deviation is 1/200 of the width."""
    radius = canvas.image.width * _BLUR_WIDTHS
    return canvas.repainted(canvas.image.filter(ImageFilter.GaussianBlur(radius)))


def noisy(canvas: Canvas, random: Random) -> Canvas:
    """Add Gaussian noise of a deviation of 12 levels."""
    pixels = np.asarray(canvas.image)
    drawn = np.random.default_rng(random.getrandbits(64))
    noise = drawn.normal(0, _NOISE_LEVELS, pixels.shape)
    changed = np.clip(np.round(pixels + noise), 0, 255).astype(np.uint8)
    return canvas.repainted(Image.fromarray(changed))


def enhanced(kind: Callable[[Image.Image], ImageEnhance._Enhance], factor: float) -> Change:
    """Change brightness, contrast or saturation by a factor."""
    return lambda canvas, _random: canvas.repainted(kind(canvas.image).enhance(factor))


def hue_turned(degrees: float) -> Change:
    """Turn the colours around the colour circle."""
    steps = round(degrees / _DEGREES * _LEVELS)

    def change(canvas: Canvas, _random: Random) -> Canvas:
        hue, saturation, value = canvas.image.convert("HSV").split()
        # By a table, for Pillow's arithmetic stops at 255.
        turned = hue.point([(level + steps) % _LEVELS for level in range(_LEVELS)])
        merged = Image.merge("HSV", (turned, saturation, value))
        return canvas.repainted(merged.convert("RGB"))

    return change


def watermarked(columns: int, rows: int) -> Change:
    """Write half-transparent lines over it: a single one below right, several all over it."""

    def change(canvas: Canvas, random: Random) -> Canvas:
        width, height = canvas.size
        mark = Image.new("RGBA", canvas.size)
        draw = ImageDraw.Draw(mark)
        text = f"© {words(random, 2)}"
        if columns == rows == 1:
            where = (width * 0.97, height * 0.95)
            write(draw, where, text, width / 14, _MARK, anchor="rd", stroke=_MARK_OUTLINE)
        else:
            for number in range(columns * rows):
                x = width * (number % columns + 0.5) / columns
                y = height * (number // columns + 0.5) / rows
                line = width / columns / 7
                write(draw, (x, y), text, line, _MARK, anchor="mm", stroke=_MARK_OUTLINE)
        marked = Image.alpha_composite(canvas.image.convert("RGBA"), mark)
        return canvas.repainted(marked.convert("RGB"))

    return change


def covered(share: float) -> Change:
    """Put a logo over a share of its area, 0 to 1, somewhere."""

    def change(canvas: Canvas, random: Random) -> Canvas:
        width, height = canvas.size
        pixels = share * width * height
        # A square, unless the picture is too narrow for one of this area.
        across = max(1, round(min(width, max(math.sqrt(pixels), pixels / height))))
        down = max(1, min(height, round(pixels / across)))
        sign = logo(random, max(across, down)).resize((across, down))
        picture = canvas.image.copy()
        picture.paste(sign, (random.randint(0, width - across), random.randint(0, height - down)))
        return canvas.repainted(picture)

    return change

"""Pictures that are no copy of anything: the neighbour in a collage, the desktop, a logo, text."""

from __future__ import annotations

import math
from random import Random
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

_OCTAVES: Final = range(1, 7)
_SCENE_SIDE: Final = 256
"""Pixels a side that a scene is drawn at: there is nothing finer in it, and it takes a tenth."""
_SYLLABLES: Final = (
    "al", "be", "cor", "da", "el", "fi", "gran", "ho", "in", "ka", "lo", "mar", "no", "or", "pe",
    "ri", "sa", "ter", "um", "ve",
)  # fmt: skip
_SMALLEST_FONT: Final = 6


def scene(random: Random, size: tuple[int, int]) -> Image.Image:
    """Make a picture like a landscape in its spectrum: energy falls with frequency.

    Args:
        random: What it is drawn from.
        size: Width and height, in pixels.
    """
    drawn = np.random.default_rng(random.getrandbits(64))
    width, height = min(size[0], _SCENE_SIDE), min(size[1], _SCENE_SIDE)
    pixels = np.zeros((height, width, 3))
    for octave in _OCTAVES:
        small = drawn.normal(size=(2**octave, 2**octave, 3)) / octave**1.5
        for channel in range(3):
            layer = Image.fromarray(small[:, :, channel].astype(np.float32))
            pixels[:, :, channel] += np.asarray(
                layer.resize((width, height), Image.Resampling.BICUBIC)
            )
    low, high = pixels.min(), pixels.max()
    levels = ((pixels - low) / max(high - low, 1e-9) * 255).astype(np.uint8)
    return Image.fromarray(levels).resize(size, Image.Resampling.BICUBIC)


def words(random: Random, count: int) -> str:
    """Make a line of words that mean nothing."""
    return " ".join(
        "".join(random.choice(_SYLLABLES) for _ in range(random.randint(1, 3)))
        for _ in range(count)
    ).capitalize()


def write(  # noqa: PLR0913 - what text is
    draw: ImageDraw.ImageDraw,
    where: tuple[float, float],
    text: str,
    height: float,
    fill: tuple[int, ...],
    *,
    anchor: str = "la",
    stroke: tuple[int, ...] | None = None,
) -> None:
    """Write text of about this height in pixels, where there is room for any.

    Args:
        draw: Where.
        where: The anchor's place.
        text: One line.
        height: Of a line, in pixels; smaller than `_SMALLEST_FONT` nothing is written.
        fill: Colour, with alpha if the picture has it.
        anchor: As Pillow names them: "la" for the upper left corner, "mm" for the middle.
        stroke: Colour of the letters' outline; None for no outline.
    """
    if height < _SMALLEST_FONT:
        return
    draw.text(
        where,
        text,
        fill=fill,
        font_size=height,
        anchor=anchor,
        stroke_width=0 if stroke is None else max(1, round(height / 14)),
        stroke_fill=stroke,
    )


def colour(random: Random) -> Colour:
    """Draw a colour."""
    return random.randint(0, 255), random.randint(0, 255), random.randint(0, 255)


def logo(random: Random, side: int) -> Image.Image:
    """Draw a sign that covers its square: a plate of one colour, a star and letters on it."""
    plate = colour(random)
    ink = (255, 255, 255) if sum(plate) < 3 * 128 else (0, 0, 0)
    image = Image.new("RGB", (side, side), plate)
    draw = ImageDraw.Draw(image)
    corners = random.randint(3, 7)
    draw.polygon(
        [
            (
                side * (0.5 + (0.38 if each % 2 else 0.16) * math.cos(math.pi * each / corners)),
                side * (0.42 + (0.38 if each % 2 else 0.16) * math.sin(math.pi * each / corners)),
            )
            for each in range(2 * corners)
        ],
        fill=ink,
    )
    name = words(random, 1).upper()
    write(draw, (side / 2, side * 0.88), name, side / 7, ink, anchor="mm")
    return image

"""Edits that change the frame: parts of the picture, turns, and what is put around it."""

from __future__ import annotations

import math
from random import Random
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from pspc.selftest import geometry
from pspc.selftest.canvas import WHITE, Canvas, Change
from pspc.selftest.made_pictures import Colour, colour, scene, words, write

_BLACK: Final = (0, 0, 0)
_WIDEST_BORDER: Final = 0.1
_BAND: Final = 0.16
"""Of the height: a caption's band."""
_LEAST_BAR: Final = 16
"""Pixels of a window's title bar, at least."""
_DARK_ROOM: Final = (24, 22, 26)
_DARK_WINDOW: Final = (45, 45, 48), (220, 220, 220)
_LIGHT_WINDOW: Final = (236, 236, 236), (40, 40, 40)


def scaled(horizontal: float, vertical: float) -> Change:
    """Resize by two factors."""
    return lambda canvas, _random: canvas.resized(
        canvas.image.width * horizontal, canvas.image.height * vertical
    )


def cropped(share: float) -> Change:
    """Keep a share of the area, 0 to 1, of the picture's own shape, somewhere."""

    def change(canvas: Canvas, random: Random) -> Canvas:
        width, height = (max(1, round(side * math.sqrt(share))) for side in canvas.size)
        left = random.randint(0, canvas.image.width - width)
        top = random.randint(0, canvas.image.height - height)
        return canvas.cropped(left, top, left + width, top + height)

    return change


def transposed(method: Image.Transpose) -> Change:
    """Mirror it, or turn it by quarters."""
    return lambda canvas, _random: canvas.transposed(method)


def turned(degrees: float, *, is_cut: bool) -> Change:
    """Turn it one way or the other.

    Args:
        degrees: By how much, 0 to 90.
        is_cut: Whether to keep the largest part of its shape that has no empty corner; otherwise
            all of it, the corners white.
    """

    def change(canvas: Canvas, random: Random) -> Canvas:
        angle = degrees if _by_chance(random) else -degrees
        width, height = canvas.size
        sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
        around = (width * cosine + height * sine, width * sine + height * cosine)
        if is_cut:
            factor = min(width / around[0], height / around[1])
            size = (max(1, math.floor(width * factor)), max(1, math.floor(height * factor)))
        else:
            size = (math.ceil(around[0]), math.ceil(around[1]))
        to_middle = geometry.shift(-width / 2, -height / 2)
        from_middle = geometry.shift(size[0] / 2, size[1] / 2)
        return canvas.warped(from_middle @ geometry.turn(angle) @ to_middle, size, WHITE)

    return change


def bordered(canvas: Canvas, random: Random) -> Canvas:
    """Put a border of one colour around it, 4 to 10 % of the smaller side."""
    thickness = max(1, round(min(canvas.size) * random.uniform(0.04, _WIDEST_BORDER)))
    return _on_ground(canvas, colour(random), (thickness, thickness, thickness, thickness))


def letterboxed(canvas: Canvas, random: Random) -> Canvas:
    """Put black bars above and below it, each 12 to 22 % of its height, as a player does."""
    bar = max(1, round(canvas.image.height * random.uniform(0.12, 0.22)))
    return _on_ground(canvas, _BLACK, (0, bar, 0, bar))


def captioned(canvas: Canvas, random: Random) -> Canvas:
    """Write a joke above and below it, on bands of white or black."""
    ground, ink = (_BLACK, WHITE) if _by_chance(random) else (WHITE, _BLACK)
    width, height = canvas.size
    band = max(1, round(height * _BAND))
    framed = _on_ground(canvas, ground, (0, band, 0, band))
    draw = ImageDraw.Draw(framed.image)
    for middle in (band / 2, height + band * 1.5):
        line = words(random, 3).upper()
        size = min(band * 0.6, 1.6 * width / len(line))
        write(draw, (width / 2, middle), line, size, ink, anchor="mm")
    return framed


def on_screen(canvas: Canvas, random: Random) -> Canvas:
    """Show it in a window with title bar, toolbar and status line, upon a desktop."""
    width, height = canvas.size
    bar = max(_LEAST_BAR, round(height * 0.05))
    chrome, ink = _DARK_WINDOW if _by_chance(random) else _LIGHT_WINDOW
    window = _on_ground(canvas, chrome, (2, 2 * bar, 2, bar))
    _draw_window(ImageDraw.Draw(window.image), window.size, bar, ink, random)
    left, right = (round(width * random.uniform(0.06, 0.3)) for _ in range(2))
    top, below = (round(height * random.uniform(0.06, 0.2)) for _ in range(2))
    size = (window.size[0] + left + right, window.size[1] + top + below + 2 * bar)
    desktop = scene(random, size)
    _draw_desktop(ImageDraw.Draw(desktop), size, bar, random)
    return window.placed(desktop, left, top)


def photographed(canvas: Canvas, random: Random) -> Canvas:
    """Photograph it from a screen: a little from the side, soft, brighter at one end."""
    width, height = canvas.size
    corners = geometry.frame(canvas.size)
    inwards = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)], np.float64)
    drawn = np.array([(random.uniform(0.02, 0.08), random.uniform(0.02, 0.08)) for _ in range(4)])
    places = corners + inwards * drawn * (width, height)
    shown = canvas.warped(geometry.onto(corners, places), canvas.size, _DARK_ROOM)
    soft = shown.image.filter(ImageFilter.GaussianBlur(width / 500))
    light = Image.linear_gradient("L").point([round(190 + level / 4) for level in range(256)])
    if _by_chance(random):
        light = light.transpose(Image.Transpose.ROTATE_90)
    glow = light.resize(canvas.size).convert("RGB")
    return shown.repainted(ImageChops.multiply(soft, glow))


def half_of_collage(canvas: Canvas, random: Random) -> Canvas:
    """Put another picture of its height beside it, right or left."""
    width, height = canvas.size
    across = max(1, round(height * random.uniform(0.75, 1.5)))
    sheet = Image.new("RGB", (width + across, height))
    is_left = _by_chance(random)
    sheet.paste(scene(random, (across, height)), (width if is_left else 0, 0))
    return canvas.placed(sheet, 0 if is_left else across, 0)


def cut_half_of_collage(canvas: Canvas, random: Random) -> Canvas:
    """Make its middle one half of a square, and another picture the other."""
    side = max(2, min(canvas.size))
    factor = max(side / 2 / canvas.image.width, side / canvas.image.height)
    fitted = canvas.resized(canvas.image.width * factor, canvas.image.height * factor)
    left, top = (fitted.image.width - side // 2) // 2, (fitted.image.height - side) // 2
    half = fitted.cropped(left, top, left + side // 2, top + side)
    sheet = Image.new("RGB", (2 * (side // 2), side))
    is_left = _by_chance(random)
    sheet.paste(scene(random, half.size), (side // 2 if is_left else 0, 0))
    return half.placed(sheet, 0 if is_left else side // 2, 0)


def quarter_of_collage(canvas: Canvas, random: Random) -> Canvas:
    """Make it one of four pictures of its size, with a gap of 1 % between them."""
    width, height = canvas.size
    gap = max(1, round(width / 100))
    sheet = Image.new("RGB", (2 * width + gap, 2 * height + gap), WHITE)
    places = [(left, top) for top in (0, height + gap) for left in (0, width + gap)]
    ours = places.pop(random.randrange(len(places)))
    for place in places:
        sheet.paste(scene(random, canvas.size), place)
    return canvas.placed(sheet, *ours)


def _by_chance(random: Random) -> bool:
    return random.getrandbits(1) == 1


def _on_ground(canvas: Canvas, ground: Colour, margins: tuple[int, int, int, int]) -> Canvas:
    """Put margins of one colour around it: left, above, right and below."""
    left, top, right, below = margins
    size = (canvas.size[0] + left + right, canvas.size[1] + top + below)
    return canvas.placed(Image.new("RGB", size, ground), left, top)


def _draw_window(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], bar: int, ink: Colour, random: Random
) -> None:
    """Draw a window's title, buttons, tools and status line."""
    write(draw, (bar * 0.5, bar * 0.25), f"{words(random, 2)}.jpg", bar * 0.5, ink)
    for number in range(3):
        right = size[0] - bar * (0.3 + 0.9 * number)
        draw.ellipse((right - bar * 0.5, bar * 0.25, right, bar * 0.75), fill=colour(random))
    for number in range(max(1, min(12, size[0] // (2 * bar)))):
        left = bar * (0.4 + 1.4 * number)
        draw.rectangle((left, bar * 1.2, left + bar * 0.8, bar * 1.8), outline=ink)
    write(draw, (bar * 0.5, size[1] - bar * 0.75), words(random, 4), bar * 0.45, ink)


def _draw_desktop(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], bar: int, random: Random
) -> None:
    """Draw the bar below with its clock, and icons with names on the left."""
    width, height = size
    draw.rectangle((0, height - 2 * bar, width, height), fill=(20, 24, 30))
    clock = f"{random.randint(0, 23):02}:{random.randint(0, 59):02}"
    write(draw, (width - bar, height - bar), clock, bar * 0.7, WHITE, anchor="rm")
    for number in range(6):
        left = bar * (0.5 + 1.8 * number)
        box = (left, height - 1.6 * bar, left + 1.2 * bar, height - 0.4 * bar)
        draw.rectangle(box, fill=colour(random))
    for number in range(3):
        top = bar * (1 + 3.5 * number)
        draw.rectangle((bar * 0.5, top, bar * 2, top + bar * 1.5), fill=colour(random))
        write(draw, (bar * 0.5, top + bar * 1.7), words(random, 1), bar * 0.45, WHITE)

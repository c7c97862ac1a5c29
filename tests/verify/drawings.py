"""Pictures with places to recognise, made on the spot."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from pspd.verify.local_features import Pixels


def collage(width: int = 640, height: int = 480, seed: int = 1, shapes: int = 90) -> Image.Image:
    """Draw many small shapes on a soft ground: no two places alike."""
    generator = np.random.default_rng(seed)
    ramps = generator.uniform(60, 200, (2, 2, 3))
    ground = Image.fromarray(ramps.astype(np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    draw = ImageDraw.Draw(ground)
    side = min(width, height)
    for _ in range(shapes):
        x, y = float(generator.uniform(0, width)), float(generator.uniform(0, height))
        radius = float(generator.uniform(side / 60, side / 12))
        fill = tuple(int(v) for v in generator.integers(0, 256, 3))
        if generator.random() < 0.5:
            corners, turn = int(generator.integers(3, 7)), float(generator.uniform(0, 360))
            draw.regular_polygon((x, y, radius), corners, turn, fill=fill)
        else:
            box = (x - radius, y - radius / 2, x + radius, y + radius / 2)
            draw.ellipse(box, fill=fill)
    return ground


def photograph(width: int = 640, height: int = 480, seed: int = 1) -> Image.Image:
    """Draw the same on a ground that has structure at every scale, as photographs have."""
    generator = np.random.default_rng(seed)
    ground = np.zeros((height, width))
    for cells in (3, 6, 12, 24, 48, 96):
        coarse = generator.normal(0, 1, (cells, cells)).astype(np.float32)
        layer = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        ground += np.asarray(layer) * 28 / cells**0.4
    drawn = np.asarray(collage(width, height, seed)) * 0.6 + ground[..., None] + 50
    return Image.fromarray(np.clip(drawn, 0, 255).astype(np.uint8))


def pixels(image: Image.Image) -> Pixels:
    """Give a picture's pixels as height × width × 3."""
    return np.asarray(image.convert("RGB"))


def placed(
    image: Image.Image, factor: complex, offset: complex, size: tuple[int, int]
) -> Image.Image:
    """Draw a picture turned and scaled by `factor` and moved by `offset` on white.

    Places are complex numbers, downwards imaginary: z of the picture comes to factor × z + offset.
    """
    # Pillow asks where each pixel comes from, its middle included.
    back, start = 1 / factor, -offset / factor
    data = (back.real, -back.imag, start.real, back.imag, back.real, start.imag)
    enlarged = math.ceil(max(1.0, 1 / abs(factor)))
    if enlarged > 1:
        # Pillow does not average what it makes smaller.
        small = image.reduce(enlarged)
        ratios = (small.width / image.width, small.height / image.height)
        (across, down), (a, b, c, d, e, f) = ratios, data
        data = (a * across, b * across, c * across, d * down, e * down, f * down)
        image = small
    return image.transform(
        size, Image.Transform.AFFINE, data, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255)
    )

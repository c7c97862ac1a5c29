"""Makes sample pictures, the same on every run: landscapes, patterns, and known copies of some.

    python examples/make_samples.py DIR

The pictures are synthetic, but like photographs in what matters here: their energy falls with
frequency, so that perceptual hashes have structure to hold on to.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageOps

Pixels = npt.NDArray[np.float64]
"""Gray (height, width) or colour (height, width, 3), 0 to 1."""

WIDTH, HEIGHT = 640, 480
LANDSCAPES = 24
PATTERNS = 16
ORIENTATION_TAG = 0x0112


def main() -> None:
    """Make the pictures in the folder given on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="made if it does not exist")
    folder: Path = parser.parse_args().folder
    print(f"{make_samples(folder)} sample pictures in {folder}")


def make_samples(folder: Path) -> int:
    """Make the pictures; returns how many there are."""
    for name in ("landscapes", "patterns", "copies"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(LANDSCAPES):
        landscape(number).save(folder / "landscapes" / f"landscape-{number:02}.jpg", quality=90)
    for number in range(PATTERNS):
        pattern(number).save(folder / "patterns" / f"pattern-{number:02}.png")
    Image.new("RGB", (WIDTH, HEIGHT), "white").save(folder / "patterns" / "blank.png")
    make_copies(folder)
    return sum(path.is_file() for path in folder.rglob("*"))


def make_copies(folder: Path) -> None:
    """Make copies of two samples, each named by what was done to it."""
    copies = folder / "copies"
    photo = Image.open(folder / "landscapes" / "landscape-00.jpg")
    edits: dict[str, Callable[[Image.Image], Image.Image]] = {
        "half-size": lambda image: image.resize((WIDTH // 2, HEIGHT // 2)),
        "double-size": lambda image: image.resize((WIDTH * 2, HEIGHT * 2)),
        "gray": ImageOps.grayscale,
        "mirrored": ImageOps.mirror,
        "flipped": ImageOps.flip,
        "turned-90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
        "turned-180": lambda image: image.transpose(Image.Transpose.ROTATE_180),
        "turned-270": lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }
    for name, edit in edits.items():
        edit(photo).save(copies / f"landscape-00-{name}.jpg", quality=88)
    photo.save(copies / "landscape-00-recompressed.jpg", quality=35)
    photo.save(copies / "landscape-00.webp", quality=60)
    # Not one pixel differs from the JPEG's in these two, nor in the PNG's own below.
    photo.save(copies / "landscape-00-same-pixels.png")
    photo.save(copies / "landscape-00-same-pixels.webp", lossless=True)
    drawing = Image.open(folder / "patterns" / "pattern-00.png")
    drawing.save(copies / "pattern-00-same-pixels.bmp")
    drawing.save(copies / "pattern-00-same-pixels.webp", lossless=True)
    # Stored lying on its side, with the tag by which every viewer puts it upright again.
    lying = drawing.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    lying.save(copies / "pattern-00-turned-by-exif.png", exif=exif)
    jpeg = (folder / "landscapes" / "landscape-00.jpg").read_bytes()
    (copies / "landscape-00-other-comment.jpg").write_bytes(with_comment(jpeg, b"Holiday"))
    (copies / "landscape-01-same-file.jpg").write_bytes(
        (folder / "landscapes" / "landscape-01.jpg").read_bytes()
    )


def with_comment(jpeg: bytes, comment: bytes) -> bytes:
    """Return a JPEG file with a comment (ITU T.81, B.2.4.5) and not one other pixel."""
    start_of_image, comment_marker = b"\xff\xd8", b"\xff\xfe"
    assert jpeg.startswith(start_of_image)
    length = (len(comment) + 2).to_bytes(2, "big")
    return start_of_image + comment_marker + length + comment + jpeg[len(start_of_image) :]


def landscape(number: int) -> Image.Image:
    """Return a sky, ranges of hills before it, and a sun; all of it depends on the number."""
    random = np.random.default_rng(number)
    down = np.linspace(0, 1, HEIGHT)[:, None, None]
    sky_top, sky_low, near = random.uniform([0.1, 0.2, 0.4], [0.6, 0.7, 1.0], (3, 3))
    scene = (1 - down) * sky_top + down * sky_low
    scene = scene + 0.35 * (noise(random, HEIGHT, WIDTH, coarsest=4)[:, :, None] - 0.5)
    scene = add_sun(scene, random)
    rows = np.arange(HEIGHT)[:, None]
    for distance in np.linspace(1, 0, 4):
        ridge = noise(random, 1, WIDTH, coarsest=3)[0]
        top = HEIGHT * (0.85 - 0.45 * distance + 0.5 * (ridge - 0.5))
        ground = (1 - distance) * near * 0.7 + distance * sky_low
        texture = 0.5 * (noise(random, HEIGHT, WIDTH, coarsest=16) - 0.5)
        scene = np.where((rows > top)[:, :, None], ground + texture[:, :, None], scene)
    return to_image(scene)


def add_sun(scene: Pixels, random: np.random.Generator) -> Pixels:
    """Return the scene with a bright disc and its glow in the upper half."""
    x, y = random.uniform(0.1, 0.9) * WIDTH, random.uniform(0.05, 0.4) * HEIGHT
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    away = np.hypot(rows - y, columns - x) / random.uniform(20, 60)
    light = np.where(away < 1, 1.0, np.exp(1 - away))[:, :, None]
    return scene + light * (random.uniform([0.9, 0.7, 0.4], [1.0, 1.0, 0.9]) - scene)


def pattern(number: int) -> Image.Image:
    """Return overlapping coloured shapes on a gradient; all of it depends on the number."""
    random = np.random.default_rng(1000 + number)
    angle = random.uniform(0, 2 * math.pi)
    rows, columns = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    slope = (columns * math.cos(angle) + rows * math.sin(angle))[:, :, None]
    first, second = random.uniform(0, 1, (2, 3))
    image = to_image(first + (second - first) * slope)
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(6, 14))):
        x, y = random.uniform(-0.1, 0.9) * WIDTH, random.uniform(-0.1, 0.9) * HEIGHT
        wide, high = random.uniform(40, 320, 2)
        red, green, blue = (int(part) for part in random.integers(0, 256, 3))
        box = (x, y, x + wide, y + high)
        if random.random() < 0.5:
            draw.ellipse(box, fill=(red, green, blue))
        else:
            draw.polygon(
                [(x, y + high), (x + wide / 2, y), (x + wide, y + high)], (red, green, blue)
            )
    return image


def noise(random: np.random.Generator, rows: int, columns: int, *, coarsest: int) -> Pixels:
    """Return noise in octaves, each finer and half as strong; (rows, columns), 0 to 1."""
    total = np.zeros((rows, columns))
    cells, strength = coarsest, 1.0
    while cells < columns / 2:
        high = max(1, round(cells * rows / columns))
        grid = Image.fromarray(random.random((high, cells)).astype(np.float32))
        total += strength * np.asarray(grid.resize((columns, rows), Image.Resampling.BICUBIC))
        cells, strength = cells * 2, strength / 2
    low, top = float(total.min()), float(total.max())
    return (total - low) / (top - low)


def to_image(pixels: Pixels) -> Image.Image:
    """Return an 8-bit picture of colours 0 to 1; what lies outside is cut."""
    return Image.fromarray((pixels.clip(0, 1) * 255).round().astype(np.uint8))


if __name__ == "__main__":
    main()

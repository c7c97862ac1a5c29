"""What mutants are made of: our own small pictures, and the real ones beside the checkout."""

from __future__ import annotations

import functools
from pathlib import Path

from PIL import Image

from tests.features.samples import encode, png, scene, tiff, with_orientation

_SMALL_PIXELS = 60_000
"""Of a real picture's smaller copy: few kilobytes, so that 50,000 mutants are half a gigabyte."""
_SMALL_BYTES = 40_000
"""A real file up to this size is mutated as it is."""
_FULL_EVERY = 20
"""Of the larger ones every so many is mutated at its full size as well."""
_FULL_BYTES = 400_000
_FORMATS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "AVIF": ".avif", "GIF": ".gif"}


def moving(format: str, **options: object) -> bytes:
    """Return three frames or pages."""
    first, *others = (Image.fromarray(scene(24, 16, each)) for each in range(3))
    return encode(first, format, save_all=True, append_images=others, **options)


Sources = list[tuple[str, bytes]]
"""(suffix, bytes)."""


@functools.cache
def made() -> Sources:
    """Pictures of our own, of every format and most of their variants; up to 48 × 32 pixels."""
    pixels, other = scene(48, 32), scene(24, 20, 2)
    image = Image.fromarray(pixels)
    gray, palette, alpha = image.convert("L"), image.convert("P"), image.convert("RGBA")
    return [
        (".jpg", encode(pixels, "JPEG", quality=70)),
        (".jpg", encode(pixels, "JPEG", progressive=True, exif=with_orientation(6))),
        (".jpg", encode(image.convert("CMYK"), "JPEG", subsampling=2)),
        (".jpg", encode(gray, "JPEG", restart_marker_blocks=2)),
        (".jpg", moving("MPO")),
        (".png", encode(pixels, "PNG")),
        (".png", encode(palette, "PNG", transparency=3)),
        (".png", encode(alpha, "PNG")),
        (".png", encode(gray.convert("1"), "PNG")),
        (".png", moving("PNG")),
        (".png", png(other.astype("u2") * 200)),
        (".webp", encode(pixels, "WEBP", quality=60)),
        (".webp", encode(alpha, "WEBP", lossless=True)),
        (".webp", moving("WEBP")),
        (".gif", encode(palette, "GIF")),
        (".gif", moving("GIF")),
        (".bmp", encode(pixels, "BMP")),
        (".bmp", encode(palette, "BMP")),
        (".tif", encode(pixels, "TIFF")),
        *(
            (".tif", encode(pixels, "TIFF", compression=each))
            for each in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg")
        ),
        (".tif", encode(gray.convert("1"), "TIFF", compression="group4")),
        (".tif", moving("TIFF")),
        (".tif", encode(gray.convert("F"), "TIFF")),
        (".tif", tiff(other.astype("u2") * 200, ">")),
        (".avif", encode(other, "AVIF", quality=50, speed=10)),
        (".avif", moving("AVIF", speed=10)),
    ]


def real(folder: Path, *, every: int = 1) -> Sources:
    """Small copies of the pictures in `photos`, and what lies in `formats`, some at full size.

    Only of every so many files: to make all of them smaller takes seconds.
    """
    found: Sources = []
    files = [
        path for part in ("photos", "formats") for path in sorted((folder / part).rglob("*.*"))
    ]
    for number, path in enumerate(files[::every]):
        if path.is_file():
            data = path.read_bytes()
            if len(data) <= _SMALL_BYTES or (
                number % _FULL_EVERY == 0 and len(data) <= _FULL_BYTES
            ):
                found.append((path.suffix, data))
            if len(data) > _SMALL_BYTES:
                found.extend(_smaller(path))
    return found


def _smaller(path: Path) -> Sources:
    try:
        with Image.open(path) as image:
            name = image.format if image.format in _FORMATS else "PNG"
            side = round((_SMALL_PIXELS * max(image.size) / min(image.size)) ** 0.5)
            image.draft("RGB", (side, side))
            image.thumbnail((side, side))
            mode = "RGBA" if name in {"PNG", "WEBP"} and image.has_transparency_data else "RGB"
            options = {} if name in {"PNG", "GIF"} else {"quality": 60}
            return [(_FORMATS[name], encode(image.convert(mode), name, **options))]
    except (OSError, ValueError, SyntaxError):
        # `formats` has files on purpose that Pillow does not read.
        return []

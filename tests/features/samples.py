"""Small pictures and files made on the spot, the same on every machine."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pspd.core.model import Limits

LIMITS = Limits(max_pixels=4_000_000, max_side=10_000)

Array = npt.NDArray[Any]


def scene(width: int = 320, height: int = 240, seed: int = 1) -> Array:
    """Draw a colourful picture of soft shapes; integers only, so the same bits everywhere."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.int64)
    generator = np.random.default_rng(seed)
    pixels = np.zeros((height, width, 3), np.int64)
    for _ in range(14):
        x, y = int(generator.integers(0, width)), int(generator.integers(0, height))
        radius = int(generator.integers(min(width, height) // 8 + 1, min(width, height) // 3 + 3))
        inside = np.maximum(0, radius * radius - (columns - x) ** 2 - (rows - y) ** 2)
        colour = generator.integers(40, 256, 3)
        pixels += (inside * 256 // (radius * radius))[..., None] * colour // 400
    return np.minimum(pixels, 255).astype(np.uint8)


def encode(picture: Array | Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """Encode an array or a picture."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def with_orientation(orientation: int) -> Image.Exif:
    """Make EXIF data with nothing but an orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Make one chunk of a PNG."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(pixels: Array, *extra: bytes) -> bytes:
    """Write rows × columns × channels of 8 or 16 bits as PNG, with chunks between header and data.

    Pillow cannot write 16-bit colour.
    """
    height, width, channels = pixels.shape
    bits = pixels.dtype.itemsize * 8
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(pixels.dtype.newbyteorder(">")).tobytes() for row in pixels)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)),
            *extra,
            png_chunk(b"IDAT", zlib.compress(rows)),
            png_chunk(b"IEND", b""),
        )
    )


def tiff(pixels: Array, order: str = "<") -> bytes:
    """Write rows × columns × (1, 3) of 16 bits as an uncompressed TIFF of either byte order."""
    height, width, channels = pixels.shape
    body = pixels.astype(order + "u2").tobytes()
    bits_at = 8 + len(body)
    entries = (
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, bits_at),
        (262, 4, 1, 2),
        (273, 4, 1, 8),
        (277, 4, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(body)),
    )
    directory = struct.pack(order + "H", len(entries))
    directory += b"".join(struct.pack(order + "HHII", *entry) for entry in entries) + bytes(4)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    bits = struct.pack(f"{order}{channels}H", *[16] * channels)
    return magic + struct.pack(order + "I", bits_at + len(bits)) + body + bits + directory


def png_claiming(width: int, height: int) -> bytes:
    """Make a PNG of a few bytes whose header claims any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(b"\0" * 100)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + png_chunk(b"IEND", b"")

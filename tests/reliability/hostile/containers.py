"""JPEG segments, EXIF and TIFF directories that lead astray."""

from __future__ import annotations

import random
import struct

from PIL import Image

from tests.features.samples import encode, scene
from tests.reliability.hostile.classes import (
    NEEDS_EXTRA,
    NO_FORMAT,
    READ,
    REFUSED,
    deep_noise,
    good,
    hostile,
    noise,
)

_MAY_BE_READ = REFUSED | READ
_COUNTS = (0, 1, 2, 100, 65_535, 2**31, 2**32 - 1)


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _with_segments(*segments: bytes) -> bytes:
    data = good("JPEG")
    return data[:2] + b"".join(segments) + data[2:]


@hostile(READ, rarity=10)
def jpeg_with_a_flood_of_segments(chance: random.Random) -> bytes:
    marker = chance.randrange(0xE3, 0xED)
    return _with_segments(_segment(marker, b"x" * chance.randrange(100)) * chance.randrange(5_000))


@hostile(_MAY_BE_READ, rarity=10)
def jpeg_with_a_flood_of_markers(chance: random.Random) -> bytes:
    data = good("JPEG")
    flood = bytes([0xFF, chance.randrange(0xD0, 0xD8)]) * chance.randrange(100_000)
    at = chance.choice((2, len(data) - 2))
    return data[:at] + flood + data[at:]


@hostile(_MAY_BE_READ)
def jpeg_without_a_table(chance: random.Random) -> bytes:
    data = good("JPEG")
    at = data.index(chance.choice((b"\xff\xdb", b"\xff\xc4", b"\xff\xc0")))
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


@hostile(_MAY_BE_READ)
def jpeg_with_absurd_tables(chance: random.Random) -> bytes:
    data = bytearray(good("JPEG"))
    at = data.index(chance.choice((b"\xff\xdb", b"\xff\xc4", b"\xff\xc0"))) + 4
    for offset in range(chance.randrange(1, 17)):
        data[at + offset] = chance.randrange(256)
    return bytes(data)


@hostile(_MAY_BE_READ)
def jpeg_of_a_rare_process(chance: random.Random) -> bytes:
    data = bytearray(good("JPEG"))
    data[data.index(b"\xff\xc0") + 1] = chance.choice((0xC1, 0xC3, 0xC5, 0xC7, 0xC9, 0xCB, 0xCF))
    return bytes(data)


def _exif(entries: bytes, next_directory: int = 0) -> bytes:
    count = len(entries) // 12
    body = struct.pack("<H", count) + entries + struct.pack("<I", next_directory)
    return _segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + body)


@hostile(READ)
def exif_in_a_circle(chance: random.Random) -> bytes:
    tag = chance.choice((0x8769, 0x8825, 0xA005, 0x014A))
    entry = struct.pack("<HHII", tag, 4, 1, 8) * chance.randrange(1, 100)
    return _with_segments(_exif(entry, next_directory=8))


@hostile(READ)
def exif_with_absurd_counts(chance: random.Random) -> bytes:
    entries = b"".join(
        struct.pack(
            "<HHII", tag, chance.randrange(20), chance.choice(_COUNTS), chance.choice(_COUNTS)
        )
        for tag in (0x010E, 0x0112, 0x011A, 0x9286, 0x927C, chance.randrange(65_536))
    )
    return _with_segments(_exif(entries))


@hostile(READ)
def exif_with_script_and_controls(chance: random.Random) -> bytes:
    text = b"<script>alert(1)</script>\x1b[2J\r\n\xff" * chance.randrange(1, 500)
    comment = _segment(0xFE, text[:60_000])
    xmp = _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<!DOCTYPE x [<!ENTITY a 'b'>]>&a;")
    return _with_segments(comment, xmp)


@hostile(_MAY_BE_READ)
def mpo_in_a_chain(chance: random.Random) -> bytes:
    pictures = [Image.fromarray(scene(32, 24, each)) for each in range(3)]
    data = bytearray(encode(pictures[0], "MPO", save_all=True, append_images=pictures[1:]))
    at = data.index(b"MPF\0") + 4
    for _ in range(chance.randrange(1, 5)):
        struct.pack_into("<I", data, at + 4 * chance.randrange(1, 20), chance.choice(_COUNTS))
    return bytes(data)


def _tiff(entries: list[tuple[int, int, int, int]], next_directory: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", next_directory)


def _small_tiff() -> list[tuple[int, int, int, int]]:
    return [
        (256, 4, 1, 8),
        (257, 4, 1, 8),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, 8),
        (279, 4, 1, 64),
    ]


@hostile(_MAY_BE_READ, suffix=".tif")
def tiff_in_a_circle(chance: random.Random) -> bytes:
    sub = [(330, 4, 1, 8)] if chance.random() < 0.5 else []
    return _tiff(_small_tiff() + sub, next_directory=8) + bytes(200)


@hostile(_MAY_BE_READ, suffix=".tif")
def tiff_with_absurd_tags(chance: random.Random) -> bytes:
    entries = _small_tiff()
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(entries))
        tag = entries[at][0]
        kind, count, value = chance.randrange(20), chance.choice(_COUNTS), chance.choice(_COUNTS)
        entries[at] = chance.choice(
            ((tag, kind, count, value), (tag, 4, 1, value), (tag, 4, count, 8))
        )
    return _tiff(entries) + noise(chance, 200)


@hostile(_MAY_BE_READ | NEEDS_EXTRA | NO_FORMAT, suffix=".tif")
def tiff_with_random_directory(chance: random.Random) -> bytes:
    entries = [
        (
            chance.randrange(254, 340),
            chance.randrange(14),
            chance.choice(_COUNTS),
            chance.choice(_COUNTS),
        )
        for _ in range(chance.randrange(1, 40))
    ]
    return _tiff(_small_tiff() + entries) + noise(chance, 500)


@hostile(_MAY_BE_READ, suffix=".tif", rarity=10)
def tiff_with_many_pages(chance: random.Random) -> bytes:
    page = _tiff(_small_tiff())[8:]
    count = chance.choice((100, 5_000))
    pages = (
        page[:-4] + struct.pack("<I", 0 if each == count - 1 else 8 + (each + 1) * len(page))
        for each in range(count)
    )
    return b"II*\0\x08\0\0\0" + b"".join(pages)


@hostile(_MAY_BE_READ, suffix=".tif")
def big_tiff_with_absurd_offsets(chance: random.Random) -> bytes:
    offset = chance.choice((0, 16, 2**63, 2**64 - 1))
    return (
        b"II+\0\x08\0\0\0"
        + struct.pack("<QQ", offset, chance.choice((0, 2, 2**64 - 1)))
        + bytes(80)
    )


@hostile(READ, suffix=".tif")
def tiff_of_floats_that_are_no_numbers(chance: random.Random) -> bytes:
    return encode(Image.fromarray(deep_noise(chance, 20, 20)), "TIFF")

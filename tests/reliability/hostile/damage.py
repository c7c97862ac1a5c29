"""Good pictures, damaged as disks, networks and cameras do it."""

from __future__ import annotations

import random
import struct
import zlib

from pspd.core.model import FailureReason as Reason
from tests.features.samples import png_chunk, scene
from tests.reliability.hostile.classes import (
    FORMATS,
    NO_FORMAT,
    READ,
    WRONG,
    any_good,
    good,
    hostile,
    noise,
)

_MAY_BE_READ = WRONG | READ


def _cut(format: str, chance: random.Random) -> bytes:
    data = good(format, chance.randrange(4))
    return data[: chance.randrange(16, len(data))]


@hostile(_MAY_BE_READ)
def cut_jpeg(chance: random.Random) -> bytes:
    return _cut("JPEG", chance)


@hostile(_MAY_BE_READ, suffix=".png")
def cut_png(chance: random.Random) -> bytes:
    return _cut("PNG", chance)


@hostile(_MAY_BE_READ, suffix=".webp")
def cut_webp(chance: random.Random) -> bytes:
    return _cut("WEBP", chance)


@hostile(_MAY_BE_READ, suffix=".gif")
def cut_gif(chance: random.Random) -> bytes:
    return _cut("GIF", chance)


@hostile(_MAY_BE_READ | NO_FORMAT, suffix=".bmp")
def cut_bmp(chance: random.Random) -> bytes:
    return _cut("BMP", chance)


@hostile(_MAY_BE_READ, suffix=".tif")
def cut_tiff(chance: random.Random) -> bytes:
    return _cut("TIFF", chance)


@hostile(_MAY_BE_READ | NO_FORMAT, suffix=".avif")
def cut_avif(chance: random.Random) -> bytes:
    return _cut("AVIF", chance)


@hostile(WRONG | NO_FORMAT)
def cut_within_the_first_bytes(chance: random.Random) -> bytes:
    return any_good(chance)[: chance.randrange(1, 16)]


@hostile(frozenset({Reason.TRUNCATED}))
def empty(_: random.Random) -> bytes:
    return b""


@hostile(frozenset({Reason.NOT_A_PICTURE}))
def one_byte(chance: random.Random) -> bytes:
    return noise(chance, 1)


@hostile(_MAY_BE_READ)
def zeroed_tail(chance: random.Random) -> bytes:
    data = any_good(chance)
    keep = chance.randrange(40, len(data))
    return data[:keep] + bytes(len(data) - keep)


@hostile(_MAY_BE_READ | NO_FORMAT | {Reason.TOO_BIG})
def zeroed_hole(chance: random.Random) -> bytes:
    data = any_good(chance)
    start = chance.randrange(2, len(data))
    return (data[:start] + bytes(64) + data[start + 64 :])[: len(data)]


@hostile(frozenset({Reason.NOT_A_PICTURE}))
def zeros_alone(chance: random.Random) -> bytes:
    return bytes(chance.randrange(1, 100_000))


@hostile(frozenset({Reason.NOT_A_PICTURE}))
def noise_alone(chance: random.Random) -> bytes:
    return b"\x9b" + noise(chance, chance.randrange(1, 5000))


@hostile(WRONG | NO_FORMAT | {Reason.TOO_BIG})
def magic_and_noise(chance: random.Random) -> bytes:
    return any_good(chance)[:12] + noise(chance, chance.randrange(20, 2000))


@hostile(READ | WRONG | NO_FORMAT | {Reason.TOO_BIG})
def two_halves(chance: random.Random) -> bytes:
    first, second = any_good(chance), any_good(chance)
    return first[: len(first) // 2] + second[len(second) // 2 :]


@hostile(READ)
def twice_the_same(chance: random.Random) -> bytes:
    return any_good(chance) * 2


@hostile(frozenset({Reason.NOT_A_PICTURE}) | NO_FORMAT)
def back_to_front(chance: random.Random) -> bytes:
    return any_good(chance)[::-1]


@hostile(READ)
def rubbish_behind(chance: random.Random) -> bytes:
    return any_good(chance) + noise(chance, 500)


@hostile(READ)
def wrong_suffix(chance: random.Random) -> bytes:
    return good(chance.choice(FORMATS[1:]), chance.randrange(4))


@hostile(_MAY_BE_READ, suffix=".png")
def png_with_wrong_checksums(chance: random.Random) -> bytes:
    data = bytearray(good("PNG", chance.randrange(4)))
    data[data.index(b"IDAT") - 5] ^= 1 << chance.randrange(8)
    return bytes(data)


@hostile(_MAY_BE_READ, suffix=".png")
def png_with_chunks_in_disorder(chance: random.Random) -> bytes:
    rows = b"".join(b"\0" + row.tobytes() for row in scene(16, 16))
    half = len(packed := zlib.compress(rows)) // 2
    chunks = [
        png_chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)),
        png_chunk(b"IDAT", packed[:half]),
        png_chunk(b"tEXt", b"Comment\0between"),
        png_chunk(b"IDAT", packed[half:]),
        png_chunk(b"PLTE", bytes(9)),
        png_chunk(b"IEND", b""),
    ]
    chance.shuffle(chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@hostile(_MAY_BE_READ, suffix=".png")
def png_beyond_its_palette(chance: random.Random) -> bytes:
    rows = b"".join(b"\0" + noise(chance, 16) for _ in range(16))
    chunks = (
        png_chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 3, 0, 0, 0)),
        png_chunk(b"PLTE", noise(chance, 3 * chance.randrange(4))),
        png_chunk(b"tRNS", noise(chance, chance.randrange(300))),
        png_chunk(b"IDAT", zlib.compress(rows)),
        png_chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)

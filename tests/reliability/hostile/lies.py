"""Headers that claim what is not so, and what is no picture under a picture's name."""

from __future__ import annotations

import random
import struct
import zipfile
from io import BytesIO

from pspd.core.model import FailureReason as Reason
from tests.features.samples import png_claiming
from tests.reliability.hostile.classes import (
    NEEDS_EXTRA,
    NO_FORMAT,
    READ,
    REFUSED,
    good,
    hostile,
    noise,
)

_SIZES = (0, 1, 2, 0x7FFF, 0xFFFF, 0x10000, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
_MAY_BE_READ = REFUSED | READ
_UNSUPPORTED = frozenset({Reason.UNSUPPORTED})
_NO_PICTURE = frozenset({Reason.NOT_A_PICTURE})


def _patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    patch = struct.pack(layout, *values)
    return data[:at] + patch + data[at + len(patch) :]


@hostile(_MAY_BE_READ, suffix=".png")
def png_of_absurd_size(chance: random.Random) -> bytes:
    return png_claiming(chance.choice(_SIZES), chance.choice(_SIZES[:-4]))


@hostile(_MAY_BE_READ, suffix=".png")
def png_with_chunk_of_absurd_length(chance: random.Random) -> bytes:
    data = good("PNG")
    return _patched(data, data.index(b"IDAT") - 4, ">I", chance.choice(_SIZES))


@hostile(_MAY_BE_READ)
def jpeg_of_absurd_size(chance: random.Random) -> bytes:
    data = good("JPEG")
    at = data.index(b"\xff\xc0") + 5
    return _patched(data, at, ">HH", chance.choice(_SIZES[:5]), chance.choice(_SIZES[:5]))


@hostile(_MAY_BE_READ)
def jpeg_with_segment_of_absurd_length(chance: random.Random) -> bytes:
    data = good("JPEG")
    marker = chance.choice([b"\xff\xe0", b"\xff\xdb", b"\xff\xc0", b"\xff\xc4", b"\xff\xda"])
    return _patched(data, data.index(marker) + 2, ">H", chance.choice(_SIZES[:5]))


@hostile(_MAY_BE_READ, suffix=".gif")
def gif_of_absurd_size(chance: random.Random) -> bytes:
    data = _patched(good("GIF"), 6, "<HH", chance.choice(_SIZES[:5]), chance.choice(_SIZES[:5]))
    return _patched(
        data, data.index(b"\x2c\0\0\0\0") + 5, "<HH", 0xFFFF, chance.choice((1, 0xFFFF))
    )


@hostile(_MAY_BE_READ | NO_FORMAT, suffix=".bmp")
def bmp_of_absurd_size(chance: random.Random) -> bytes:
    width, height = chance.choice(_SIZES), chance.choice([*_SIZES, 2**32 - 32])
    return _patched(good("BMP"), 18, "<II", width, height)


@hostile(_MAY_BE_READ | NO_FORMAT, suffix=".bmp")
def bmp_with_absurd_header(chance: random.Random) -> bytes:
    at = chance.choice((2, 10, 14, 28, 30, 34, 46))
    return _patched(good("BMP"), at, "<I", chance.choice(_SIZES))


@hostile(_MAY_BE_READ, suffix=".webp")
def webp_of_absurd_size(chance: random.Random) -> bytes:
    body = good("WEBP")[12:]
    size = (2**24 - 1).to_bytes(3, "little") + chance.choice((0, 2**24 - 1)).to_bytes(3, "little")
    extended = b"VP8X" + struct.pack("<I4B", 10, chance.randrange(64), 0, 0, 0) + size
    return b"RIFF" + struct.pack("<I", 4 + len(extended + body)) + b"WEBP" + extended + body


@hostile(_MAY_BE_READ, suffix=".webp")
def webp_with_chunk_of_absurd_length(chance: random.Random) -> bytes:
    return _patched(good("WEBP"), chance.choice((4, 16)), "<I", chance.choice(_SIZES))


@hostile(_MAY_BE_READ | NO_FORMAT, suffix=".avif")
def avif_with_box_of_absurd_length(chance: random.Random) -> bytes:
    data = good("AVIF")
    box = chance.choice((b"ftyp", b"meta", b"iloc", b"iinf", b"iprp", b"ipco", b"ispe", b"mdat"))
    return _patched(data, data.index(box) - 4, ">I", chance.choice(_SIZES))


@hostile(_MAY_BE_READ, suffix=".avif")
def avif_of_absurd_size(chance: random.Random) -> bytes:
    data = good("AVIF")
    return _patched(data, data.index(b"ispe") + 8, ">II", chance.choice(_SIZES), 0xFFFF)


@hostile(_UNSUPPORTED)
def foreign_picture_named_jpg(chance: random.Random) -> bytes:
    heads = (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%stdin) run\n",
        b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30_000, 30_000, 8, 3),
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b"<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><svg>&b;</svg>",
        b"\x00\x00\x00\x0cjP  \r\n\x87\n" + noise(chance, 99),
        b"P6\n99999 99999\n255\n",
        b"gimp xcf v011\0" + noise(chance, 99),
        b"qoif" + struct.pack(">IIBB", 2**32 - 1, 2**32 - 1, 4, 0),
        b"v/1\x01" + noise(chance, 99),
        b"icns" + struct.pack(">I", 2**32 - 1),
        b"DDS \x7c\0\0\0" + noise(chance, 120),
    )
    return chance.choice(heads)


@hostile(_UNSUPPORTED, suffix=".ico")
def icon_within_itself(chance: random.Random) -> bytes:
    count = chance.choice((1, 255, 65535))
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, 2**32 - 1, 0)
    return struct.pack("<HHH", 0, 1, count) + entry * min(count, 300)


@hostile(_NO_PICTURE)
def no_picture_named_jpg(chance: random.Random) -> bytes:
    heads = (
        b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n",
        b"\x7fELF\x02\x01\x01" + noise(chance, 60),
        b"MZ" + noise(chance, 60),
        b"#!/bin/sh\nrm -rf /\n",
        b"<!doctype html><script>alert(1)</script>",
        b"PK\x03\x04" + noise(chance, 60),
        b"\0asm\1\0\0\0",
        b"BM and other brands of cars, a text",
        b"\x1b]0;title\x07\x1b[2J",
        b"push graphic-context\nviewbox 0 0 1 1\nfill 'url(https://127.0.0.1/|ls \"-la)'\n",
    )
    return chance.choice(heads)


@hostile(NEEDS_EXTRA | REFUSED | READ, suffix=".heic")
def heif_without_content(chance: random.Random) -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + noise(chance, chance.randrange(200))


@hostile(NEEDS_EXTRA | REFUSED | READ, suffix=".jxl")
def jxl_without_content(chance: random.Random) -> bytes:
    start = chance.choice((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"))
    return start + noise(chance, chance.randrange(200))


@hostile(NEEDS_EXTRA | REFUSED | READ | _UNSUPPORTED, suffix=".nef")
def raw_without_content(chance: random.Random) -> bytes:
    start = chance.choice(
        (b"FUJIFILMCCD-RAW ", b"IIRO", b"IIU\0", b"FOVb", b"II*\0\x10\0\0\0CR\2\0")
    )
    return start + noise(chance, chance.randrange(200))


@hostile(READ)
def zip_behind_a_jpeg(chance: random.Random) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        # Without the date, which would be now.
        archive.writestr(zipfile.ZipInfo("../../evil.sh"), noise(chance, 100))
    return good("JPEG", chance.randrange(4)) + packed.getvalue()


@hostile(_MAY_BE_READ, suffix=".gif")
def html_in_a_gif(chance: random.Random) -> bytes:
    data = good("GIF", chance.randrange(4))
    script = b"GIF89a/*" + data[8:] + b"*/=1;alert(1)//<script>alert(2)</script>"
    comment = b"\x21\xfe\x1c<script>alert(1)</script>\0\0\0\0"
    return chance.choice((script, data[:-1] + comment + b";"))


@hostile(_NO_PICTURE, suffix=".pdf.jpg")
def jpeg_in_a_pdf(chance: random.Random) -> bytes:
    return b"%PDF-1.4\nstream\n" + good("JPEG", chance.randrange(4)) + b"\nendstream\n%%EOF"

"""Small files that ask for much: memory, time, or turns in a circle."""

from __future__ import annotations

import random
import struct
import zlib

from PIL import Image

from pspd.core.model import FailureReason as Reason
from tests.features.samples import encode, png_chunk, scene
from tests.reliability.hostile.classes import READ, REFUSED, flat, good, hostile

_COSTLY = REFUSED | READ | {Reason.OUT_OF_MEMORY}
_MAY_BE_READ = REFUSED | READ
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_FRAMES = 100_000
_PART = 1 << 20
_ADLER = 65_521
"""What Adler-32 counts modulo: of zeros, its upper half is their number and its lower half 1."""
_LAST_BLOCK = b"\x03\x00"
"""An empty block of deflate that says it is the last."""


def _packed_zeros(count: int) -> bytes:
    """Return what zlib makes of so many zeros, of which it packs two parts only.

    A full flush makes each part independent of the one before, so that it can be repeated.
    """
    packer = zlib.compressobj(9)
    first = packer.compress(bytes(count % _PART)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(_PART)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">HH", count % _ADLER, 1)
    return first + again * (count // _PART) + _LAST_BLOCK + checksum


def _with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """Put chunks behind the header of a PNG."""
    return data[:33] + b"".join(chunks) + data[33:]


@hostile(_COSTLY, suffix=".png", rarity=60)
def png_of_many_equal_pixels(chance: random.Random) -> bytes:
    mode, most = chance.choice((("1", 89), ("L", 60), ("RGB", 40), ("RGBA", 25)))
    return flat(mode, 9000, chance.randrange(1, most * 1_000_000 // 9000), "PNG")


@hostile(frozenset({Reason.TOO_BIG}), suffix=".png", rarity=20)
def png_above_the_limit(chance: random.Random) -> bytes:
    header = struct.pack(">IIBBBBB", 9_500, chance.randrange(9_500, 60_000), 1, 0, 0, 0, 0)
    rows = _packed_zeros(1_000_000)
    return _PNG + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


@hostile(_MAY_BE_READ, suffix=".png", rarity=10)
def png_with_more_data_than_pixels(chance: random.Random) -> bytes:
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    rows = _packed_zeros(chance.randrange(1, 64) << 20)
    return _PNG + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


@hostile(_COSTLY, suffix=".png", rarity=10)
def png_with_text_bomb(chance: random.Random) -> bytes:
    packed = _packed_zeros(chance.randrange(1, 64) << 20)
    kinds = {b"zTXt": b"Comment\0\0", b"iTXt": b"Comment\0\1\0\0\0"}
    kind = chance.choice(list(kinds))
    return _with_chunks(good("PNG"), png_chunk(kind, kinds[kind] + packed))


@hostile(_COSTLY, suffix=".png", rarity=10)
def png_with_profile_bomb(chance: random.Random) -> bytes:
    packed = _packed_zeros(chance.randrange(1, 64) << 20)
    return _with_chunks(good("PNG"), png_chunk(b"iCCP", b"profile\0\0" + packed))


@hostile(_MAY_BE_READ, suffix=".png", rarity=20)
def png_with_many_chunks(chance: random.Random) -> bytes:
    text = png_chunk(b"tEXt", b"Key\0value")
    return _with_chunks(good("PNG"), text * chance.randrange(1, 50_000))


@hostile(_COSTLY, suffix=".png", rarity=60)
def apng_with_many_frames(chance: random.Random) -> bytes:
    count = chance.choice((1000, 10_000, _MOST_FRAMES))
    control = b"".join(
        png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", each, 48, 32, 0, 0, 1, 10, 0, 0))
        for each in range(count)
    )
    animation = png_chunk(b"acTL", struct.pack(">II", chance.choice((count, 2**31 - 1)), 0))
    return _with_chunks(good("PNG"), animation, control)


@hostile(_MAY_BE_READ, suffix=".gif", rarity=60)
def gif_with_many_frames(chance: random.Random) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + bytes(6)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return head + frame * chance.choice((1000, 10_000, _MOST_FRAMES)) + b";"


@hostile(_COSTLY, suffix=".gif", rarity=60)
def gif_with_huge_canvas(chance: random.Random) -> bytes:
    width, height = chance.choice(((65_000, 1_300), (9_000, 9_000), (65_535, 65_535)))
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return head + frame + b";"


@hostile(_COSTLY, suffix=".gif", rarity=60)
def gif_whose_frames_enlarge_the_canvas(chance: random.Random) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    side = chance.choice((9_000, 65_535))
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x44\x01\0"
    return head + frame * 2 + b";"


@hostile(_COSTLY, suffix=".webp", rarity=60)
def webp_of_many_equal_pixels(chance: random.Random) -> bytes:
    return flat("RGB", 4000, chance.randrange(100, 4000), "WEBP", lossless=True, method=0)


@hostile(_COSTLY, suffix=".webp", rarity=60)
def webp_with_many_frames(chance: random.Random) -> bytes:
    frames = [Image.new("RGB", (16, 16), (each, 0, 0)) for each in range(chance.choice((10, 250)))]
    return encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], method=0)


@hostile(_COSTLY | {Reason.TIMEOUT}, suffix=".webp", rarity=240)
def webp_of_as_many_pixels_as_can_be(_: random.Random) -> bytes:
    """Of one colour: what is said once of a channel takes no bit of a pixel."""
    return bytes.fromhex(
        "52494646 1a000000 57454250 5650384c 0d000000 2ffeff4515071011118888fe0700"
    )


@hostile(_COSTLY | {Reason.TIMEOUT}, suffix=".tif", rarity=240)
def tiff_of_as_many_floats_as_can_be(_: random.Random) -> bytes:
    """In strips that all lie at the same place."""
    rows, strips = 100, 94
    strip = _packed_zeros(4 * 9_400 * rows)
    places = struct.pack(f"<{strips}I", *[8] * strips)
    lengths = struct.pack(f"<{strips}I", *[len(strip)] * strips)
    places_at = 8 + len(strip)
    entries = (
        *((256, 4, 1, 9_400), (257, 4, 1, rows * strips), (258, 3, 1, 32), (259, 3, 1, 8)),
        *((262, 3, 1, 1), (273, 4, strips, places_at), (277, 3, 1, 1), (278, 4, 1, rows)),
        *((279, 4, strips, places_at + len(places)), (339, 3, 1, 3)),
    )
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    head = b"II*\0" + struct.pack("<I", places_at + len(places) + len(lengths))
    return head + strip + places + lengths + directory


@hostile(_COSTLY | {Reason.TIMEOUT}, suffix=".png", rarity=240)
def png_of_as_many_pixels_as_can_be(_: random.Random) -> bytes:
    header = struct.pack(">IIBBBBB", 9_400, 9_400, 8, 6, 0, 0, 0)
    rows = _packed_zeros(9_400 * (1 + 4 * 9_400))
    return _PNG + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


@hostile(_COSTLY, suffix=".bmp", rarity=60)
def bmp_of_runs(chance: random.Random) -> bytes:
    width, height = 8_000, chance.choice((10, 1_000, 8_000))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 0, 0, 0, 2, 0)
    runs = (b"\xff\x01" * 20 + b"\0\0") * chance.randrange(20) + b"\0\2\xff\xff" * 100 + b"\0\1"
    offset = 14 + len(header) + 8
    return b"BM" + struct.pack("<IHHI", offset + len(runs), 0, 0, offset) + header + bytes(8) + runs


@hostile(_COSTLY, suffix=".tif", rarity=60)
def tiff_of_many_equal_pixels(chance: random.Random) -> bytes:
    compression = chance.choice(("tiff_deflate", "packbits", "tiff_lzw"))
    return flat("L", 8_000, chance.randrange(100, 8_000), "TIFF", compression=compression)


@hostile(_COSTLY, rarity=60)
def jpeg_of_many_equal_pixels(chance: random.Random) -> bytes:
    mode = chance.choice(("L", "RGB", "CMYK"))
    return flat(
        mode, 8_000, chance.randrange(100, 8_000), "JPEG", progressive=chance.random() < 0.5
    )


@hostile(_COSTLY, suffix=".avif", rarity=120)
def avif_of_many_equal_pixels(chance: random.Random) -> bytes:
    return flat("RGB", 2000, chance.randrange(100, 2000), "AVIF", speed=10)


@hostile(_MAY_BE_READ, rarity=20)
def jpeg_with_many_scans(chance: random.Random) -> bytes:
    data = encode(scene(64, 48), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * chance.choice((50, 99, 1_000)) + b"\xff\xd9"


@hostile(_COSTLY, rarity=120)
def large_jpeg_with_many_scans(chance: random.Random) -> bytes:
    data = flat("L", 4_000, 4_000, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * chance.choice((10, 80, 1_000)) + b"\xff\xd9"

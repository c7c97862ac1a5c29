"""First bytes of a file → the picture format it is in; the name of a file decides nothing.

Three kinds of formats: those the base install reads, those an optional package reads (an extra of
the distribution), and well-known ones that PSP does not read but can call by their name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from pspd.core.model import FailureReason
from pspd.errors import FileFailure

BASE_FORMATS: Final = frozenset({"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"})
"""Read by Pillow as its wheels come."""

EXTRAS: Final = {"HEIF": "heic", "JXL": "jxl", "RAW": "raw"}
"""Format → the extra of the distribution that reads it."""

_MAGIC: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\xff\x0a", "JXL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JXL"),
    # Camera RAW with a beginning of its own; the ones that are TIFF inside: `_is_raw_tiff`.
    (b"FUJIFILMCCD-RAW", "RAW"),
    (b"IIRO", "RAW"),
    (b"IIRS", "RAW"),
    (b"MMOR", "RAW"),
    (b"IIU\x00", "RAW"),
    (b"\x00MRM", "RAW"),
    (b"FOVb", "RAW"),
    # Not read, but worth a name.
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II\xbc\x01", "JPEG XR"),
    (b"8BPS", "PSD"),
    (b"gimp xcf", "XCF"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"%!PS", "EPS"),
    (b"DDS ", "DDS"),
    (b"qoif", "QOI"),
    (b"icns", "ICNS"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"#?RGBE", "Radiance HDR"),
    (b"SIMPLE  =", "FITS"),
    (b"SDPX", "DPX"),
    (b"XPDS", "DPX"),
    (b"FLIF", "FLIF"),
    (b"BPG\xfb", "BPG"),
    (b"AT&TFORM", "DjVu"),
    (b"\x8aMNG\r\n\x1a\n", "MNG"),
    (b"\x8bJNG\r\n\x1a\n", "JNG"),
    (b"\x59\xa6\x6a\x95", "Sun Raster"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"/* XPM */", "XPM"),
)

_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIF_BRANDS: Final = frozenset(
    {
        *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
        *(b"mif1", b"mif2", b"msf1"),
    }
)

_BMP_HEADER_SIZES: Final = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
"""Of BITMAPCOREHEADER to BITMAPV5HEADER; a text that begins with "BM" has none of them."""

_TIFF_MAGIC: Final = {b"II*\x00": "<", b"MM\x00*": ">"}
_BIG_TIFF_MAGIC: Final = (b"II+\x00", b"MM\x00+")

_TYPE_SHORT: Final = 3
_TAG_PHOTOMETRIC: Final = 262
_TAG_SUB_IFDS: Final = 330
_TAG_DNG_VERSION: Final = 50706
_SENSOR_PHOTOMETRICS: Final = frozenset({32803, 34892})
"""Colour filter array and linear raw (TIFF/EP, DNG 1.7): only camera RAW has them."""


def sniff(data: bytes) -> str | None:
    """Name the picture format that `data` begins like, or None if it begins like none.

    Names are Pillow's for what PSP reads ("MPO" is "JPEG"), "RAW" for every camera's own format.
    """
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _sniff_iso_media(data)
    if data[:4] in _TIFF_MAGIC:
        return "RAW" if _is_raw_tiff(data) else "TIFF"
    if data[:4] in _BIG_TIFF_MAGIC:
        return "TIFF"
    return _sniff_weak(data)


def require_readable(data: bytes) -> str:
    """Name the format of `data`, one that PSP reads, with an extra or without.

    Raises:
        FileFailure: `not_a_picture` or `unsupported`.
    """
    name = sniff(data)
    if name is None:
        what = "the file is empty" if not data else "no picture format begins like this file"
        raise FileFailure(FailureReason.NOT_A_PICTURE, what)
    if name not in BASE_FORMATS and name not in EXTRAS:
        raise FileFailure(FailureReason.UNSUPPORTED, f"PSP does not read {name} pictures")
    return name


def _sniff_iso_media(data: bytes) -> str | None:
    length = min(int.from_bytes(data[:4], "big"), 4096)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, length - 3, 4))}
    if data[8:12] == b"crx ":
        return "RAW"
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def _sniff_weak(data: bytes) -> str | None:
    """Try the formats whose first bytes are few, each with a second look."""
    head = data[:64]
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return "BMP"
    if head[:4] in {b"\x00\x00\x01\x00", b"\x00\x00\x02\x00"} and head[9:10] == b"\x00":
        # Type 1 or 2, a reserved byte of the first entry, and at least one entry.
        return "ICO" if head[4:6] not in {b"", b"\x00\x00"} else None
    if head[:1] == b"P" and head[1:2] in b"1234567fF" and head[2:3] in b" \t\r\n" and head[3:]:
        return "PPM"
    if head[:1] == b"\x0a" and head[1:2] in b"\x00\x02\x03\x04\x05" and head[2:3] == b"\x01":
        return "PCX"
    if head[:2] == b"\x01\xda" and head[2:4] in {
        b"\x00\x01",
        b"\x00\x02",
        b"\x01\x01",
        b"\x01\x02",
    }:
        return "SGI"
    if head[:4] == b"\x01\x00\x00\x00" and head[40:44] == b" EMF":
        return "EMF"
    if data[-18:-2] == b"TRUEVISION-XFILE":
        return "TGA"
    return "SVG" if _is_svg(data) else None


def _is_svg(data: bytes) -> bool:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<svg") or (head.startswith((b"<?xml", b"<!--")) and b"<svg" in head)


def _is_raw_tiff(data: bytes) -> bool:
    """Say whether a TIFF is a camera's RAW: DNG, CR2, NEF, ARW, PEF, SRW, 3FR and kin.

    A photograph exported as TIFF names its camera too, so the maker's tag proves nothing; sensor
    data in the first directory or one of its children does.
    """
    if data[8:10] == b"CR":
        return True
    order = _TIFF_MAGIC[data[:4]]
    first = dict(_directory(data, order, *struct.unpack_from(order + "I", data.ljust(8, b"\0"), 4)))
    if _TAG_DNG_VERSION in first:
        return True
    count, where = first.get(_TAG_SUB_IFDS, (0, 0))
    children = (where,) if count == 1 else _offsets(data, order, where, min(count, 16))
    directories = [first, *(dict(_directory(data, order, child)) for child in children)]
    return any(
        entries.get(_TAG_PHOTOMETRIC, (0, 0))[1] in _SENSOR_PHOTOMETRICS for entries in directories
    )


def _directory(data: bytes, order: str, start: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield (tag, (count, value or offset)) of the image file directory at `start`."""
    if start + 2 > len(data):
        return
    (entries,) = struct.unpack_from(order + "H", data, start)
    for at in range(start + 2, min(start + 2 + 12 * entries, len(data) - 11), 12):
        tag, kind, count = struct.unpack_from(order + "HHI", data, at)
        is_short = kind == _TYPE_SHORT and count == 1
        (value,) = struct.unpack_from(order + ("H" if is_short else "I"), data, at + 8)
        yield tag, (count, value)


def _offsets(data: bytes, order: str, where: int, count: int) -> tuple[int, ...]:
    if where + 4 * count > len(data):
        return ()
    return struct.unpack_from(f"{order}{count}I", data, where)

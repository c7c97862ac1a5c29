from __future__ import annotations

import struct

import pytest
from PIL import Image

from pspd.core.model import FailureReason
from pspd.errors import FileFailure
from pspd.features.formats import require_readable, sniff
from tests.features.samples import encode, scene

PIXELS = scene(40, 30)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_a_base_format_is_told_by_its_first_bytes(name: str) -> None:
    assert sniff(encode(PIXELS, name)) == name


def test_several_pictures_in_one_jpeg_are_a_jpeg() -> None:
    pages = [Image.fromarray(PIXELS), Image.fromarray(PIXELS[::-1].copy())]
    assert sniff(encode(pages[0], "MPO", save_all=True, append_images=pages[1:])) == "JPEG"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\xff\x0a\x38\x01", "JXL"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JXL"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIF"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "HEIF"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif", "AVIF"),
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", "RAW"),
        (b"FUJIFILMCCD-RAW 0201", "RAW"),
        (b"IIRO\x08\x00\x00\x00", "RAW"),
        (b"IIU\x00\x18\x00\x00\x00", "RAW"),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00", "RAW"),
        (b"II+\x00\x08\x00\x00\x00", "TIFF"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00", "ICO"),
        (b"8BPS\x00\x01", "PSD"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "EPS"),
        (b"gimp xcf v011", "XCF"),
        (b"P6\n2 2\n255\n", "PPM"),
        (b"\x0a\x05\x01\x08", "PCX"),
        (b"\x01\xda\x01\x01\x00\x03", "SGI"),
        (b"DDS \x7c\x00\x00\x00", "DDS"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (bytes(20) + b"TRUEVISION-XFILE.\x00", "TGA"),
    ],
)
def test_other_formats_are_told_by_their_first_bytes(head: bytes, name: str) -> None:
    assert sniff(head) == name


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"BMW is a maker of cars",
        b"MZ\x90\x00",
        b"PK\x03\x04",
        b"%PDF-1.7",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42",
        b"<html>not a picture</html>",
        b"P6",
        bytes(64),
    ],
)
def test_what_is_no_picture_has_no_format(data: bytes) -> None:
    assert sniff(data) is None
    with pytest.raises(FileFailure) as failure:
        require_readable(data)
    assert failure.value.reason == FailureReason.NOT_A_PICTURE


def test_a_known_format_that_is_not_read_is_called_by_its_name() -> None:
    with pytest.raises(FileFailure, match="PSD") as failure:
        require_readable(b"8BPS\x00\x01")
    assert failure.value.reason == FailureReason.UNSUPPORTED


def _tiff(order: str, *entries: tuple[int, int, int, int]) -> bytes:
    magic = b"II*\x00" if order == "<" else b"MM\x00*"
    body = b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
    return magic + struct.pack(order + "IH", 8, len(entries)) + body + bytes(4)


def test_a_dng_is_raw_though_it_begins_like_a_tiff() -> None:
    assert sniff(_tiff("<", (50706, 1, 4, 0x00000401))) == "RAW"


def test_sensor_data_in_a_child_directory_makes_a_tiff_raw() -> None:
    parent = _tiff(">", (330, 4, 1, 26))
    child = struct.pack(">HHHIHH", 1, 262, 3, 1, 32803, 0) + bytes(4)
    assert sniff(parent + child) == "RAW"


def test_a_tiff_that_names_a_camera_stays_a_tiff() -> None:
    assert sniff(encode(PIXELS, "TIFF", tiffinfo={271: "NIKON"})) == "TIFF"


def test_directories_that_lie_outside_the_file_are_no_trouble() -> None:
    assert sniff(b"II*\x00\xff\xff\xff\xff") == "TIFF"
    assert sniff(b"II*\x00") == "TIFF"
    assert sniff(_tiff("<", (330, 4, 0xFFFFFFFF, 0xFFFFFFFF))) == "TIFF"

"""Containers with too much beside the pixels are refused before a decoder sees them."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from pspd.core.model import FailureReason, Limits
from pspd.errors import FileFailure
from pspd.features.extract import extract
from pspd.features.segments import check_segments

BEGINNINGS = {
    "JPEG": b"\xff\xd8\xff",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "WEBP": b"RIFF\0\0\0\0WEBP",
    "GIF": b"GIF89a",
}


def encoded(format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, format, **options)
    return file.getvalue()


def refusal(data: bytes, **limits: int) -> str:
    with pytest.raises(FileFailure) as caught:
        extract(data, replace(Limits(), **limits))
    assert caught.value.reason == FailureReason.TOO_BIG
    return str(caught.value)


def test_scans_above_the_limit_are_refused() -> None:
    data = encoded("JPEG", progressive=True)
    assert "max_scans" in refusal(data, max_scans=5)
    assert extract(data, Limits(max_scans=10)).format == "JPEG"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_segments_and_metadata_above_the_limits_are_refused(format: str) -> None:
    data = encoded(format, exif=b"Exif\0\0" + bytes(5000), icc_profile=bytes(5000))
    assert "max_metadata" in refusal(data, max_metadata=5000)
    assert "max_segments" in refusal(data, max_segments=1)
    assert extract(data, Limits(max_metadata=20_000, max_segments=1000)).width == 256


def test_pixels_of_a_png_are_no_metadata() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 3000)
    assert "max_metadata" in refusal(encoded("PNG", pnginfo=text), max_metadata=3000)
    noise = io.BytesIO()
    Image.effect_noise((200, 200), 90).save(noise, "PNG")
    assert len(noise.getvalue()) > 3000
    assert extract(noise.getvalue(), Limits(max_metadata=10)).width == 200


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_frames_above_the_limit_are_refused(format: str) -> None:
    frames = [Image.new("RGB", (256, 256), (40 * each, 0, 0)) for each in range(5)]
    data = encoded(format, save_all=True, append_images=frames)
    assert "max_frames" in refusal(data, max_frames=5)
    assert extract(data, Limits(max_frames=6)).frames == 6


@given(st.sampled_from(sorted(BEGINNINGS)), st.binary(max_size=500), st.integers(1, 20))
def test_any_bytes_pass_or_are_too_big(format: str, rest: bytes, most: int) -> None:
    limits = Limits(max_scans=most, max_segments=most, max_metadata=most)
    try:
        check_segments(format, BEGINNINGS[format] + rest, limits)
    except FileFailure as failure:
        assert failure.reason == FailureReason.TOO_BIG  # noqa: PT017 - either end is right

"""The walk over a JPEG's markers: what it counts, and that no bytes can make it fail or linger."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pspd.features.jpeg_markers import JpegMarkersError, read_markers


def _jpeg(**options: object) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "JPEG", **options)
    return file.getvalue()


def test_a_baseline_jpeg_has_one_scan_and_its_end() -> None:
    markers = read_markers(_jpeg())
    assert (markers.scans, markers.has_end, markers.is_whole) == (1, True, True)


def test_the_scans_of_a_progressive_jpeg_are_counted() -> None:
    assert read_markers(_jpeg(progressive=True)).scans == 6


def test_what_follows_the_end_of_image_belongs_to_another_picture() -> None:
    assert read_markers(_jpeg() + _jpeg(progressive=True)).scans == 1


def test_a_thumbnail_inside_the_metadata_is_no_scan() -> None:
    thumbnail = _jpeg(progressive=True)
    data = _jpeg(exif=b"Exif\x00\x00" + thumbnail)
    assert read_markers(data).scans == 1
    assert read_markers(data).metadata_bytes >= len(thumbnail)


def test_a_cut_jpeg_has_no_end() -> None:
    assert not read_markers(_jpeg()[:-2]).has_end


def test_counting_stops_one_above_the_limits() -> None:
    many_scans = b"\xff\xd8" + b"\xff\xda\x00\x02" * 500 + b"\xff\xd9"
    markers = read_markers(many_scans, most_scans=100)
    assert (markers.scans, markers.is_whole) == (101, False)
    comments = b"\xff\xd8" + b"\xff\xfe\x00\x02" * 500
    markers = read_markers(comments, most_segments=100)
    assert (markers.segments, markers.is_whole) == (101, False)


def test_what_is_no_jpeg_is_said_to_be_none() -> None:
    with pytest.raises(JpegMarkersError):
        read_markers(b"\x89PNG\r\n\x1a\n")


@given(st.binary(max_size=2000))
def test_any_bytes_behind_the_beginning_give_counts_that_fit_in_them(rest: bytes) -> None:
    markers = read_markers(b"\xff\xd8" + rest)
    assert 0 <= markers.scans <= markers.segments <= len(rest) // 2
    assert 0 <= markers.metadata_bytes <= len(rest)


@given(
    st.lists(st.sampled_from([b"\xff", b"\xda", b"\x00", b"\xfe", b"\x02", b"\xd9"]), max_size=99)
)
def test_rows_of_markers_give_counts_that_fit_in_them(parts: list[bytes]) -> None:
    rest = b"".join(parts)
    markers = read_markers(b"\xff\xd8" + rest, most_scans=5, most_segments=9)
    assert markers.scans <= 6
    assert markers.segments <= 10
    assert markers.metadata_bytes <= len(rest)

"""Bytes of a JPEG → what its markers claim, in time bounded by the limits given, without a decoder.

A JPEG is a row of segments (ITU-T T.81, annex B): 0xFF, a marker, and mostly a length. What lies
between a scan and the next marker is entropy-coded data, in which 0xFF is followed by a zero or a
restart marker. So two steps are enough, and are libjpeg's own: skip to the next marker, skip its
segment. Damage ends nothing: a decoder goes on at the next marker, and so does this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

MAX_SEGMENTS: Final = 20_000
"""Segments looked at. An EXIF block takes one, a colour profile up to 255, metadata with a depth
map inside some thousands; 256 MiB of empty comments would keep Python busy for half a minute."""

_START: Final = b"\xff\xd8"
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")
"""Passes over stuffed zeros, fill bytes, and the markers that stand alone: TEM, restarts, start."""


class Marker(IntEnum):
    """Second byte of a marker, of those that matter here (T.81, table B.1)."""

    PROGRESSIVE_FRAME = 0xC2
    HUFFMAN_TABLES = 0xC4
    END = 0xD9
    SCAN = 0xDA
    QUANTIZATION_TABLES = 0xDB
    RESTART_INTERVAL = 0xDD
    COMMENT = 0xFE


APPLICATION: Final = range(0xE0, 0xF0)
"""Markers of segments that are an application's own: EXIF, colour profiles, previews."""


class JpegMarkersError(ValueError):
    """The bytes do not begin as a JPEG does."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker and the segment behind it; entropy-coded data may follow a scan's."""

    marker: int
    """Its second byte."""
    start: int
    """Where the marker begins; of fill bytes before it, the last."""
    body: int
    """Where the segment begins, behind its length."""
    end: int
    """Where it ends, by its length; the file may end before."""


@dataclass(frozen=True, slots=True)
class JpegMarkers:
    """What stands in a JPEG up to its first end of image; what follows is another picture's."""

    scans: int
    """Start-of-scan markers: 1 when baseline, about 10 when progressive."""
    segments: int
    """Markers with a segment, scans among them."""
    metadata_bytes: int
    """Bytes of application segments and comments: EXIF, XMP, colour profile, previews."""
    has_end: bool
    """Whether the end-of-image marker is there."""
    is_whole: bool
    """Whether all was looked at; False when a limit ended it, which one shows in the counts."""


def read_markers(
    data: bytes, *, most_scans: int = MAX_SEGMENTS, most_segments: int = MAX_SEGMENTS
) -> JpegMarkers:
    """Walk the markers of a JPEG.

    Args:
        data: The whole file, of which nothing is believed.
        most_scans: Look no further after one scan more.
        most_segments: Look no further after one segment more.

    Returns:
        Counts, each at most one above its limit.

    Raises:
        JpegMarkersError: `data` does not begin with the start-of-image marker. Nothing else is
            raised, whatever the bytes.
    """
    scans = segments_ = metadata_bytes = 0
    has_end = False
    for segment in segments(data):
        has_end = segment.marker == Marker.END
        if has_end:
            break
        segments_ += 1
        scans += segment.marker == Marker.SCAN
        if segment.marker == Marker.COMMENT or segment.marker in APPLICATION:
            metadata_bytes += min(segment.end, len(data)) - segment.body + 2
        if scans > most_scans or segments_ > most_segments:
            break
    is_whole = scans <= most_scans and segments_ <= most_segments
    return JpegMarkers(scans, segments_, metadata_bytes, has_end, is_whole)


def segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of a JPEG up to its first end of image, which is the last if it is there.

    Raises:
        JpegMarkersError: `data` does not begin with the start-of-image marker. Nothing else is
            raised, whatever the bytes.
    """
    if not data.startswith(_START):
        raise JpegMarkersError("no start-of-image marker at the beginning")
    position = len(_START)
    while (found := _NEXT_MARKER.search(data, position)) is not None:
        marker, behind = data[found.start() + 1], found.end()
        if marker == Marker.END:
            yield Segment(marker, found.start(), behind, behind)
            return
        # The length counts its own two bytes; libjpeg takes a smaller one as an empty segment.
        position = behind + max(2, int.from_bytes(data[behind : behind + 2], "big"))
        yield Segment(marker, found.start(), behind + 2, position)

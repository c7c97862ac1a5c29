"""Bytes of a JPEG → what its markers claim, in time bounded by the limits given, without a decoder.

A JPEG is a row of segments (ITU-T T.81, annex B): 0xFF, a marker, and mostly a length. What lies
between a scan and the next marker is entropy-coded data, in which 0xFF is followed by a zero or a
restart marker. So two steps are enough, and are libjpeg's own: skip to the next marker, skip its
segment. Damage ends nothing: a decoder goes on at the next marker, and so does this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_SEGMENTS: Final = 20_000
"""Segments looked at. An EXIF block takes one, a colour profile up to 255, metadata with a depth
map inside some thousands; 256 MiB of empty comments would keep Python busy for half a minute."""

_START: Final = b"\xff\xd8"
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")
"""Passes over stuffed zeros, fill bytes, and the markers that stand alone: TEM, restarts, start."""

_END_OF_IMAGE: Final = 0xD9
_START_OF_SCAN: Final = 0xDA
_COMMENT: Final = 0xFE
_APPLICATION: Final = range(0xE0, 0xF0)


class JpegMarkersError(ValueError):
    """The bytes do not begin as a JPEG does."""


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
    if not data.startswith(_START):
        raise JpegMarkersError("no start-of-image marker at the beginning")
    scans = segments = metadata_bytes = 0
    has_end = False
    position = len(_START)
    while scans <= most_scans and segments <= most_segments:
        found = _NEXT_MARKER.search(data, position)
        has_end = found is not None and data[found.start() + 1] == _END_OF_IMAGE
        if found is None or has_end:
            break
        marker = data[found.start() + 1]
        # The length counts its own two bytes; libjpeg takes a smaller one as an empty segment.
        length = max(2, int.from_bytes(data[found.end() : found.end() + 2], "big"))
        segments += 1
        scans += marker == _START_OF_SCAN
        if marker == _COMMENT or marker in _APPLICATION:
            metadata_bytes += min(length, len(data) - found.end())
        position = found.end() + length
    is_whole = scans <= most_scans and segments <= most_segments
    return JpegMarkers(scans, segments, metadata_bytes, has_end, is_whole)

"""What a picture carries beside its pixels, counted from its container before a decoder sees it.

JPEG has segments, PNG and WebP have chunks. Too many of them keep the decoders' own parsers busy,
which are Python; metadata too large fill the memory. No bytes make this raise anything but a
`FileFailure`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from pspd.core.model import FailureReason, Limits
from pspd.errors import FileFailure
from pspd.features.jpeg_markers import read_markers

_PNG_SIGNATURE_BYTES: Final = 8
_PNG_CHUNK_EXTRA_BYTES: Final = 12
"""Length, type and checksum."""
_PNG_ANCILLARY: Final = 0x20
"""The bit of a type's first letter (PNG, third edition, section 5.4)."""
_PNG_ANIMATION: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})
_RIFF_HEADER_BYTES: Final = 12
_RIFF_CHUNK_EXTRA_BYTES: Final = 8
_WEBP_METADATA: Final = frozenset({b"ICCP", b"EXIF", b"XMP "})


def check_segments(format: str, data: bytes, limits: Limits) -> None:
    """Refuse a picture with too many scans or segments, or too large metadata.

    Args:
        format: As `pspd.features.formats.sniff` says.
        data: The whole file.
        limits: Of which `max_scans`, `max_segments` and `max_metadata` count here.

    Raises:
        FileFailure: `too_big`; the message names the limit.
    """
    if format == "JPEG":
        markers = read_markers(data, most_scans=limits.max_scans, most_segments=limits.max_segments)
        _require(markers.scans <= limits.max_scans, format, "scans", "max_scans", limits)
        count, metadata = markers.segments, markers.metadata_bytes
    elif format in {"PNG", "WEBP"}:
        chunks = _png_chunks(data) if format == "PNG" else _riff_chunks(data)
        count = metadata = 0
        for is_metadata, size in islice(chunks, limits.max_segments + 1):
            count += 1
            metadata += size if is_metadata else 0
    else:
        return
    _require(count <= limits.max_segments, format, "segments", "max_segments", limits)
    is_small = metadata <= limits.max_metadata
    _require(is_small, format, "bytes of metadata", "max_metadata", limits)


def check_frames(format: str, frames: int, limits: Limits) -> None:
    """Refuse a picture of too many frames or pages.

    Raises:
        FileFailure: `too_big`.
    """
    _require(frames <= limits.max_frames, format, "frames", "max_frames", limits)


def _png_chunks(data: bytes) -> Iterator[tuple[bool, int]]:
    """Yield (whether it is metadata, bytes there are of it) of each chunk."""
    position = _PNG_SIGNATURE_BYTES
    while position + _PNG_CHUNK_EXTRA_BYTES <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        is_ancillary = bool(kind[0] & _PNG_ANCILLARY)
        yield is_ancillary and kind not in _PNG_ANIMATION, min(length, len(data) - position)
        position += _PNG_CHUNK_EXTRA_BYTES + length


def _riff_chunks(data: bytes) -> Iterator[tuple[bool, int]]:
    """Yield the same of a RIFF file; chunks begin at even places (RFC 9649, section 2.3)."""
    position = _RIFF_HEADER_BYTES
    while position + _RIFF_CHUNK_EXTRA_BYTES <= len(data):
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        kind = data[position : position + 4]
        yield kind in _WEBP_METADATA, min(length, len(data) - position)
        position += _RIFF_CHUNK_EXTRA_BYTES + length + (length & 1)


def _require(is_within: bool, format: str, what: str, key: str, limits: Limits) -> None:  # noqa: FBT001 - reads as a sentence
    if not is_within:
        raise FileFailure(
            FailureReason.TOO_BIG,
            f"the {format} has more than {getattr(limits, key)} {what} (the limit {key})",
        )

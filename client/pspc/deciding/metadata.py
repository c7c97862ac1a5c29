"""What a picture's file tells besides its pixels: EXIF or XMP, and when it was taken.

Found by the marks that they begin with: that needs no decoder, and a wrong guess only prefers one
copy, or offers one less.
"""

from __future__ import annotations

import os
import re
import stat

_HEAD = 1 << 18
_TAIL = 1 << 16
"""Where files have their metadata: most at the beginning, WebP and PNG at the end as well."""

_MARKS = (
    b"Exif\0\0",
    b"http://ns.adobe.com/xap/1.0/",
    b"eXIf",
    b"XML:com.adobe.xmp",
    b"EXIF",
    b"XMP ",
)
_TIFF = (b"II*\0", b"MM\0*")
"""TIFF, and most cameras' own formats: what has tags of its own."""


_MOMENT = re.compile(rb"(?:19|20)\d\d:[01]\d:[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d\0")
"""A date as EXIF has it."""


def has_metadata(path: bytes) -> bool:
    """Look for EXIF or XMP; a file that cannot be read has none."""
    ends = _ends(path)
    return ends.startswith(_TIFF) or any(mark in ends for mark in _MARKS)


def moments(path: bytes) -> frozenset[bytes]:
    """Return the dates in a file's EXIF: when it was taken, digitised and changed."""
    return frozenset(_MOMENT.findall(_ends(path)))


def _ends(path: bytes) -> bytes:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        # Not what somebody has put into its place that never ends, or never begins.
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return b""
            head = file.read(_HEAD)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(len(head), size - _TAIL))
            return head + file.read()
    except OSError:
        return b""

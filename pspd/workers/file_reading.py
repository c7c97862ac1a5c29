"""An open descriptor → the bytes of a file of anybody's, which may grow, shrink or never end."""

from __future__ import annotations

import os

from pspd.core.model import FailureReason
from pspd.errors import FileFailure
from pspd.features.formats import require_readable, sniff

_PART_BYTES = 1 << 20
"""Read at once: of a file to its end, of one that grows in parts, of a large one not before a look
at its beginning."""
_SNIFFED_BYTES = 1 << 16


def check_beginning(descriptor: int) -> None:
    """Refuse what begins like no picture, before all of it is read: a film has gigabytes.

    Raises:
        FileFailure: `not_a_picture`.
        OSError: It cannot be read.
    """
    beginning = os.pread(descriptor, _SNIFFED_BYTES, 0)
    if len(beginning) == _SNIFFED_BYTES and sniff(beginning) is None:
        require_readable(beginning)


def read_whole(descriptor: int, size: int, max_bytes: int) -> bytes:
    """Read a regular file from its beginning to its end, wherever its offset is.

    Args:
        descriptor: Open for reading.
        size: What it had a moment ago; it may have grown or shrunk.
        max_bytes: The limit.

    Raises:
        FileFailure: `unreadable`, `too_big`, `not_a_picture`, or `truncated` if it is empty.
    """
    try:
        _check_size(size, max_bytes)
        if size > _PART_BYTES:
            check_beginning(descriptor)
        data = read_up_to(descriptor, size, max_bytes)
    except OSError as error:
        raise FileFailure(
            FailureReason.UNREADABLE, f"it cannot be read: {error.strerror}"
        ) from error
    _check_size(len(data), max_bytes)
    if not data:
        raise FileFailure(FailureReason.TRUNCATED, "the file is empty")
    return data


def read_up_to(descriptor: int, expected: int, max_bytes: int) -> bytes:
    """Read a file to its end, but at most one byte more than `max_bytes`.

    `expected` is its size a moment ago: both the usual end and the usual first read.
    """
    parts = [os.pread(descriptor, expected + 1, 0)]
    size = len(parts[0])
    # The usual file ends here; one that grows goes on in parts, for `pread` takes address space
    # for all that it is asked for.
    while parts[-1] and size <= max_bytes:
        parts.append(os.pread(descriptor, min(_PART_BYTES, max_bytes + 1 - size), size))
        size += len(parts[-1])
    return parts[0] if size == len(parts[0]) else b"".join(parts)


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise FileFailure(
            FailureReason.TOO_BIG, f"larger than {max_bytes} bytes (the limit max_bytes)"
        )

"""Where a query image comes from: a path, standard input, an http(s) URL, the clipboard."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

from pspc.errors import SourceError
from pspd.rpc import wire

if TYPE_CHECKING:
    from pspc.console import Console

STANDARD_INPUT = "-"

_URL_SCHEMES = ("http://", "https://")
_OTHER_SCHEMES = ("data:", "file:", "ftp:", "ftps:", "sftp:", "smb:")


PICTURE_SUFFIXES = frozenset(
    b"""
    .apng .arw .avif .bmp .cr2 .cr3 .dib .dng .gif .heic .heif .j2k .jfif .jp2 .jpe .jpeg .jpg .jxl
    .nef .orf .pef .png .raf .rw2 .srw .tif .tiff .webp
    """.split()
)
"""What the name of a picture ends with: who sees one among the failures wants to know."""


def read(name: str, seconds: float = 30.0, console: Console | None = None) -> bytes:
    """Read a query image by the name a user gave: "-", a URL or a path.

    Args:
        name: What the user gave.
        seconds: How long an address may take, from its look-up to the last byte.
        console: Where to show how far a download is; None for nowhere.

    Raises:
        SourceError: it cannot be read.
    """
    if name == STANDARD_INPUT:
        return read_standard_input()
    if not name:
        raise SourceError("an empty name is no picture")
    address = name.strip().lower()
    if address.startswith(_URL_SCHEMES):
        from pspc.fetch import fetch  # noqa: PLC0415 - urllib costs 40 ms

        return fetch(name, seconds=seconds, console=console)
    if address.startswith(_OTHER_SCHEMES) and not os.path.lexists(name):
        raise SourceError("only http and https addresses are fetched; of a file give the path")
    return read_path(name)


def read_path(path: str | bytes) -> bytes:
    """Read an image file.

    It is opened without waiting, so that a FIFO nobody writes to is refused and not waited for.

    Raises:
        SourceError: it is missing, no file, unreadable, empty or too large.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise SourceError(_reason(error)) from error
    except ValueError as error:
        raise SourceError(f"this is no path: {error}") from error
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise SourceError("it is a directory; to watch it: pspc add DIR")
        if not stat.S_ISREG(mode):
            raise SourceError("it is not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return checked(file.read(wire.MAX_QUERY_BYTES + 1))
    except OSError as error:
        raise SourceError(_reason(error)) from error
    finally:
        os.close(descriptor)


def read_standard_input() -> bytes:
    """Read an image from standard input.

    Raises:
        SourceError: it is a terminal, empty or too long.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise SourceError("nothing is piped into pspc; give a file instead")
    return checked(sys.stdin.buffer.read(wire.MAX_QUERY_BYTES + 1))


def claims_to_be_a_picture(path: bytes) -> bool:
    """Tell whether a file's name ends as a picture's does."""
    return os.path.splitext(path)[1].lower() in PICTURE_SUFFIXES


def checked(data: bytes) -> bytes:
    """Return the bytes of an image, if there are any and not too many.

    Raises:
        SourceError: there are none, or more than the wire takes.
    """
    if not data:
        raise SourceError("it is empty")
    if len(data) > wire.MAX_QUERY_BYTES:
        raise SourceError(f"it is larger than the limit of {wire.MAX_QUERY_BYTES >> 20} MiB")
    return data


def _reason(error: OSError) -> str:
    return error.strerror or str(error)

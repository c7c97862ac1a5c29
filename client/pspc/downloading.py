"""A large file from the web → a file here, whose SHA-256 is known beforehand."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final

from pspc.addresses import encoded
from pspc.errors import SourceError
from pspc.responses import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from pspc.console import Console

SILENT_SECONDS: Final = 60.0
"""How long the server may send nothing; all together may take hours on a slow line."""

_BLOCK_BYTES: Final = 1 << 18
_MIB: Final = 1 << 20
_SHOW_SECONDS: Final = 0.2
_LINE_SECONDS: Final = 10.0
"""Between two lines of progress where they cannot be written over."""


def download(url: str, file: IO[bytes], *, sha256: str, most_bytes: int, console: Console) -> None:
    """Write what lies at an http(s) address to a file.

    Args:
        url: Where.
        file: Open for writing; what it holds is of use only if nothing is raised.
        sha256: What the bytes have to be, in hexadecimal.
        most_bytes: More is refused.
        console: Where the progress is shown.

    Raises:
        SourceError: the server refuses, breaks off, sends too much or something else.
        OSError: the file cannot be written.
    """
    digest = hashlib.sha256()
    progress = _Progress(console)
    received = 0
    try:
        # What the file raises is no fault of the server's.
        for block, total in _blocks(url):
            received += len(block)
            if max(received, total or 0) > most_bytes:
                raise SourceError(f"what the server sends is larger than {most_bytes:,} bytes")
            digest.update(block)
            file.write(block)
            progress.show(received, total)
    finally:
        progress.end()
    if digest.hexdigest() != sha256.lower():
        raise SourceError(
            f"what the server sent is not the file that is wanted: its SHA-256 is "
            f"{digest.hexdigest()}, not {sha256}"
        )


def _blocks(url: str) -> Iterator[tuple[bytes, int | None]]:
    """Yield the bytes, and how many were announced for all together."""
    with opened(encoded(url), SILENT_SECONDS) as response:
        total = response.length
        left = total
        while block := response.read(_BLOCK_BYTES):
            yield block, total
            left = None if left is None else left - len(block)
        if left:
            raise SourceError("the download ended early: the server closed the connection")


class _Progress:
    """Shows how far a download is, now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = time.monotonic() + (_SHOW_SECONDS if console.shows_progress else _LINE_SECONDS)

    def show(self, received: int, total: int | None) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        of_total = "" if total is None else f" of {total / _MIB:.0f}"
        text = f"downloading: {received / _MIB:.0f}{of_total} MiB"
        if self._console.shows_progress:
            self._console.overwrite(text[: self._console.progress_columns])
            self._next = now + _SHOW_SECONDS
        else:
            self._console.note(text)
            self._next = now + _LINE_SECONDS

    def end(self) -> None:
        if self._console.shows_progress:
            self._console.overwrite("")

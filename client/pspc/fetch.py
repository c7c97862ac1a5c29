"""Reads an image from an http(s) URL within a time and a size."""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pspc.addresses import encoded
from pspc.errors import SourceError
from pspc.responses import opened
from pspc.sources import checked
from pspd.rpc import wire

if TYPE_CHECKING:
    from pspc.console import Console
    from pspc.responses import Connect

TIMEOUT_SECONDS = 30.0
"""For everything together: name, connection, redirects, data."""

_BLOCK_BYTES = 1 << 16
_MIB = 1 << 20
_SILENT_SECONDS = 1.0
"""A download is shown when it takes longer."""
_POLL_SECONDS = 0.2


class _Download:
    """One download, by a thread of its own."""

    def __init__(self, url: str, seconds: float, most_bytes: int, connect: Connect | None) -> None:
        self._url = url
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._is_guarded = connect is not None
        self._connect = connect or socket.create_connection
        self._lines: list[socket.socket] = []
        self._lock = threading.Lock()
        self._is_given_up = False
        self.outcome: queue.SimpleQueue[bytes | SourceError] = queue.SimpleQueue()
        self.received: int | None = None
        """Bytes so far; None until the server answers."""
        self.total: int | None = None
        """Bytes that the server announced, if it did."""

    def run(self) -> None:
        """Download, and put the outcome where it is waited for."""
        try:
            self.outcome.put(self._data())
        except SourceError as error:
            self.outcome.put(error)
        except Exception as error:  # noqa: BLE001 - somebody waits for a word, in another thread
            self.outcome.put(SourceError(f"it cannot be fetched: {type(error).__name__}"))
        finally:
            self.give_up()

    def give_up(self) -> None:
        """Cut the lines: who reads from one wakes up, however slowly it drips."""
        with self._lock:
            self._is_given_up = True
            while self._lines:
                line = self._lines.pop()
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
                line.close()

    def _data(self) -> bytes:
        with opened(
            self._url, self._seconds, self._connected, uses_proxy=not self._is_guarded
        ) as response:
            self.received, self.total = 0, response.length
            if self.total is not None and self.total > self._most_bytes:
                raise SourceError(_too_large(self._most_bytes))
            blocks = []
            while self.received <= self._most_bytes:
                block = response.read(_BLOCK_BYTES)
                if not block:
                    break
                blocks.append(block)
                self.received += len(block)
        if self.received > self._most_bytes:
            raise SourceError(_too_large(self._most_bytes))
        if self.total is not None and self.received < self.total:
            raise SourceError("the download ended early: the server closed the connection")
        return checked(b"".join(blocks))

    def _connected(
        self, address: tuple[str, int], timeout: float | None, source: tuple[str, int] | None
    ) -> socket.socket:
        """Connect, and keep another end of the line: TLS takes the first for itself."""
        line = self._connect(address, timeout, source)
        with self._lock:
            if self._is_given_up:
                line.close()
                raise SourceError("nobody waits for it any more")
            self._lines.append(line.dup())
        return line


def _too_large(most_bytes: int) -> str:
    return f"it is larger than the limit of {most_bytes >> 20} MiB"


def fetch(
    url: str,
    *,
    seconds: float = TIMEOUT_SECONDS,
    console: Console | None = None,
    most_bytes: int = wire.MAX_QUERY_BYTES,
    connect: Connect | None = None,
) -> bytes:
    """Return what lies at an http(s) URL.

    Args:
        url: As a person writes it; it may hold spaces and characters of any script.
        seconds: How long everything together may take.
        console: Where to show how far a long download is; None for nowhere.
        most_bytes: More is refused.
        connect: Makes the connections, and may refuse to; no proxy is asked then, which would look
            the name up by itself. None for the usual way.

    Raises:
        SourceError: the server does not answer in time, refuses, or sends too much.
    """
    # A socket's timeout bounds one read, not a slow drip of many, nor the look-up of the name.
    # The thread may stay behind in a look-up; from a read it is cut off.
    address = encoded(url)
    if not address.startswith(("http://", "https://")):
        raise SourceError("only http and https addresses are fetched")
    download = _Download(address, seconds, most_bytes, connect)
    threading.Thread(target=download.run, name="fetch", daemon=True).start()
    begun = time.monotonic()
    is_shown = False
    try:
        while (left := begun + seconds - time.monotonic()) > 0:
            try:
                result = download.outcome.get(timeout=min(left, _POLL_SECONDS))
            except queue.Empty:
                if console is not None and time.monotonic() - begun > _SILENT_SECONDS:
                    is_shown = _show(download, console) or is_shown
                continue
            if isinstance(result, SourceError):
                raise result
            return result
    finally:
        download.give_up()
        if is_shown and console is not None:
            console.overwrite("")
    raise SourceError(_lateness(download, seconds))


def _show(download: _Download, console: Console) -> bool:
    """Show how far a download is, where a line can be written over; returns whether it can."""
    if not console.shows_progress:
        return False
    text = "waiting for the server"
    if download.received is not None:
        of_total = "" if download.total is None else f" of {download.total / _MIB:.1f}"
        text = f"downloading: {download.received / _MIB:.1f}{of_total} MiB"
    console.overwrite(text[: console.progress_columns])
    return True


def _lateness(download: _Download, seconds: float) -> str:
    if download.received is None:
        return f"the server did not answer within {seconds:g} s"
    return f"the download was not complete after {seconds:g} s; --timeout allows more"

"""Reads an image from an http(s) URL within a time and a size."""

from __future__ import annotations

import http.client
import queue
import ssl
import threading
import time
import urllib.error
import urllib.request
from typing import IO, TYPE_CHECKING

from pspc.addresses import encoded
from pspc.errors import SourceError
from pspc.sources import checked
from pspd import __version__
from pspd.rpc import wire
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from http.client import HTTPMessage

    from pspc.console import Console

TIMEOUT_SECONDS = 30.0
"""For everything together: name, connection, redirects, data."""

_BLOCK_BYTES = 1 << 16
_MIB = 1 << 20
_SILENT_SECONDS = 1.0
"""A download is shown when it takes longer."""
_POLL_SECONDS = 0.2


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https only; urllib would go to ftp as well."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - the signature is urllib's
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not newurl.lower().startswith(("http://", "https://")):
            fp.close()
            raise SourceError(
                f"the server redirects to {quoted(newurl)}, which is neither http nor https"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Download:
    """One download, by a thread of its own."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._seconds = seconds
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
        except urllib.error.HTTPError as error:
            error.close()
            self.outcome.put(SourceError(_refusal(error)))
        except urllib.error.URLError as error:
            self.outcome.put(SourceError(f"the server cannot be reached: {_plain(error.reason)}"))
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.outcome.put(SourceError(_plain(error)))

    def _data(self) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - the opener knows http and https only
            self._url, headers={"User-Agent": f"pspc/{__version__}"}
        )
        with _opener().open(request, timeout=self._seconds) as response:
            self.received, self.total = 0, response.length
            blocks = []
            while self.received <= wire.MAX_QUERY_BYTES:
                block = response.read(_BLOCK_BYTES)
                if not block:
                    break
                blocks.append(block)
                self.received += len(block)
        if self.total is not None and self.received < min(self.total, wire.MAX_QUERY_BYTES):
            raise SourceError("the download ended early: the server closed the connection")
        return checked(b"".join(blocks))


def fetch(url: str, *, seconds: float = TIMEOUT_SECONDS, console: Console | None = None) -> bytes:
    """Return what lies at an http(s) URL.

    Args:
        url: As a person writes it; it may hold spaces and characters of any script.
        seconds: How long everything together may take.
        console: Where to show how far a long download is; None for nowhere.

    Raises:
        SourceError: the server does not answer in time, refuses, or sends too much.
    """
    # A socket's timeout bounds one read, not a slow drip of many, nor the look-up of the name.
    # The thread may stay behind in a read; it ends with the process.
    download = _Download(encoded(url), seconds)
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


def _opener() -> urllib.request.OpenerDirector:
    """Build an opener that knows http and https, and no file:, ftp: or data:."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def _refusal(error: urllib.error.HTTPError) -> str:
    reason = str(error.reason)
    if reason.startswith(_Redirects.inf_msg):
        return "the server redirects in a circle"
    if "is not allowed" in reason and error.code // 100 == http.HTTPStatus.FOUND // 100:
        return "the server redirects to an address that is neither http nor https"
    return f"the server answered {error.code} {reason}".rstrip()


def _plain(reason: object) -> str:
    """Say in a few words what urllib and what lies below it raised."""
    match reason:
        case http.client.RemoteDisconnected():
            return "the server closed the connection without an answer"
        case http.client.IncompleteRead():
            return "the download ended early: the server closed the connection"
        case http.client.InvalidURL():
            return "this is no address: its host or port cannot be"
        case http.client.HTTPException():
            return "the server's answer is not HTTP"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {reason.verify_message}"
        case TimeoutError():
            return "the server did not answer in time"
        case OSError() if reason.strerror:
            return reason.strerror
        case _:
            return str(reason) or type(reason).__name__

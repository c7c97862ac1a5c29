"""Reads an image from an http(s) URL within a time and a size."""

from __future__ import annotations

import http.client
import queue
import threading
import urllib.error
import urllib.request
from typing import IO, TYPE_CHECKING

from pspc.errors import SourceError
from pspc.sources import checked
from pspd import __version__
from pspd.rpc import wire
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from http.client import HTTPMessage

TIMEOUT_SECONDS = 10.0
"""For everything together: name, connection, redirects, data."""


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


def fetch(url: str, *, seconds: float = TIMEOUT_SECONDS) -> bytes:
    """Return what lies at an http(s) URL.

    Raises:
        SourceError: the server does not answer in time, refuses, or sends too much.
    """
    # A socket's timeout bounds one read, not a slow drip of many, nor the look-up of the name.
    # The thread may stay behind in a read; it ends with the process.
    results: queue.SimpleQueue[bytes | SourceError] = queue.SimpleQueue()
    threading.Thread(
        target=lambda: results.put(_outcome(url, seconds)), name="fetch", daemon=True
    ).start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        raise SourceError(f"the server did not answer within {seconds:g} s") from None
    if isinstance(result, SourceError):
        raise result
    return result


def _outcome(url: str, seconds: float) -> bytes | SourceError:
    try:
        request = urllib.request.Request(  # noqa: S310 - the opener knows http and https only
            url, headers={"User-Agent": f"pspc/{__version__}"}
        )
        with _opener().open(request, timeout=seconds) as response:
            return checked(response.read(wire.MAX_QUERY_BYTES + 1))
    except SourceError as error:
        return error
    except urllib.error.HTTPError as error:
        error.close()
        return SourceError(f"the server answered {error.code} {error.reason}")
    except urllib.error.URLError as error:
        return SourceError(f"the server does not answer: {_plain(error.reason)}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return SourceError(f"it cannot be fetched: {_plain(error)}")


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


def _plain(reason: object) -> str:
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason) or type(reason).__name__

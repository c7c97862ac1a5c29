"""What a web server answers, to be read; whatever goes wrong is a sentence."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from pspc.errors import SourceError
from pspd import __version__
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPMessage, HTTPResponse


@contextmanager
def opened(url: str, seconds: float) -> Iterator[HTTPResponse]:
    """Ask for what lies at an http(s) address.

    Args:
        url: In ASCII, as `pspc.addresses.encoded` gives it.
        seconds: How long the connection and each read may take.

    Raises:
        SourceError: the server cannot be reached, refuses, or breaks off while it is read.
    """
    request = urllib.request.Request(  # noqa: S310 - the opener knows http and https only
        url, headers={"User-Agent": f"pspc/{__version__}"}
    )
    try:
        with _opener().open(request, timeout=seconds) as response:
            yield response
    except urllib.error.HTTPError as error:
        error.close()
        raise SourceError(_refusal(error)) from error
    except urllib.error.URLError as error:
        raise SourceError(f"the server cannot be reached: {_plain(error.reason)}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise SourceError(_plain(error)) from error


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

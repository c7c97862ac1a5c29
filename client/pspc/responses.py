"""What a web server answers, to be read; whatever goes wrong is a sentence."""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from pspc.addresses import encoded
from pspc.errors import SourceError
from pspd import __version__
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPMessage, HTTPResponse


Connect = Callable[[tuple[str, int], float | None, tuple[str, int] | None], socket.socket]
"""Connects to a host and port, as `socket.create_connection`."""


@contextmanager
def opened(
    url: str, seconds: float, connect: Connect | None = None, *, uses_proxy: bool = True
) -> Iterator[HTTPResponse]:
    """Ask for what lies at an http(s) address.

    Args:
        url: In ASCII, as `pspc.addresses.encoded` gives it.
        seconds: How long the connection and each read may take.
        connect: Makes the connections, after redirects as well; None for the usual way.
        uses_proxy: Whether a proxy of the environment is asked, which looks names up by itself.

    Raises:
        SourceError: the server cannot be reached, refuses, or breaks off while it is read.
    """
    request = urllib.request.Request(  # noqa: S310 - the opener knows http and https only
        url, headers={"User-Agent": f"pspc/{__version__}"}
    )
    try:
        opener = _opener(connect or socket.create_connection, uses_proxy=uses_proxy)
        with opener.open(request, timeout=seconds) as response:
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
        try:
            # As for the first one: no user's name in it, and none that is no address.
            address = encoded(newurl)
        except SourceError:
            fp.close()
            raise
        new = super().redirect_request(req, fp, code, msg, headers, address)
        # urllib would read all that comes with the redirect, however much that is.
        fp.close()
        return new


class _Connection(http.client.HTTPConnection):
    """Connects by a function of ours, also to a proxy, and below TLS."""

    def __init__(self, *arguments: Any, connect: Connect, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = connect


class _TlsConnection(http.client.HTTPSConnection):
    def __init__(self, *arguments: Any, connect: Connect, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = connect


class _Http(urllib.request.HTTPHandler):
    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self._connection = functools.partial(_Connection, connect=connect)

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._connection, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self._connection = functools.partial(
            _TlsConnection, connect=connect, context=ssl.create_default_context()
        )

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(self._connection, req)


def _opener(connect: Connect, *, uses_proxy: bool) -> urllib.request.OpenerDirector:
    """Build an opener that knows http and https, and no file:, ftp: or data:."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(None if uses_proxy else {}),
        _Http(connect),
        _Https(connect),
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

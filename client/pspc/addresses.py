"""Web addresses as people write and copy them → as HTTP wants them: ASCII, escaped."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

from pspc.errors import SourceError

_PATH_SAFE = "%/:@!$&'()*+,;=~"
_QUERY_SAFE = _PATH_SAFE + "?[]"
"""What stays as it is (RFC 3986), the percent sign too: what is escaped already is so once."""


def encoded(url: str) -> str:
    """Return an http(s) address in ASCII, as browsers send it.

    The host's name becomes IDNA, what is not ASCII in path and query UTF-8 with percent signs;
    spaces around are left out, and the fragment, which servers are not sent.

    Raises:
        SourceError: it is none.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
        if parts.username is not None:
            raise SourceError("an address with a user's name in it is not fetched")
        if not host or any(char.isspace() or ord(char) < ord("!") for char in host):
            raise SourceError("this is no address: it names no host")
        # IPv6 has brackets, which `hostname` leaves out.
        name = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
    except ValueError as error:
        raise SourceError("this is no address: its host or port cannot be") from error
    netloc = name if port is None else f"{name}:{port}"
    path = quote(_as_bytes(parts.path), safe=_PATH_SAFE)
    query = quote(_as_bytes(parts.query), safe=_QUERY_SAFE)
    return urlunsplit((parts.scheme, netloc, path, query, ""))


def _as_bytes(text: str) -> bytes:
    # The command line's bytes, whatever its locale made of them.
    return text.encode("utf-8", "surrogateescape")

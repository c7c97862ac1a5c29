"""Key files: who may speak to the daemon over tcp, and how the client knows the daemon.

    server = "…"    the daemon's public key
    public = "…"    one's own public key
    secret = "…"    one's own secret key

Each key is 40 characters of Z85 (ZeroMQ RFC 32); a file has those that its reader needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


def render_keys(comment: str, keys: Mapping[str, bytes]) -> str:
    """Return a key file's text, which is TOML."""
    lines = [f"# {comment}", *(f'{name} = "{key.decode("ascii")}"' for name, key in keys.items())]
    return "\n".join(lines) + "\n"


def parse_keys(text: str, names: Sequence[str]) -> list[bytes]:
    """Return the keys of these names, in their order.

    Raises:
        ValueError: one is missing, or the text is no key file; the sentence says which.
    """
    import tomllib  # noqa: PLC0415 - of no use to a client on the daemon's own machine

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"it is no key file: {error}") from error
    keys = []
    for name in names:
        key = table.get(name)
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ValueError(f"it has no {name} key of 40 characters")
        keys.append(key.encode("ascii"))
    return keys

"""What the client shows, and what it says when all escapes are taken back."""

from __future__ import annotations

import base64
import os
import pty
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from typing import Any

from tests.e2e.home import Home

_ESCAPES = re.compile(rb"\\(\\|t|n|x[0-9a-f]{2})")
_HARMLESS = "\u00a0\u3000"


def on_terminal(home: Home, *arguments: str | bytes | os.PathLike[str]) -> str:
    """Run the client on a terminal; returns all that it wrote there."""
    leader, follower = pty.openpty()
    words = [os.fsencode(word) for word in (sys.executable, "-m", "pspc", *arguments)]
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, env=home.environ
    ) as process:
        os.close(follower)
        output = b"".join(_read(leader))
        process.wait()
    os.close(leader)
    return output.decode().replace("\r\n", "\n")


def _read(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # EIO: nobody holds the other end any longer
            return
        if not part:
            return
        yield part


def is_harmless(text: str) -> bool:
    """Tell whether all of a text can be seen, but for line ends."""
    return all(char.isprintable() or char in _HARMLESS or char == "\n" for char in text)


def controls_of(line: bytes) -> set[int]:
    """Return the control characters of a line: C0, DEL and C1."""
    text = line.decode("utf-8")
    return {ord(char) for char in text if ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0}


def unescaped(column: bytes) -> bytes:
    """Return the bytes of a path from a column of text."""
    plain = {b"\\": b"\\", b"t": b"\t", b"n": b"\n"}
    return _ESCAPES.sub(lambda found: plain.get(found[1]) or bytes([int(found[1][1:], 16)]), column)


def paths_of(documents: Collection[dict[str, Any]]) -> set[bytes]:
    """Return the exact paths in JSON documents."""
    return {
        base64.b64decode(each["path_base64"]) if "path_base64" in each else each["path"].encode()
        for each in documents
    }

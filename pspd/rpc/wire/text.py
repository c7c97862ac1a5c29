"""Strangers' text made safe to show: both sides write messages with paths in them."""

from __future__ import annotations

_FIRST_HIDDEN_BYTE = 0xDC80
_LAST_HIDDEN_BYTE = 0xDCFF
_FIRST_BEYOND_ASCII = 0x80
_HARMLESS_SPACES = "\u3000\u00a0"
"""Spaces that Chinese and French names have and that `str.isprintable` calls unprintable."""


def printable(text: str | bytes) -> str:
    r"""Return text in which control, bidirectional and other invisible characters show.

    Bytes that are no UTF-8, which `os.fsdecode` hides as surrogates, come out as `\xNN`;
    everything that can be seen stays as it is.
    """
    decoded = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    if decoded.isprintable():
        return decoded
    return "".join(
        char if char.isprintable() or char in _HARMLESS_SPACES else _escaped(char)
        for char in decoded
    )


def quoted(text: str | bytes) -> str:
    """Return `printable` text between quotes, for a path inside a sentence."""
    return f"'{printable(text)}'"


def _escaped(char: str) -> str:
    code = ord(char)
    if _FIRST_HIDDEN_BYTE <= code <= _LAST_HIDDEN_BYTE:
        return f"\\x{code - _FIRST_HIDDEN_BYTE + 0x80:02x}"
    # ASCII as Python writes it; others never as \\xNN, which stands for a byte.
    return ascii(char)[1:-1] if code < _FIRST_BEYOND_ASCII else f"\\u{code:04x}"

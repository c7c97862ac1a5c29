"""The checksum before each value's body, by which damage is noticed instead of believed.

A value is `<u32 CRC-32 of key and body> <body>`, little-endian: without it 46 of 75 flipped bits
passed LMDB's own verification and came back as wrong data.
"""

from __future__ import annotations

import struct
import zlib

from pspd.errors import StoreDamaged

_CRC = struct.Struct("<I")

BYTES = _CRC.size
"""Bytes of a value before its body."""


def seal(key: bytes, body: bytes) -> bytes:
    """Put the checksum before a value's body."""
    return _CRC.pack(zlib.crc32(body, zlib.crc32(key))) + body


def unseal(key: bytes, value: bytes) -> bytes:
    """Return a value's body.

    Raises:
        StoreDamaged: The checksum does not fit: the value or its key is damaged.
    """
    body = value[BYTES:]
    _require(key, value, body)
    return body


def unseal_view(key: bytes, value: bytes | memoryview) -> memoryview:
    """Return a view of a value's body, which is not copied; else as `unseal`."""
    view = memoryview(value)
    body = view[BYTES:]
    _require(key, view, body)
    return body


def _require(key: bytes, value: bytes | memoryview, body: bytes | memoryview) -> None:
    if len(value) < BYTES or _CRC.unpack_from(value)[0] != zlib.crc32(body, zlib.crc32(key)):
        raise StoreDamaged(
            f"a value in the store is damaged (key {key[:16].hex()}) and is not answered from; "
            "what it was about is read again from the pictures"
        )

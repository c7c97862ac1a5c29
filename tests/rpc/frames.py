"""Writes frames as docs/protocol.md prints them: bytes in hexadecimal, and what they mean."""

from __future__ import annotations

import struct

INDENT = "  "
BYTES_A_LINE = 16
COLUMN = 49


def printed(frame: bytes) -> str:
    """Return a MessagePack frame as commented hexadecimal, without the last line break."""
    lines, position = _value(frame, 0, 0, "")
    assert position == len(frame), "one value is a frame"
    return "\n".join(_laid_out(data, text) for data, text in lines)


def _laid_out(data: bytes, text: str) -> str:
    rows = [data[at : at + BYTES_A_LINE].hex(" ") for at in range(0, len(data), BYTES_A_LINE)]
    return "\n".join([f"{rows[0]:<{COLUMN}}; {text}".rstrip(), *rows[1:]])


Lines = list[tuple[bytes, str]]


def _value(frame: bytes, at: int, depth: int, end: str) -> tuple[Lines, int]:
    """Return the lines of the value that begins at `at`, and where it ends."""
    first, margin = frame[at], INDENT * depth
    kind, size, head = _head(frame, at)
    if kind == "map":
        lines: Lines = [(frame[at : at + head], f"{margin}map of {size}{end}")]
        at += head
        for _ in range(size):
            keys, at = _value(frame, at, depth + 1, ":")
            values, at = _value(frame, at, depth + 2, "")
            lines += keys + values
        return lines, at
    if kind == "array":
        lines = [(frame[at : at + head], f"{margin}array of {size}{end}")]
        at += head
        for _ in range(size):
            values, at = _value(frame, at, depth + 1, "")
            lines += values
        return lines, at
    body = frame[at + head : at + head + size]
    whole = frame[at : at + head + size]
    match kind:
        case "text":
            text = f'"{body.decode()}"'
        case "bytes":
            shown = "".join(chr(b) if 32 <= b < 127 else f"\\x{b:02x}" for b in body)
            text = f'bytes "{shown}"'
        case "float":
            text = repr(struct.unpack(">d", body)[0])
        case "int":
            text = str(int.from_bytes(body, "big"))
        case _:
            text = {0xC0: "null", 0xC2: "false", 0xC3: "true"}.get(first, str(first))
    return [(whole, f"{margin}{text}{end}")], at + len(whole)


def _head(frame: bytes, at: int) -> tuple[str, int, int]:
    """Return the kind of a value, its size or count, and the length of what says so."""
    first = frame[at]
    for low, high, kind in (
        (0x80, 0x8F, "map"),
        (0x90, 0x9F, "array"),
        (0xA0, 0xBF, "text"),
    ):
        if low <= first <= high:
            return kind, first - low, 1
    sized = {0xC4: ("bytes", 1), 0xC5: ("bytes", 2), 0xD9: ("text", 1), 0xDA: ("text", 2)}
    sized |= {0xDC: ("array", 2), 0xDE: ("map", 2)}
    if first in sized:
        kind, width = sized[first]
        return kind, int.from_bytes(frame[at + 1 : at + 1 + width], "big"), 1 + width
    if first == 0xCB:
        return "float", 8, 1
    if 0xCC <= first <= 0xCF:
        return "int", 1 << (first - 0xCC), 1
    return "small", 0, 1

"""Good pictures with a few bytes changed; each mutant is made again from its seed and number.

Some mutators know the containers: they change the lengths that JPEG segments, PNG chunks, RIFF
chunks, ISO boxes and TIFF directories give, and put the checksums of PNG chunks right again,
without which no decoder would look any further.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_ODD_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
_MOST_CHANGES = (1, 1, 1, 2, 3, 5, 16)
_HEAD = 200
"""Bytes at the beginning, which half of all changes hit: there are the numbers that matter."""
_PNG_CHUNKS_AT = 8
_RIFF_CHUNKS_AT = 12

Mutate = Callable[[bytearray, random.Random, bytes], None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mutated picture."""

    number: int
    suffix: str
    data: bytes


class Mutants:
    """All mutants of one seed.

    Args:
        sources: Good pictures, as (suffix, bytes).
        seed: Another one gives other mutants.
    """

    def __init__(self, sources: Sequence[tuple[str, bytes]], seed: int) -> None:
        self._sources = sources
        self._seed = seed

    def __getitem__(self, number: int) -> Mutant:
        chance = random.Random(f"{self._seed}/{number}")
        suffix, source = chance.choice(self._sources)
        _, other = chance.choice(self._sources)
        return Mutant(number, suffix, mutated(source, chance, other))


def mutated(source: bytes, chance: random.Random, other: bytes) -> bytes:
    """Change a picture in some ways; `other` is what pieces of a second one are taken from."""
    data = bytearray(source)
    for _ in range(chance.choice(_MOST_CHANGES)):
        if len(data) > 16:
            chance.choice(MUTATORS)(data, chance, other)
    if chance.random() < 0.5 and data[:4] == b"\x89PNG":
        _repair_png(data)
    return bytes(data)


def _place(data: bytearray, chance: random.Random) -> int:
    return chance.randrange(min(len(data), _HEAD) if chance.random() < 0.5 else len(data))


def _flip(data: bytearray, chance: random.Random, _: bytes) -> None:
    data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _set(data: bytearray, chance: random.Random, _: bytes) -> None:
    data[_place(data, chance)] = chance.choice((0, 0xFF, chance.randrange(256)))


def _set_number(data: bytearray, chance: random.Random, _: bytes) -> None:
    at = _place(data, chance)
    number = struct.pack(chance.choice("<>") + "I", chance.choice(_ODD_NUMBERS))
    width = chance.choice((1, 2, 4))
    patch = number[:width] if chance.random() < 0.5 else number[-width:]
    data[at : at + width] = patch


def _delete(data: bytearray, chance: random.Random, _: bytes) -> None:
    at = _place(data, chance)
    del data[at : at + _block(chance)]


def _double(data: bytearray, chance: random.Random, _: bytes) -> None:
    at = _place(data, chance)
    data[at:at] = data[at : at + _block(chance)]


def _insert(data: bytearray, chance: random.Random, other: bytes) -> None:
    at, start = _place(data, chance), chance.randrange(max(1, len(other)))
    data[at:at] = chance.choice((other[start : start + _block(chance)], bytes(_block(chance))))


def _swap(data: bytearray, chance: random.Random, _: bytes) -> None:
    size = _block(chance)
    first, second = _place(data, chance), _place(data, chance)
    piece = data[first : first + size]
    data[first : first + size] = data[second : second + len(piece)]
    data[second : second + len(piece)] = piece


def _cut(data: bytearray, chance: random.Random, _: bytes) -> None:
    del data[chance.randrange(16, len(data)) :]


def _splice(data: bytearray, chance: random.Random, other: bytes) -> None:
    at = chance.randrange(16, len(data))
    data[at:] = other[min(at, len(other)) :]


def _block(chance: random.Random) -> int:
    return chance.choice((1, 2, 4, 12, 64, 500, chance.randrange(1, 5000)))


def _change_length(data: bytearray, chance: random.Random, _: bytes) -> None:
    fields = list(length_fields(data))
    if fields:
        at, layout = chance.choice(fields)
        (now,) = struct.unpack_from(layout, data, at)
        new = chance.choice((*_ODD_NUMBERS, now + 1, now - 1, now * 2))
        struct.pack_into(layout, data, at, new & ((1 << 8 * struct.calcsize(layout)) - 1))


def _move_part(data: bytearray, chance: random.Random, _: bytes) -> None:
    """Double, drop or move whole parts of the container."""
    fields = [at for at, _ in length_fields(data)]
    if len(fields) > 2:
        start, end = sorted(chance.sample(fields, 2))
        part = data[start:end]
        if chance.random() < 0.5:
            del data[start:end]
        at = min(chance.choice(fields), len(data))
        data[at:at] = part


MUTATORS: tuple[Mutate, ...] = (
    *(_flip, _flip, _set, _set, _set_number, _set_number),
    *(_delete, _double, _insert, _swap, _cut, _splice),
    *(_change_length, _change_length, _move_part),
)


def length_fields(data: bytes | bytearray) -> Iterator[tuple[int, str]]:
    """Yield (offset, layout) of each length that a container's parts begin with."""
    if data[:2] == b"\xff\xd8":
        yield from _jpeg_lengths(data)
    elif data[:4] == b"\x89PNG":
        yield from _lengths(data, _PNG_CHUNKS_AT, ">I", 0, 12)
    elif data[:4] == b"RIFF":
        yield from _lengths(data, _RIFF_CHUNKS_AT, "<I", 4, 8)
    elif data[4:8] == b"ftyp":
        yield from _boxes(data, 0, len(data))
    elif data[:2] in (b"II", b"MM"):
        yield from _directory_fields(data)


def _jpeg_lengths(data: bytes | bytearray) -> Iterator[tuple[int, str]]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xFF or 0xD0 <= data[at + 1] <= 0xD9:
            at += 1 if data[at + 1] == 0xFF else 2
            continue
        yield at + 2, ">H"
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        is_scan = data[at + 1] == 0xDA
        at += 2 + max(2, length)
        if is_scan:
            at = next((m for m in _markers(data, at)), len(data))


def _markers(data: bytes | bytearray, at: int) -> Iterator[int]:
    """Yield where markers are behind entropy-coded data."""
    while 0 <= (at := data.find(b"\xff", at)) < len(data) - 1:
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            yield at
        at += 1


def _lengths(
    data: bytes | bytearray, at: int, layout: str, offset: int, overhead: int
) -> Iterator[tuple[int, str]]:
    while at + overhead <= len(data):
        yield at + offset, layout
        (length,) = struct.unpack_from(layout, data, at + offset)
        at += overhead + length + (length & 1 if layout == "<I" else 0)


_BOXES_OF_BOXES = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"moov": 0, b"trak": 0, b"iinf": 6}
"""Box → bytes in front of the boxes in it."""


def _boxes(data: bytes | bytearray, at: int, end: int) -> Iterator[tuple[int, str]]:
    while at + 8 <= end:
        yield at, ">I"
        length = max(8, int.from_bytes(data[at : at + 4], "big"))
        inside = _BOXES_OF_BOXES.get(bytes(data[at + 4 : at + 8]))
        if inside is not None:
            yield from _boxes(data, at + 8 + inside, min(end, at + length))
        at += length


def _directory_fields(data: bytes | bytearray) -> Iterator[tuple[int, str]]:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    if at + 2 <= len(data):
        (entries,) = struct.unpack_from(order + "H", data, at)
        yield at, order + "H"
        for entry in range(at + 2, min(at + 2 + 12 * entries, len(data) - 12), 12):
            yield entry + 2, order + "H"
            yield entry + 4, order + "I"
            yield entry + 8, order + "I"


def _repair_png(data: bytearray) -> None:
    """Put the checksums of all chunks right again."""
    for at, _ in list(_lengths(data, _PNG_CHUNKS_AT, ">I", 0, 12)):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 12 + length <= len(data):
            checksum = zlib.crc32(data[at + 4 : at + 8 + length])
            struct.pack_into(">I", data, at + 8 + length, checksum)

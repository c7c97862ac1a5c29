"""Entries of the database `copies`: keys and bodies in, pairs and marks out, and back.

<u8 1> <u64 image> <u64 other> = u8 turn, u16 distance   `other` is a copy of `image`
<u8 2> <u64 image>             = nothing                 it has more than one file
<u8 3> <u64 image>             = nothing                 it has copies that are not kept
<u8 4> <u64 image>             = nothing                 it is to be compared again
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from pspd.core.groups import inverse
from pspd.core.model import ImageNumber, Turn
from pspd.errors import StoreDamaged

DATABASE: Final = "copies"

PAIR, SEVERAL, CROWDED, AGAIN = 1, 2, 3, 4
"""What an entry says; the numbers are in the store and never change."""

_TURNS: Final = (
    Turn.NONE,
    Turn.ROTATE_90,
    Turn.ROTATE_180,
    Turn.ROTATE_270,
    Turn.FLIP_LEFT_RIGHT,
    Turn.FLIP_TOP_BOTTOM,
    Turn.TRANSPOSE,
    Turn.TRANSVERSE,
)
"""Their places are in the store and never change."""

_PAIR_KEY = struct.Struct(">BQQ")
_MARK_KEY = struct.Struct(">BQ")
_PAIR = struct.Struct("<BH")

KEY_BYTES = (_MARK_KEY.size, _PAIR_KEY.size)
"""Fewest and most; likewise of a body."""
BODY_BYTES = (0, _PAIR.size)

_MOST_BITS = 256


class Pair(NamedTuple):
    """One image is a copy of another one."""

    image: ImageNumber
    other: ImageNumber
    turn: Turn
    """What turns `image` into `other`."""
    distance: int
    """Of the 256-bit hashes."""


def image_of(key: bytes) -> ImageNumber:
    """Return the image that an entry is of."""
    return ImageNumber(int.from_bytes(key[1:9]))


def other_of(key: bytes) -> ImageNumber:
    """Return the image that is a copy of it, of a pair's key."""
    return ImageNumber(int.from_bytes(key[9:]))


def pair_key(image: int, other: int) -> bytes:
    """Key of a pair."""
    return _PAIR_KEY.pack(PAIR, image, other)


def mark_key(mark: int, image: int) -> bytes:
    """Key of a mark; of all pairs of an image, what their keys begin with."""
    return _MARK_KEY.pack(mark, image)


def encode_pair(turn: Turn, distance: int) -> bytes:
    """Encode the body of a pair."""
    return _PAIR.pack(_TURNS.index(turn), distance)


def decode(key: bytes, body: bytes) -> Pair | tuple[int, ImageNumber]:
    """Decode an entry: a pair, or a mark and its image.

    Raises:
        StoreDamaged: It is neither.
    """
    try:
        if key[0] == PAIR:
            _, image, other = _PAIR_KEY.unpack(key)
            turn, distance = _PAIR.unpack(body)
            if image != other and distance <= _MOST_BITS:
                return Pair(ImageNumber(image), ImageNumber(other), _TURNS[turn], distance)
        elif key[0] in {SEVERAL, CROWDED, AGAIN} and not body:
            mark, image = _MARK_KEY.unpack(key)
            return int(mark), ImageNumber(image)
    except (struct.error, IndexError) as error:
        raise StoreDamaged(f"an entry of copies is damaged: {error}") from error
    raise StoreDamaged("an entry of copies is none")


def turned_round(found: Pair) -> Pair:
    """Return a pair as it is seen from the other image."""
    return Pair(found.other, found.image, inverse(found.turn), found.distance)

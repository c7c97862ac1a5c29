"""Small pictures and parts of pictures, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

LONGEST_VIEW: Final = 1024
"""Longest side of any view, in pixels: three megabytes."""

CHANNELS: Final = 3
"""Bytes of a pixel: red, green, blue."""


@dataclass(frozen=True, slots=True)
class View:
    """A picture as it is seen, small: upright, on white, in colour."""

    width: int
    height: int
    pixels: bytes
    """Red, green and blue of each pixel, row by row from the top."""
    full_width: int
    """Of the whole upright picture, in pixels."""
    full_height: int


class Box(NamedTuple):
    """A rectangle of an upright picture, in its pixels."""

    left: int
    top: int
    width: int
    height: int

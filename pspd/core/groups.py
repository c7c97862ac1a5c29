"""Which copies go together: groups of which every member is a copy of a named best one.

    pairs of copies ─┐
                     ├─> star_cover ──> (best, its copies), (best, its copies), …
    images, best first ─┘

Being a copy is no equivalence: from A to B and from B to C is near, from A to C may be far. Chained
together (single linkage), strangers would stand in one group, and who deletes all but the best
would lose a picture. So a group is a star: greedily, the best image that is in no group yet takes
those of its copies that are in none.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

from pspd.core.model import Turn

LOSSLESS_FORMATS: Final = frozenset({"BMP", "DIB", "PCX", "PNG", "PPM", "SGI", "TGA", "TIFF"})
"""Formats that keep every pixel as it was; not GIF, which keeps 256 colours."""

_INVERSE: Final = {Turn.ROTATE_90: Turn.ROTATE_270, Turn.ROTATE_270: Turn.ROTATE_90}
"""Every other turn is its own inverse."""

NodeT = TypeVar("NodeT", bound=Hashable)


class Standing(NamedTuple):
    """What makes one of two copies the better one; the smaller value is better."""

    missing_pixels: int
    """Minus width × height."""
    is_lossy: bool
    missing_bytes: int
    """Minus the file's size."""


def standing(width: int, height: int, image_format: str, size: int) -> Standing:
    """Say where an image stands among its copies: most pixels, then lossless, then most bytes."""
    return Standing(-width * height, image_format not in LOSSLESS_FORMATS, -size)


def inverse(turn: Turn) -> Turn:
    """Return the turn that undoes another one."""
    return _INVERSE.get(turn, turn)


def star_cover(
    ranked: Iterable[NodeT],
    copies_of: Callable[[NodeT], Iterable[NodeT]],
    are_apart: Callable[[NodeT, NodeT], bool] | None = None,
) -> Iterator[tuple[NodeT, list[NodeT]]]:
    """Cover images by groups around a best member.

    The groups depend on the order of `ranked` and on which images are copies, on nothing else.

    Args:
        ranked: Every image once, the best first; no two are equally good.
        copies_of: Returns the copies of an image, in any order, known to `ranked` or not. It is
            asked once for each image that becomes a best one, and must be symmetric.
        are_apart: Says of two images that they must not stand in one group; then the one that comes
            first in `copies_of` does. None where there are no such images.

    Yields:
        Each best image with its copies, in the order of `copies_of`; an image whose copies are all
        in groups of others is alone.
    """
    order = list(ranked)
    free = set(order)
    for best in order:
        if best not in free:
            continue
        free.discard(best)
        members: list[NodeT] = []
        for copy in copies_of(best):
            if copy not in free:
                continue
            if are_apart is None or not any(are_apart(copy, member) for member in members):
                free.discard(copy)
                members.append(copy)
        yield best, members

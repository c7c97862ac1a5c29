"""Mends what is known of copies: keeps it where it is whole, else has all compared anew."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from pspd.core.model import ImageNumber
from pspd.store import copy_codec, keys
from pspd.store.copy_codec import DATABASE, SEVERAL, Pair

if TYPE_CHECKING:
    from collections.abc import Collection

    from pspd.store.tables import Tables


def mend_copies(tables: Tables, images: Collection[ImageNumber]) -> int:
    """Mend `copies`, once damaged values are dropped and all else is in order.

    Args:
        tables: Of a write transaction.
        images: Those that are there.

    Returns:
        How many entries were dropped.
    """
    reader = tables.reader
    found = {key: copy_codec.decode(key, body) for key, body in reader.items(DATABASE)}
    pairs = {each for each in found.values() if isinstance(each, Pair)}
    is_whole = len(found) == reader.meta("copies") and all(
        copy_codec.turned_round(each) in pairs for each in pairs
    )
    several = _with_several_files(tables)
    dropped = 0
    for key, entry in found.items():
        if not _stays(entry, images, several, is_whole=is_whole):
            tables.delete(DATABASE, key)
            dropped += 1
    for image in several:
        key = copy_codec.mark_key(SEVERAL, image)
        if key not in found:
            tables.put(DATABASE, key, b"")
    compared = min(tables.number("compared"), tables.number("next_image"))
    tables.set_number("compared", compared if is_whole else 0)
    tables.set_number("copies", reader.entries(DATABASE))
    return dropped


def _stays(
    entry: Pair | tuple[int, ImageNumber],
    images: Collection[ImageNumber],
    several: Collection[ImageNumber],
    *,
    is_whole: bool,
) -> bool:
    """Say whether an entry is kept; of what is not whole nobody knows what is missing."""
    if isinstance(entry, Pair):
        return is_whole and entry.image in images and entry.other in images
    mark, image = entry
    if mark == SEVERAL:
        return image in several
    return is_whole and image in images


def _with_several_files(tables: Tables) -> set[ImageNumber]:
    numbers = (keys.number_from_key(key) for key, _ in tables.reader.items("links"))
    return {ImageNumber(number) for number, links in groupby(numbers) if sum(1 for _ in links) > 1}

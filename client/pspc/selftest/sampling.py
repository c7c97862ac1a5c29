"""Pictures to make edits of: drawn at random from folders, such as those that are watched.

The protocol has no verb that lists indexed files, so folders are walked, and whether a picture is
indexed shows when it is searched for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import Final

from pspc.errors import SourceError
from pspc.selftest.trial import Sample
from pspc.sources import read_path
from pspc.walking import files_below

SUFFIXES: Final = (b".jpg", b".jpeg", b".jpe", b".png", b".webp", b".gif", b".bmp", b".avif")
"""Names of what is edited end so, in any case of letters."""

_SPARE: Final = 4
"""Times as many files are drawn as are wanted: some are flat, damaged or not indexed."""
_LEAST: Final = 100


def draw(folders: Iterable[bytes], count: int, random: Random) -> Iterator[Sample]:
    """Yield pictures under folders, each as likely as any other, in random order.

    Files that cannot be read are passed over; directories too, and links. Hidden names are left
    out.

    Args:
        folders: Absolute.
        count: How many are wanted; some more are yielded where there are more.
        random: What they are drawn with.
    """
    paths = _drawn(_pictures(folders), _SPARE * count + _LEAST, random)
    random.shuffle(paths)
    for path in paths:
        try:
            yield Sample(path, read_path(path))
        except SourceError:
            continue


def _drawn(paths: Iterable[bytes], most: int, random: Random) -> list[bytes]:
    """Keep at most so many, each with the same chance, in one pass and in memory for them alone.

    Reservoir sampling (J. S. Vitter, "Random sampling with a reservoir", ACM TOMS 11, 1985,
    algorithm R).
    """
    kept: list[bytes] = []
    for number, path in enumerate(paths):
        if number < most:
            kept.append(path)
        elif (place := random.randrange(number + 1)) < most:
            kept[place] = path
    return kept


def _pictures(folders: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what is named as a picture, always in the same order."""
    for folder in sorted(folders):
        for path in files_below(folder, _pass_over):
            if path.lower().endswith(SUFFIXES):
                yield path


def _pass_over(_folder: bytes, _error: OSError) -> None:
    """Do without a directory that cannot be listed."""

"""The hostile corpus: a folder full of it, and which dispositions are right for each file."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

# Importing them registers their classes.
from tests.reliability.hostile import bombs, containers, damage, lies
from tests.reliability.hostile.classes import CLASSES, HostileClass
from tests.reliability.hostile.places import PLACES

SOURCES = (damage, lies, bombs, containers)

RAREST = 1000
"""Above every rarity."""


def count_classes() -> int:
    """Return how many ways to be hostile there are."""
    return len(CLASSES) + len(PLACES)


def classes(rarest: int) -> list[HostileClass]:
    """Return the classes of contents, up to a rarity."""
    return [each for each in CLASSES.values() if each.rarity <= rarest]


def plan(count: int, rarest: int = RAREST) -> Iterator[tuple[HostileClass, int]]:
    """Yield (class, number) of so many files: each class at least once, rare ones rarely."""
    chosen = classes(rarest)
    rounds = (
        (each, number)
        for number in itertools.count()
        for each in chosen
        if number % each.rarity == 0
    )
    return itertools.islice(rounds, max(count, len(chosen)))


def content(each: HostileClass, number: int, seed: int) -> bytes:
    """Make one file's content again."""
    return each.make(random.Random(f"{seed}/{each.name}/{number}"))


def lay_out(
    folder: Path, *, seed: int, count: int, rarest: int = RAREST
) -> Mapping[bytes, frozenset[str]]:
    """Fill a folder; returns which dispositions are right, by path.

    Symbolic links get none and are not in what is returned.
    """
    right: dict[bytes, frozenset[str]] = {}
    for each, number in plan(count, rarest):
        place = folder / each.name
        place.mkdir(exist_ok=True)
        path = place / f"{number:05}{each.suffix}"
        path.write_bytes(content(each, number, seed))
        right[bytes(path)] = each.right
    for make in PLACES:
        place = folder / make.__name__
        place.mkdir()
        right |= {bytes(path): dispositions for path, dispositions in make(place)}
    return right

"""Damages a store's file in the ways that disks and memory do."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

PAGE = 4096
_METAS = 2


def _page(rng: random.Random, data: bytearray) -> int:
    return rng.randrange(_METAS, max(_METAS + 1, len(data) // PAGE))


def flip_bits(rng: random.Random, data: bytearray) -> None:
    for _ in range(rng.choice([1, 1, 8])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def zero_a_page(rng: random.Random, data: bytearray) -> None:
    at = _page(rng, data) * PAGE
    data[at : at + PAGE] = bytes(PAGE)


def truncate(rng: random.Random, data: bytearray) -> None:
    del data[_page(rng, data) * PAGE :]


def truncate_to_nothing(rng: random.Random, data: bytearray) -> None:
    data.clear()


def swap_pages(rng: random.Random, data: bytearray) -> None:
    one, other = _page(rng, data) * PAGE, _page(rng, data) * PAGE
    first = bytes(data[one : one + PAGE])
    data[one : one + PAGE] = data[other : other + PAGE]
    data[other : other + PAGE] = first


def zero_a_sector(rng: random.Random, data: bytearray) -> None:
    at = rng.randrange(len(data) // 512) * 512
    data[at : at + 512] = bytes(512)


def fill_with_noise(rng: random.Random, data: bytearray) -> None:
    at = _page(rng, data) * PAGE
    data[at : at + PAGE] = rng.randbytes(PAGE)


KINDS: dict[str, Callable[[random.Random, bytearray], None]] = {
    "bits": flip_bits,
    "zeroed page": zero_a_page,
    "truncation": truncate,
    "nothing left": truncate_to_nothing,
    "swapped pages": swap_pages,
    "zeroed sector": zero_a_sector,
    "noise": fill_with_noise,
}


def damage(file: Path, kind: str, seed: int) -> bool:
    """Damage a file; returns whether it is another one now."""
    before = file.read_bytes()
    data = bytearray(before)
    KINDS[kind](random.Random(seed), data)
    file.write_bytes(data)
    return bytes(data) != before

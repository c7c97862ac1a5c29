"""Damages a store's file in the ways that disks and memory do."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from pspd.store import manifest
from pspd.store.store import Store

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


def make_compact(state: Path) -> None:
    """Leave no page in the file that does not count any more."""
    store = Store(state / "store", map_bytes=1 << 26)
    (state / "compact").mkdir()
    store.copy(state / "compact")
    store.close()
    shutil.rmtree(state / "store")
    (state / "compact").rename(state / "store")
    store = Store(state / "store", map_bytes=1 << 26)
    transaction = store.last_transaction()
    store.close()
    known = manifest.read(state)
    assert known is not None
    size = (state / "store" / "data.mdb").stat().st_size
    changed = msgspec.structs.replace(known, transaction=transaction, bytes=size)
    manifest.write(state, changed)


def change_page(state: Path, mark: bytes, change: Callable[[bytes], bytes]) -> None:
    """Change the last page in which some bytes are."""
    data = state / "store" / "data.mdb"
    raw = bytearray(data.read_bytes())
    first = raw.rindex(mark) // PAGE * PAGE
    raw[first : first + PAGE] = change(bytes(raw[first : first + PAGE]))
    data.write_bytes(raw)


def zeros(page: bytes) -> bytes:
    return bytes(len(page))

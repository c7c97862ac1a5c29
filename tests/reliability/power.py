"""Power cuts: from a journal of writes, what a disk may hold when the power goes at some moment.

What was synced is there. Of what was written since, the disk may have any part, in any order, torn
at its sectors; a write through a descriptor with O_DSYNC is one that is torn at most while it runs.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.reliability.shim import Kind, Record

SECTOR = 512


@dataclass
class Disk:
    """One file as the disk has it, and what is on its way there."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes]] = field(default_factory=list)

    def take(self, record: Record) -> None:
        match record.kind:
            case Kind.WRITE:
                self.pending.append((record.offset, record.data))
            case Kind.DSYNC_WRITE:
                _put(self.synced, record.offset, record.data)
            case Kind.SYNC:
                for offset, data in self.pending:
                    _put(self.synced, offset, data)
                self.pending.clear()
            case Kind.TRUNCATE:
                del self.synced[record.offset :]
                self.synced.extend(bytes(record.offset - len(self.synced)))

    def images(self, rng: random.Random, running: Record) -> Iterator[bytes]:
        """Yield what may be there when the power goes while `running` is under way."""
        on_its_way = list(self.pending)
        if running.kind in {Kind.WRITE, Kind.DSYNC_WRITE}:
            on_its_way.append((running.offset, running.data))
        while True:
            image = bytearray(self.synced)
            for offset, data in _chosen(rng, on_its_way):
                _put(image, offset, data)
            yield bytes(image)


def _chosen(rng: random.Random, writes: list[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    mode = rng.choice(["none", "all", "some", "last", "torn", "shuffled"])
    if mode == "none" or not writes:
        return
    if mode == "all":
        yield from writes
    elif mode == "last":
        yield writes[-1]
    elif mode == "some":
        yield from (each for each in writes if rng.random() < 0.5)
    elif mode == "shuffled":
        yield from rng.sample(writes, rng.randrange(len(writes) + 1))
    else:
        for offset, data in writes:
            for at in range(0, len(data), SECTOR):
                if rng.random() < 0.7:
                    yield offset + at, data[at : at + SECTOR]


def _put(image: bytearray, offset: int, data: bytes) -> None:
    if len(image) < offset + len(data):
        image.extend(bytes(offset + len(data) - len(image)))
    image[offset : offset + len(data)] = data

"""Everything from a file to its record, without the daemon around it."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pspd.committing import Options
from pspd.core.model import FileState, Limits
from pspd.core.verdict import FLAT_QUALITY
from pspd.indexer import Indexer
from pspd.noticeboard import NoticeBoard
from pspd.quarantine import Quarantine
from pspd.reading import FileReader
from pspd.search.linear import LinearIndex
from pspd.store import batch
from pspd.watcher.inotify_notifier import InotifyNotifier
from pspd.watcher.watcher import Watcher
from pspd.workers.pool import WorkerPool
from tests.watcher.bench import OPTIONS
from tests.watcher.test_scan import Tree

SIDE = 16


class Pipeline(Tree):
    """A tree with a watcher, an indexer and workers."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.pool = WorkerPool(2, Limits())
        self.reader = FileReader(
            self.store,
            self.pool,
            Quarantine(self.store, "this one"),
            quiet_seconds=0.2,
            max_delay_seconds=30.0,
        )
        self.indexer = Indexer(
            self.store, LinearIndex(FLAT_QUALITY), self.reader, Options(2, 0.1, 256, 0.05), self
        )
        self.watcher = Watcher(self.store, InotifyNotifier, self.indexer, OPTIONS, NoticeBoard())

    def announce(self, changes: Sequence[batch.PathChange]) -> None:
        """Tell nobody."""

    def look_at(self, path: str, seconds: float = 0.0) -> None:
        self.watcher.look_at(path, seconds)

    def sync(self) -> None:
        """Wait as `pspc sync` does."""
        self.watcher.scan_all().result(timeout=120)
        self.indexer.barrier().result(timeout=300)

    def wrong(self, contents: dict[str, bytes]) -> list[str]:
        """Return the files whose record is not of their content."""
        found = []
        with self.store.read() as reader:
            for key, record in reader.files_in(self.root.directory).items():
                image = None if record.image is None else reader.image(record.image)
                digest = hashlib.blake2b(contents.pop(key.name), digest_size=32).digest()
                is_right = image is not None and image.image_id == digest
                if record.state is not FileState.INDEXED or not is_right:
                    found.append(key.name)
        return [*found, *contents]


@contextmanager
def running(folder: Path) -> Iterator[Pipeline]:
    """Yield a pipeline at work."""
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = Pipeline(folder)
    pipeline.pool.start()
    pipeline.indexer.start()
    pipeline.watcher.start()
    try:
        yield pipeline
    finally:
        pipeline.watcher.close()
        pipeline.indexer.close()
        pipeline.pool.close()
        pipeline.store.close()


def picture(seed: int) -> bytes:
    """Return a BMP of noise; all are of one size, and decode when their end is only zeros."""
    pixels = random.Random(seed).randbytes(3 * SIDE * SIDE)
    offset = 54
    header = struct.pack("<2sIHHI", b"BM", offset + len(pixels), 0, 0, offset)
    return header + struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 24, 0, 0, 0, 0, 0, 0) + pixels

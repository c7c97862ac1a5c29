"""A real folder, store, notifier and watcher; files are read by somebody who asks nobody."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pspd.core.model import FileStamp
from pspd.noticeboard import Notice, NoticeBoard
from pspd.store import batch
from pspd.watcher.descriptors import stamp_of
from pspd.watcher.inotify_notifier import InotifyNotifier
from pspd.watcher.keeper import Options
from pspd.watcher.notify import NoNotifier, Notifier
from pspd.watcher.watcher import Watcher
from tests.store.records import features, image_id
from tests.waiting import PATIENCE, until
from tests.watcher.test_scan import Tree

OPTIONS = Options(
    coalesce_seconds=0.02,
    rescan_seconds=3600.0,
    poll_seconds=30.0,
    blind_poll_seconds=5.0,
    blind_poll_longest_seconds=300.0,
    confirm_seconds=3600.0,
    heartbeat_seconds=60.0,
    check_seconds=0.1,
)


class Bench(Tree):
    """A tree with a watcher that keeps the store in step with it."""

    def __init__(
        self,
        folder: Path,
        notifier: Callable[[], Notifier] = InotifyNotifier,
        options: Options = OPTIONS,
    ) -> None:
        super().__init__(folder)
        self.board = NoticeBoard()
        self.options = options
        self.factory = notifier
        self.last_notifier: Notifier = NoNotifier()
        self.folder = folder
        self.lock = threading.Lock()
        self.extracted = 0
        self.returned = 0
        self.paused = 0
        self.between: Callable[[], None] = lambda: None
        """Called by the watcher between two bits of its work."""
        self.watcher = self.new_watcher()

    def new_watcher(self) -> Watcher:
        return Watcher(
            self.store,
            self.new_notifier,
            _Taker(self),
            self.options,
            self.board,
            folder=self.folder / "heartbeat",
            pause=self._pause,
        )

    def _pause(self) -> None:
        self.between()

    def new_notifier(self) -> Notifier:
        self.last_notifier = self.factory()
        return self.last_notifier

    def start(self) -> None:
        """Watch, and wait until all that is there is known."""
        self.watcher.start()
        self.sync()

    def sync(self) -> None:
        self.watcher.scan_all().result(timeout=120)

    def pause(self) -> None:
        """Pause the root, as the daemon does: in the store first."""
        self.root = replace(self.root, paused=True)
        self.store.apply([batch.PutRoot(self.root)])
        self.watcher.pause(self.root)

    def resume(self) -> None:
        self.root = replace(self.root, paused=False)
        self.store.apply([batch.PutRoot(self.root)])
        self.watcher.resume(self.root)

    def index_all(self) -> None:
        """Read the whole queue: every new content is one image, known ones are not extracted."""
        with self.lock:
            while True:
                with self.store.read() as reader:
                    queued = reader.queued(0, 1000)
                    records = {key: reader.file(key) for _, key in queued}
                    known = {
                        key: reader.number_of(image_id(content_of(record.stamp)))
                        for key, record in records.items()
                        if record is not None
                    }
                if not queued:
                    return
                done: list[batch.Operation] = []
                for sequence, key in queued:
                    record = records[key]
                    assert record is not None
                    number = content_of(record.stamp)
                    is_new = known[key] is None
                    self.extracted += is_new
                    found = replace(features(1), image_id=image_id(number)) if is_new else None
                    done.append(
                        batch.FileIndexed(
                            key, sequence, record.stamp, False, image_id(number), found
                        )
                    )
                self.store.apply(done)

    def stamps(self) -> dict[str, FileStamp]:
        """Return what the store knows: path below the root → stamp."""
        found: dict[str, FileStamp] = {}
        stack = [(self.root.directory, "")]
        with self.store.read() as reader:
            while stack:
                number, below = stack.pop()
                stack += [(c.directory_id, f"{below}{c.name}/") for c in reader.children(number)]
                for key, record in reader.files_in(number).items():
                    found[below + key.name] = record.stamp
        return found

    def truth(self) -> dict[str, FileStamp]:
        """Return what is there."""
        found: dict[str, FileStamp] = {}
        stack = [(os.fspath(self.top), "")]
        while stack:
            folder, below = stack.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        stack.append((entry.path, f"{below}{entry.name}/"))
                    elif not entry.is_symlink():
                        found[below + entry.name] = stamp_of(entry.stat(follow_symlinks=False))
        return found

    def count(self) -> int:
        """Return how many files the store knows."""
        with self.store.read() as reader:
            return sum(each.pending for each in reader.counts().values())

    def is_exact(self) -> bool:
        return self.stamps() == self.truth()

    def settles(self, seconds: float = PATIENCE) -> float | None:
        """Wait, without any scan, until the store is exact; returns how long it took."""
        return until(self.is_exact, seconds)

    def notices(self, text: str) -> list[Notice]:
        return [each for each in self.board.notices() if text in each.cause + each.cure]

    def close(self) -> None:
        self.watcher.close()
        self.store.close()


def content_of(stamp: FileStamp) -> int:
    """Return what stands for a file's content: its inode, on which device it may be."""
    return stamp.inode * 10_000 + stamp.device % 10_000


class _Taker:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def hand_on(self, operations: Sequence[batch.Operation], *, is_news: bool) -> None:  # noqa: ARG002
        self._bench.store.apply(operations)

    def root_is_back(self) -> None:
        self._bench.returned += 1

    def root_is_paused(self) -> None:
        self._bench.paused += 1


def deep_folder(top: Path) -> int:
    """Make a folder whose path is longer than the system takes; returns its open descriptor."""
    descriptor = os.open(top, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=descriptor)
        child = os.open("d" * 200, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = child
    return descriptor


@contextmanager
def watching(
    folder: Path,
    notifier: Callable[[], Notifier] = InotifyNotifier,
    options: Options = OPTIONS,
) -> Iterator[Bench]:
    """Yield a bench whose watcher runs."""
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(folder, notifier, options)
    try:
        bench.start()
        yield bench
    finally:
        bench.close()

"""Does things to stores in processes that may die of it; driven by lines on standard input.

Each line is a JSON list, a verb and its arguments. What it does runs in a fork of this process,
whose pid is printed first and whose last line is ["gone", status]: starting Python anew would cost
a quarter of a second each time.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lmdb

from pspd.core.model import FileKey, FileState, WatchRoot
from pspd.errors import StoreError
from pspd.store import batch, checksum, codec, migrations
from pspd.store.checking import Checker, Progress
from pspd.store.opening import Options, open_store
from pspd.store.reader import Reader
from pspd.store.store import Store
from tests.store.records import add_root, features, image_id, stamp

FILES_A_BATCH = 4
MAP_BYTES = 1 << 26


def tell(*words: object) -> None:
    """Print a line at once."""
    os.write(1, json.dumps(words).encode() + b"\n")


def files_of(number: int) -> list[int]:
    """Return the contents that batch `number` stores."""
    return [number * FILES_A_BATCH + each for each in range(FILES_A_BATCH)]


def store_batch(store: Store, root: WatchRoot, number: int) -> None:
    """Store a batch in two transactions, as the daemon does: seen, then indexed."""
    found = [FileKey(root.directory, f"{content:08}.png") for content in files_of(number)]
    queued = store.apply([batch.FileSeen(key, stamp(number + 1)) for key in found]).queued
    store.apply(
        [
            batch.FileIndexed(
                key, sequence, stamp(number + 1), False, image_id(content), features(content)
            )
            for (sequence, key), content in zip(queued, files_of(number), strict=True)
        ]
    )


def root_of(store: Store) -> WatchRoot:
    """Return the store's only root, which is made if need be."""
    with store.read() as reader:
        roots = reader.roots()
    return roots[0] if roots else add_root(store)


def write(folder: str, first: int) -> None:
    """Store batches from `first` on, and acknowledge each, until somebody ends it."""
    store = Store(Path(folder), map_bytes=MAP_BYTES)
    root = root_of(store)
    number = first
    while True:
        store_batch(store, root, number)
        tell("ack", number)
        number += 1


def write_some(folder: str, count: int, ledger: str) -> None:
    """Store batches; the ledger is a file, so that its place among the writes is recorded."""
    store = Store(Path(folder), map_bytes=MAP_BYTES)
    root = root_of(store)
    with open(ledger, "ab", buffering=0) as file:
        for number in range(count):
            store_batch(store, root, number)
            file.write(number.to_bytes(8, "little"))
    store.close()


def answers(reader: Reader, contents: range) -> dict[int, list[str]]:
    """Return what a search for each content would find, and see that its features are its own."""
    rows = reader.rows()
    numbers = [int(number) for number in rows.numbers]
    found = {}
    for content in contents:
        number = reader.number_of(image_id(content))
        if number is None:
            continue
        assert reader.agrees(number, features(content)), "other features than were stored"
        assert number in numbers, "an image that the index lacks"
        paths = sorted(str(reader.file_path(key)) for key in reader.links(number))
        if paths:
            found[content] = paths
    return found


def look(folder: str, last: int) -> None:
    """Tell what a store has that was written up to batch `last`, and write to it once more."""
    store = Store(Path(folder), map_bytes=MAP_BYTES)
    with store.read() as reader:
        roots = reader.roots()
        records = reader.files_in(roots[0].directory) if roots else {}
        indexed = {key.name: r for key, r in records.items() if r.state is FileState.INDEXED}
        counts = [each.indexed for each in reader.counts().values()]
        contents = range((last + 1) * FILES_A_BATCH)
        found = answers(reader, contents)
        lost = [c for c in contents if found.get(c) != [f"/pictures/{c:08}.png"]]
    store_batch(store, root_of(store), last + 10)
    store.close()
    tell(
        "seen",
        {"lost": lost, "known": len(records), "indexed": len(indexed), "counted": sum(counts)},
    )


def check(folder: str) -> None:
    """Tell what a check finds wrong."""
    store = Store(Path(folder), map_bytes=MAP_BYTES)
    tell("found", [finding.text for finding in Checker(store, Progress()).run()])
    store.close()


def start(state: str, count: int) -> None:
    """Open a store as the daemon does, whatever was done to it; tell what it answers."""
    opened = open_store(Path(state), Options(MAP_BYTES))
    opened.rows()
    with opened.store.read() as reader:
        found = answers(reader, range(count))
        roots = [root.path for root in reader.roots()]
    # Its pages were verified by the opening.
    left = [finding.text for finding in Checker(opened.store, Progress()).run(pages=False)]
    tell("started", {"found": found, "roots": roots, "left": left,
                     "told": [notice.cause for notice in opened.notices]})  # fmt: skip
    opened.close()


def migrate(folder: str) -> None:
    """Lift a store to this version's format, ticking as it goes."""

    def tick() -> bool:
        tell("tick")
        return False

    migrations.BATCH_ENTRIES = 5
    migrations.lift(Path(folder), is_stopping=tick)
    tell("lifted", True)


def format_of(folder: str) -> None:
    """Tell the format, and how many files there are."""
    environment = lmdb.open(folder, max_dbs=20, lib_version=0, map_size=MAP_BYTES)
    with environment.begin() as transaction:
        meta = environment.open_db(b"meta", transaction, create=False)
        version = transaction.get(b"format", b"", db=meta)
        files = environment.open_db(b"files", transaction, create=False)
        count = transaction.stat(files)["entries"]
    tell("format", codec.decode_number(checksum.unseal(b"format", version)), count)


VERBS: dict[str, Callable[..., None]] = {
    each.__name__: each for each in (write, write_some, look, check, start, migrate, format_of)
}


def main() -> None:
    """Serve lines until the input ends."""
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                tell("pid", os.getpid())
                VERBS[verb](*arguments)
            except (StoreError, AssertionError) as error:
                tell("failed", f"{type(error).__name__}: {error}")
            finally:
                os._exit(0)
        tell("gone", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


class Nursery:
    """The test's side: one such process."""

    def __init__(self, environ: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.store_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(environ or {})},
        )

    def run(self, verb: str, *arguments: object) -> Iterator[list[Any]]:
        """Have a fork do something; yields what it tells, the end included."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([verb, *arguments]).encode() + b"\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            words = json.loads(line)
            yield words
            if words[0] == "gone":
                return
        raise AssertionError("the process that forks is gone")

    def ask(self, verb: str, *arguments: object) -> Any:
        """Return what it tells last before it ends; a death of it is told in its place."""
        *_, last, gone = self.run(verb, *arguments)
        return last[1] if last[0] not in {"pid", "failed"} and gone[1] == 0 else [*last, gone[1]]

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._process.communicate(timeout=10)


if __name__ == "__main__":
    main()

"""What was done to pictures, written before it is done: for taking it back, after a crash as well.

    acts/NUMBER.jsonl     a line an act, and one when it is done, void, undone or lost; each synced

A line that is torn tells of what was not begun: what cannot be written is not done.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from pspc.deciding.files import ActError, path_fields, path_of, sync_folder
from pspc.errors import PspcError
from pspc.processes import acts_path
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SUFFIX = ".jsonl"


State = Literal["begun", "done", "void", "undone", "lost", "stuck"]


class JournalError(PspcError):
    """The journal cannot be written, so that nothing more is done."""


class Act(NamedTuple):
    """One thing that is done to a file."""

    do: Literal["trash", "link"]
    path: bytes
    image: str
    """Digest of its bytes."""
    size: int
    mtime_ns: int
    mode: int
    to: bytes
    """trash: where it goes. link: the name under which the link is made first."""
    other: bytes
    """trash: the info file. link: what it is linked to."""
    inode: int
    """trash: of the file. link: of what it is linked to."""


class Entry(NamedTuple):
    """An act in a journal."""

    number: int
    act: Act
    state: State
    """void: it was given up before anything was done. lost: it cannot be taken back. stuck: it
    could not be when that was tried, and may be later."""


class Journal:
    """One run's acts; for one process at a time.

    Args:
        path: Of the file; made if it is not there.

    Raises:
        JournalError: It cannot be written.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags, 0o600)
            size = os.fstat(self._descriptor).st_size
            if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
                # A crash tore the last line; the next one must not become a part of it.
                os.write(self._descriptor, b"\n")
        except OSError as error:
            text = f"the journal {printable(path)} cannot be written: {error.strerror}"
            raise JournalError(text) from error
        self._next = 1 + max((entry.number for entry in entries(path)), default=0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def begin(self, act: Act) -> int:
        """Note what is about to be done; returns its number."""
        number = self._next
        self._next += 1
        self._append(
            {
                "act": number,
                "do": act.do,
                **path_fields("path", act.path),
                "image": act.image,
                "bytes": act.size,
                "mtime_ns": act.mtime_ns,
                "mode": act.mode,
                **path_fields("to", act.to),
                **path_fields("other", act.other),
                "inode": act.inode,
            }
        )
        return number

    def note(self, number: int, state: State) -> None:
        """Note what became of an act."""
        self._append({state: number})

    def _append(self, line: dict[str, Any]) -> None:
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        before = os.fstat(self._descriptor).st_size
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, before)
            raise JournalError(
                f"the journal {printable(self.path)} cannot be written: {error.strerror}; what was "
                "done so far can be taken back: pspc undo"
            ) from error


def entries(path: str) -> list[Entry]:
    """Return the acts of a journal, in their order.

    Raises:
        ActError: It cannot be read.
    """
    try:
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
    except OSError as error:
        raise ActError(f"{printable(path)} cannot be read: {error.strerror}") from error
    found: dict[int, Entry] = {}
    for line in lines:
        try:
            document = json.loads(line) if line else {}
            if "act" in document:
                number = int(document["act"])
                found[number] = Entry(number, _act(document), "begun")
            for state in get_args(State):
                if state in document:
                    number = int(document[state])
                    found[number] = found[number]._replace(state=state)
        except (ValueError, KeyError, TypeError):
            continue  # a torn one, of what was not begun
    return list(found.values())


def _act(document: Mapping[str, Any]) -> Act:
    def path(name: str) -> bytes:
        return path_of(document[name], document.get(f"{name}_base64"))

    return Act(
        document["do"],
        path("path"),
        str(document["image"]),
        int(document["bytes"]),
        int(document["mtime_ns"]),
        int(document["mode"]),
        path("to"),
        path("other"),
        int(document["inode"]),
    )


@contextmanager
def new_journal(environ: Mapping[str, str]) -> Iterator[Journal]:
    """Begin a journal; nobody else acts meanwhile.

    Raises:
        ActError: It cannot be made, or another run is under way.
    """
    with _alone(environ) as folder:
        last = max((int(name) for name in _numbers(folder)), default=0)
        journal = Journal(os.path.join(folder, f"{last + 1:06}{_SUFFIX}"))
        try:
            sync_folder(os.fsencode(folder))
            yield journal
        finally:
            journal.close()


@contextmanager
def last_journal(environ: Mapping[str, str], only: str = "") -> Iterator[Journal | None]:
    """Open the newest journal with something to take back; None where there is none.

    What could not be taken back when that was tried holds up no older journal: it is tried again
    once nothing else is left.

    Args:
        environ: Says where the journals are.
        only: The path of the one that is meant.

    Raises:
        ActError: It cannot be read, another run is under way, or the one that is meant is not the
            newest.
    """
    with _alone(environ) as folder:
        numbers = sorted(_numbers(folder), key=int, reverse=True)
        found = _newest([os.path.join(folder, number + _SUFFIX) for number in numbers], only)
        if only and found != only:
            raise ActError("something else was done or taken back since; nothing was done now")
        journal = None if found is None else Journal(found)
        try:
            yield journal
        finally:
            if journal is not None:
                journal.close()


def _numbers(folder: str) -> list[str]:
    """Return the numbers of the journals, as their names have them; no clock is trusted."""
    stems = [name.removesuffix(_SUFFIX) for name in os.listdir(folder) if name.endswith(_SUFFIX)]
    return [stem for stem in stems if stem.isascii() and stem.isdigit()]


def _newest(paths: Sequence[str], only: str) -> str | None:
    """Return the first journal of which something is open; else the first where something is stuck.

    Args:
        paths: The newest first.
        only: One that is as good with what is stuck.
    """
    stuck: str | None = None
    for path in paths:
        waiting = waiting_entries(path)
        if any(map(is_open, waiting)) or (waiting and path == only):
            return path
        if waiting and stuck is None:
            stuck = path
    return stuck


def waiting_entries(path: str) -> list[Entry]:
    """Return the acts of a journal that are to be taken back, those that were tried among them.

    Raises:
        ActError: It cannot be read.
    """
    return [entry for entry in entries(path) if is_open(entry) or entry.state == "stuck"]


def is_open(entry: Entry) -> bool:
    """Say whether an act is to be taken back, or may have been begun, and was not tried yet."""
    return entry.state in {"begun", "done"}


@contextmanager
def _alone(environ: Mapping[str, str]) -> Iterator[str]:
    folder = acts_path(environ)
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        lock = os.open(os.path.join(folder, "lock"), flags, 0o600)
    except OSError as error:
        text = f"no journal can be kept in {printable(folder)}: {error.strerror}"
        raise ActError(text) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ActError("another pspc applies or takes back a plan; wait for its end") from None
        yield folder
    finally:
        os.close(lock)

"""The file of a graph of vectors: made by one process, verified and mapped by another.

    FOLDER/graph.json             what must be true of the file, and whose vectors it has
    FOLDER/graph-TOKEN.usearch    the graph and its vectors, in usearch's format
    FOLDER/graph-TOKEN.npy        pairs of a row and the one whose vector it has, in NumPy's format
    FOLDER/work-TOKEN/            what a builder is given

A graph is a cache of the store's descriptors. usearch believes what it maps: one flipped bit in a
link sends a search anywhere. So nothing is mapped of which the digest does not fit, and a file of
another release is made anew, for a format promises nothing beyond its own.

`graph.json` is replaced as a whole (written, synced, renamed), so that a crash leaves the old graph
or the new one; what it does not name is removed by whoever opens the folder next.
"""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from pspd.core.pausing import Pause, unhindered
from pspd.engines.equal_rows import Members
from pspd.engines.usearch_graph import EXPANSION_SEARCH, empty_index, library, vectors_of
from pspd.log import get_logger

NAME: Final = "graph.json"

FORMAT: Final = 1
"""Of `graph.json` and of what it says of a graph."""

_READ_BYTES: Final = 1 << 18
"""Read for the digest between two pauses; 0.3 ms."""

_READING: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW

_log = get_logger(__name__)


class Manifest(msgspec.Struct, frozen=True):
    """What `graph.json` says."""

    format: int
    library: str
    """Name and release of what wrote the file."""
    model: str
    """`pspd.core.model.ModelKey` of the vectors."""
    owner: str
    """Whose numbers the rows have: the store's."""
    dimensions: int
    count: int
    """Rows, those included that have the vector of another one."""
    file: str
    """The name of the graph's file."""
    bytes: int
    digest: str
    """BLAKE2b-256 of the file, hexadecimal."""
    equals: str
    """The name of the file of pairs."""
    equals_digest: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a graph must be of to be used."""

    model: str
    owner: str
    dimensions: int


@dataclass(frozen=True, slots=True, eq=False)
class MappedGraph:
    """A graph in use."""

    index: Any
    """usearch's `Index`, which views `view`; for reading alone."""
    view: mmap.mmap
    members: Members
    numbers: NDArray[np.int64]
    """Of its rows, ascending."""
    leaders: NDArray[np.int64]
    """Of each of those, the row in `index` that has its vector."""

    def vectors(self, numbers: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return the vectors of some of its rows."""
        return vectors_of(self.index, self.leaders[np.searchsorted(self.numbers, numbers)])


def open_graph(folder: Path, wanted: Wanted, pause: Pause = unhindered) -> MappedGraph | None:
    """Map the graph in a folder; None where there is none that is wanted and whole.

    Args:
        folder: It need not exist.
        wanted: What it must be of.
        pause: Called every few tenths of a millisecond.
    """
    known = read_manifest(folder)
    if known is None:
        return None
    reason = _reason_against(known, wanted)
    if not reason:
        try:
            return _mapped(folder, known, pause)
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error)
    _log.warning("a graph of vectors is made anew", folder=folder, reason=reason)
    return None


def read_manifest(folder: Path) -> Manifest | None:
    """Return what `graph.json` says; None where there is none that can be read."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    return None


def _reason_against(known: Manifest, wanted: Wanted) -> str:
    """Say why a graph is not to be used, by what is known of it; empty if it may be."""
    if (known.format, known.library) != (FORMAT, library()):
        return f"it was written by {known.library}, format {known.format}"
    if (known.model, known.owner, known.dimensions) != (
        wanted.model,
        wanted.owner,
        wanted.dimensions,
    ):
        return "it is of another model or store"
    for name in (known.file, known.equals):
        if os.path.basename(name) != name or not name.startswith("graph-"):
            return "it names a file elsewhere"
    return ""


def _mapped(folder: Path, known: Manifest, pause: Pause) -> MappedGraph:
    descriptor = os.open(folder / known.file, _READING)
    try:
        if os.fstat(descriptor).st_size != known.bytes:
            raise ValueError("its file has another length")
        if digest_of(descriptor, pause) != known.digest:
            raise ValueError("its file is damaged")
        # What is mapped is the file that was read, whatever has its name by now.
        view = mmap.mmap(descriptor, known.bytes, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
    index = empty_index(known.dimensions)
    index.view(view)
    index.expansion_search = EXPANSION_SEARCH
    followers = _followers(folder / known.equals, known.equals_digest)
    if len(index) + len(followers) != known.count or index.ndim != known.dimensions:
        raise ValueError("its file has other rows than it should")
    members = Members.of(index.keys[:].astype(np.int64), followers)
    order = np.argsort(members.numbers)
    return MappedGraph(index, view, members, members.numbers[order], members.leaders[order])


def _followers(path: Path, digest: str) -> NDArray[np.int64]:
    """Read the file of pairs."""
    with open(path, "rb", opener=lambda name, _: os.open(name, _READING)) as file:
        data = file.read()
    if hashlib.blake2b(data, digest_size=32).hexdigest() != digest:
        raise ValueError("its file of equal rows is damaged")
    pairs: NDArray[np.int64] = np.load(io.BytesIO(data))
    return pairs


def digest_of(descriptor: int, pause: Pause = unhindered) -> str:
    """Return the digest of a file, read from its beginning."""
    digest = hashlib.blake2b(digest_size=32)
    place = 0
    while part := os.pread(descriptor, _READ_BYTES, place):
        digest.update(part)
        place += len(part)
        pause()
    return digest.hexdigest()


def publish(folder: Path, index: Any, followers: NDArray[np.int64], wanted: Wanted) -> None:
    """Write a graph into a folder, in the place of the one that was there.

    Args:
        folder: As a name usearch takes nothing but UTF-8: it may have to be the working directory.
        index: usearch's, of all rows but those that follow another one.
        followers: Pairs of a row and the one whose vector it has.
        wanted: Whose they are.

    Raises:
        OSError: It cannot be written; the old one stays.
        RuntimeError: Likewise, says usearch.
    """
    token = secrets.token_hex(8)
    name, equals = f"graph-{token}.usearch", f"graph-{token}.npy"
    index.save(os.fspath(folder / name))
    np.save(folder / equals, followers)
    size, digest = _kept(folder / name)
    _, equals_digest = _kept(folder / equals)
    known = Manifest(
        FORMAT,
        library(),
        wanted.model,
        wanted.owner,
        wanted.dimensions,
        len(index) + len(followers),
        name,
        size,
        digest,
        equals,
        equals_digest,
    )
    passing = folder / f"{NAME}.new"
    with open(passing, "wb") as file:
        file.write(msgspec.json.encode(known) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.rename(passing, folder / NAME)
    _sync(folder)


def _kept(path: Path) -> tuple[int, str]:
    """Have a file survive a power cut; returns its length and digest."""
    descriptor = os.open(path, _READING)
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size, digest_of(descriptor)
    finally:
        os.close(descriptor)


def clean_up(folder: Path) -> None:
    """Remove what `graph.json` does not name: former graphs, and what builders left behind."""
    known = read_manifest(folder)
    kept = {NAME} if known is None else {NAME, known.file, known.equals}
    with suppress(FileNotFoundError):
        for entry in list(os.scandir(folder)):
            if entry.name in kept or not entry.name.startswith(("graph", "work-")):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

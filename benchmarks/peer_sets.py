"""Immaculate on the work of the quality benchmark: it makes sets of copies, with its own threshold.

For each edit, a folder with all pictures and the edited ones: an edited picture is found where it
is in one set with its original, and finds a stranger where one is in that set. There is no order in
a set, so that nothing is first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.peer import Peer
from pspc.selftest.edits import Edit, Source

SUFFIXES = {b"\x89PNG": ".png", b"RIFF": ".webp", b"GIF8": ".gif", b"\xff\xd8": ".jpg"}


class Found(NamedTuple):
    """What became of one edit; shares are 0 to 1."""

    edit: str
    recall: float
    foreign: float


def peer_shares(  # noqa: PLR0913, PLR0917 - what there is
    peer: Peer,
    files: Sequence[bytes],
    sources: Mapping[int, Source],
    edits: Sequence[Edit],
    related: npt.NDArray[np.bool_],
    seed: int,
    progress: Callable[[str], None],
) -> Iterator[Found]:
    """Have the peer look for the copies of each edit.

    Args:
        peer: It is there.
        files: The pictures that are searched among.
        sources: Those of them that are edited, by number.
        edits: What is done to them.
        related: Pictures × pictures: known copies.
        seed: Of what edits leave to chance.
        progress: Told what is done.
    """
    with tempfile.TemporaryDirectory(prefix="psp-bench-") as name:
        folder = Path(name)
        for number, data in enumerate(files):
            (folder / f"{number}{_suffix(data)}").write_bytes(data)
        for edit in edits:
            edited = []
            for number, source in sources.items():
                data = edit.apply(source, seed).data
                edited.append(folder / f"edited-{number}{_suffix(data)}")
                edited[-1].write_bytes(data)
            sets = peer.sets(folder)
            yield found_in_sets(edit.name, sets, list(sources), related)
            for path in edited:
                path.unlink()
            progress(f"Immaculate: {edit.name}")


def found_in_sets(
    edit: str,
    sets: Sequence[Sequence[Path]],
    queries: Sequence[int],
    related: npt.NDArray[np.bool_],
) -> Found:
    """Say what sets of files have found.

    Args:
        edit: Its name.
        sets: Of files named as `peer_shares` does.
        queries: Numbers of the pictures that were edited.
        related: Pictures × pictures: known copies.
    """
    names = [{path.stem for path in each} for each in sets]
    found, foreign = 0, 0
    for number in queries:
        near = set().union(*(each for each in names if f"edited-{number}" in each))
        indexed = [int(stem) for stem in near if stem.isdecimal()]
        found += number in indexed
        foreign += any(not related[number, other] for other in indexed)
    return Found(edit, found / len(queries), foreign / len(queries))


def _suffix(data: bytes) -> str:
    return next((suffix for begin, suffix in SUFFIXES.items() if data.startswith(begin)), ".avif")

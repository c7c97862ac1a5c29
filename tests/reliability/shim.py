"""Builds and uses shim.c: programs run under it leave a journal of writes, or meet a fault."""

from __future__ import annotations

import enum
import functools
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_SOURCE = Path(__file__).with_name("shim.c")
_HEAD = struct.Struct("=5Q")


class Kind(enum.IntEnum):
    """What a record of the journal is about."""

    OPEN = 1
    WRITE = 2
    DSYNC_WRITE = 3
    SYNC = 4
    TRUNCATE = 5
    RENAME = 6
    UNLINK = 7


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that was done to a chosen file."""

    kind: Kind
    file: int
    """New for each opening; 0 where it does not matter."""
    offset: int
    """Of a write; the length of a truncation; the flags of an opening."""
    data: bytes
    """What was written, or the path; two of them, with a NUL between, for a rename."""


@functools.cache
def build() -> Path | None:
    """Compile the shim once a process; None where that is not possible."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        return None
    library = Path(tempfile.mkdtemp(prefix="psp-shim-")) / "shim.so"
    done = subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-o", library, _SOURCE, "-ldl", "-lpthread"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return library


def environ(library: Path, settings: Mapping[str, str | Path]) -> dict[str, str]:
    """Return the variables that put a program under the shim; the keys lack their `SHIM_`."""
    named = {f"SHIM_{name}": str(value) for name, value in settings.items()}
    return {"LD_PRELOAD": str(library), **named}


def read_journal(path: Path) -> Iterator[Record]:
    """Yield what was done, in its order."""
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            kind, number, offset, length, _ = _HEAD.unpack(head)
            yield Record(Kind(kind), number, offset, file.read(length))

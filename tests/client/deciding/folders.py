"""Folders of files, what is in them to the last byte, and an environment of their own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pspc.deciding.plans import Do, Line


@dataclass(frozen=True)
class Place:
    """A temporary folder."""

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """Where trash and journals lie."""
        return {"XDG_DATA_HOME": str(self.folder / "data"), "PSP_HOME": str(self.folder / "psp")}

    def make(self, name: str, content: bytes) -> bytes:
        """Write a file below `pictures`; returns its path."""
        path = self.folder / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(10**18, 10**18 + len(content)))
        return os.fsencode(path)

    def everything(self) -> dict[str, tuple[str, int, int]]:
        """Return digest, time and permissions of each file below `pictures`."""
        return {str(path): _state(path) for path in sorted(self._files())}

    def trashed(self) -> list[str]:
        """Return the names of what lies in the trash, info files too."""
        trash = self.folder / "data" / "Trash"
        return sorted(str(path.relative_to(trash)) for path in trash.rglob("*") if path.is_file())

    def _files(self) -> Iterator[Path]:
        return (path for path in (self.folder / "pictures").rglob("*") if path.is_file())


def line(path: bytes, do: Do, group: int = 1) -> Line:
    """Return a line of a plan for a file as it is now."""
    with open(path, "rb") as file:
        content = file.read()
    return Line(group, do, path, hashlib.blake2b(content, digest_size=32).hexdigest(), len(content))


def _state(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    digest = hashlib.blake2b(path.read_bytes()).hexdigest()
    return digest, status.st_mtime_ns, status.st_mode

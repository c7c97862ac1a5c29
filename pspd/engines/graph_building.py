"""Has a graph of vectors made by a child process, and hears of its end."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from pspd.engines.graph_builder import Task
from pspd.log import get_logger

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pspd.engines.graph_file import Wanted
    from pspd.search.vector_index import VectorRows

_log = get_logger(__name__)


class GraphBuilding:
    """One graph in the making.

    Args:
        folder: Of the graph; made where there is none.
        wanted: What it is of.
        kept: Numbers of the present graph's rows that still count.
        added: Rows to add, in parts.

    Raises:
        OSError: What the child needs cannot be written, or it cannot be started.
    """

    def __init__(
        self,
        folder: Path,
        wanted: Wanted,
        kept: NDArray[np.int64],
        added: Iterable[VectorRows],
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._work = folder / f"work-{secrets.token_hex(8)}"
        self._work.mkdir(mode=0o700)
        try:
            self.added = self._write(wanted, kept, added)
            self._begin(folder)
        except BaseException:
            shutil.rmtree(self._work, ignore_errors=True)
            raise

    def _write(
        self, wanted: Wanted, kept: NDArray[np.int64], added: Iterable[VectorRows]
    ) -> NDArray[np.int64]:
        """Write what the child needs; returns the numbers of the rows that it adds."""
        numbers = [np.empty(0, dtype=np.int64)]
        for file, rows in enumerate(added):
            np.save(self._work / f"numbers-{file}.npy", rows.numbers)
            np.save(self._work / f"vectors-{file}.npy", rows.vectors)
            numbers.append(rows.numbers)
        np.save(self._work / "kept.npy", kept)
        task = Task(wanted.model, wanted.owner, wanted.dimensions, len(numbers) - 1)
        (self._work / "task.json").write_bytes(msgspec.json.encode(task))
        return np.concatenate(numbers)

    def _begin(self, folder: Path) -> None:
        lifeline, self._end = os.pipe()
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "pspd.engines.graph_builder", folder, self._work],
                stdin=lifeline,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                # Ctrl-C in a terminal is for the daemon; the child hears of its end by the pipe.
                start_new_session=True,
            )
        except BaseException:
            os.close(self._end)
            raise
        finally:
            os.close(lifeline)

    def wait(self, seconds: float, /) -> bool | None:
        """Return whether the graph was made; None if it still is after so many seconds."""
        try:
            _, said = self._child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        self.close()
        if self._child.returncode:
            last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
            _log.error(
                "a graph of vectors could not be made", status=self._child.returncode, reason=last
            )
        return not self._child.returncode

    def close(self) -> None:
        """End the child, if it still runs, and remove what it was given."""
        if self._end >= 0:
            self._child.kill()
            self._child.wait()
            assert self._child.stderr is not None
            self._child.stderr.close()
            os.close(self._end)
            self._end = -1
            shutil.rmtree(self._work, ignore_errors=True)

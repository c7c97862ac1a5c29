"""The daemon itself, with three things observed; run as `python -m benchmarks.observed_daemon`.

* Its query workers extract each query image once and answer from memory from then on, so that
  `elapsed_ms` of a reply excludes extraction exactly: taking one decode's time from another's would
  put the noise of two decodes into the percentiles.
* How long each change of store and index took is written to `APPLIED_FILE` under `PSP_HOME`.
* What keeping the groups of copies takes is written to others: each search for the copies of an
  indexed picture to `SEARCHED_FILE`, each change that stores what was found to `COMPARED_FILE`.

All else is as in `pspd`: the searcher, the watcher, workers that index meanwhile, the server.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pspd import choices
from pspd.applying import Applier
from pspd.copy_search import CopySearch, Known
from pspd.store import batch
from pspd.workers.pool import WorkerPool
from pspd.workers.replies import Outcome

if TYPE_CHECKING:
    from pspd.config import Config
    from pspd.noticeboard import NoticeBoard
    from pspd.workers.messages import Order

MODULE = "benchmarks.observed_daemon"
APPLIED_FILE = "applied-seconds.txt"
SEARCHED_FILE = "searched-seconds.txt"
COMPARED_FILE = "compared-seconds.txt"

_make_pools = choices.pools
_apply = Applier.apply
_copies_of = CopySearch.copies_of


class RememberingPool(WorkerPool):
    """Workers that read each query once, and answer from memory from then on."""

    def __init__(self, size: int, config: Config, board: NoticeBoard) -> None:
        needs_sandbox = config.workers.sandbox == "require"
        super().__init__(
            size, config.limits, name="query", needs_sandbox=needs_sandbox, board=board
        )
        self._outcomes: dict[tuple[bytes, Order], Outcome] = {}

    def run(self, descriptor: int, order: Order, **asked: Any) -> Outcome:
        """Have a file read, unless an equal one was; pixels are not remembered."""
        if order.pixels:
            return super().run(descriptor, order, **asked)
        key = (os.pread(descriptor, os.fstat(descriptor).st_size, 0), order)
        outcome = self._outcomes.get(key)
        if outcome is None:
            outcome = self._outcomes[key] = super().run(descriptor, order, **asked)
        elif (is_known := asked.get("is_known")) is not None and is_known(outcome.image_id):
            return Outcome(outcome.image_id, None, (), None)
        return outcome


def pools(config: Config, board: NoticeBoard) -> choices.Pools:
    """Make the pools as the daemon does, but for the one for queries."""
    made = _make_pools(config, board)
    made.queries.close()
    size = config.workers.query_processes
    return replace(made, queries=RememberingPool(size, config, board))


def apply(self: Applier, operations: Sequence[batch.Operation]) -> batch.Applied:
    """Apply as the daemon does, and note how long it took."""
    began = time.perf_counter()
    applied = _apply(self, operations)
    is_compared = any(isinstance(each, batch.ImagesCompared) for each in operations)
    _note(COMPARED_FILE if is_compared else APPLIED_FILE, time.perf_counter() - began)
    return applied


def copies_of(self: CopySearch, image: Known) -> list[batch.CopyFound]:
    """Find the copies of an indexed picture as the daemon does, and note how long it took."""
    began = time.perf_counter()
    found = _copies_of(self, image)
    _note(SEARCHED_FILE, time.perf_counter() - began)
    return found


def noted_seconds(home: Path, name: str) -> list[float]:
    """Return what was noted so far in one of the files."""
    path = home / name
    return (
        [float(line) for line in path.read_text(encoding="ascii").split()] if path.exists() else []
    )


def _note(name: str, seconds: float) -> None:
    with Path(os.environ["PSP_HOME"], name).open("a", encoding="ascii") as file:
        file.write(f"{seconds:.6f}\n")


def main() -> int:
    """Be the daemon."""
    from pspd.__main__ import main as run

    choices.pools = pools
    Applier.apply = apply  # type: ignore[method-assign]
    CopySearch.copies_of = copies_of  # type: ignore[method-assign]
    return run()


if __name__ == "__main__":
    sys.exit(main())

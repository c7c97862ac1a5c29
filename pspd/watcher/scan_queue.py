"""The scans that wait for their turn, and those who wait for a scan."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from pspd.core.model import RootId

MOST_REPEATS = 5
"""How often a scan is done again that directories were moved under."""


@dataclass(slots=True)
class ScanRequest:
    """A scan of one root that was asked for."""

    root_id: RootId
    waiters: list[Future[None]] = field(default_factory=list)
    """Futures of those who wait for it."""
    repeats: int = 0
    """How often it was done again, because it was disturbed or broken off."""

    def may_repeat(self) -> bool:
        """Count one more repetition; say no when there were too many: the tree never rests."""
        self.repeats += 1
        return self.repeats <= MOST_REPEATS

    def finish(self) -> None:
        """Tell those who wait that the scan is through."""
        for future in self.waiters:
            future.set_result(None)

    def cancel(self) -> None:
        """Tell those who wait that the scan will not be."""
        for future in self.waiters:
            future.cancel()

    @staticmethod
    def join(requests: Sequence[ScanRequest], done: Future[None]) -> None:
        """Complete `done` when all requests are through."""
        open_requests = len(requests)
        if not open_requests:
            done.set_result(None)
            return

        def count(future: Future[None]) -> None:
            nonlocal open_requests
            if future.cancelled():
                done.cancel()
                return
            open_requests -= 1
            if not open_requests and not done.cancelled():
                done.set_result(None)

        for request in requests:
            part: Future[None] = Future()
            part.add_done_callback(count)
            request.waiters.append(part)


class ScanQueue:
    """One request for each root at most, and the one that was taken; its owner has the lock."""

    def __init__(self) -> None:
        self._waiting: deque[ScanRequest] = deque()
        self._taken: ScanRequest | None = None

    def request(self, roots: Iterable[RootId]) -> None:
        """Queue a scan of each root that waits for none yet."""
        waiting = {request.root_id for request in self._waiting}
        self._waiting.extend(ScanRequest(root) for root in roots if root not in waiting)

    def request_first(self, root: RootId) -> None:
        """Queue a scan before all others."""
        self._waiting.appendleft(ScanRequest(root))

    def request_all(self, roots: Iterable[RootId]) -> Future[None]:
        """Have each root scanned from now on; the future is done when all are through."""
        roots = list(roots)
        done: Future[None] = Future()
        self.request(roots)
        waiting = {request.root_id: request for request in self._waiting}
        ScanRequest.join([waiting[root] for root in roots], done)
        return done

    def is_running(self, root: RootId) -> bool:
        """Say whether a scan of a root was taken and is not through."""
        return self._taken is not None and self._taken.root_id == root

    def take(self) -> ScanRequest | None:
        """Take the next request; it stays here until it is through or put back."""
        if not self._waiting:
            return None
        self._taken = self._waiting.popleft()
        return self._taken

    def forget_taken(self) -> None:
        """Note that the scan at hand is through."""
        self._taken = None

    def put_back(self) -> None:
        """Queue the scan at hand again, with those who wait for it."""
        if self._taken is not None:
            self._waiting.append(self._taken)
            self._taken = None

    def cancel(self) -> None:
        """Tell all who wait that there will be no scan."""
        for request in (*self._waiting, *([self._taken] if self._taken else [])):
            request.cancel()

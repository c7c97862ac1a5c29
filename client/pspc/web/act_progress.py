"""How far an act is: written by the thread that acts, read by the loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

from pspc.deciding.files import ActError
from pspc.documents import path_base64, path_text
from pspc.errors import PspcError
from pspc.web.schema import ActDocument, FailedStep

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_FAILED = 1000
"""Steps that are told of; the others are counted."""


class StoppedError(PspcError):
    """The gateway ends, and so does the act."""


class ActProgress:
    """One act.

    Args:
        number: Its name.
        kind: Whether something is done or taken back.
        total: Steps that are known of.
        stopping: Set when the gateway ends.
        is_dry: Whether it is only looked whether all could be done.
    """

    def __init__(
        self,
        number: int,
        kind: Literal["apply", "undo"],
        total: int,
        stopping: threading.Event,
        *,
        is_dry: bool = False,
    ) -> None:
        self.number = number
        self.total = total
        self.journal = ""
        """Path of its journal; empty where there is none."""
        self._kind = kind
        self._stopping = stopping
        self._is_dry = is_dry
        self._is_undone = False
        self._state: Literal["running", "done", "failed"] = "running"
        self._message = ""
        self._done = 0
        self._bytes = 0
        self._failed: list[FailedStep] = []
        self._failures = 0
        self._lock = threading.Lock()

    def run(self, work: Callable[[], None]) -> None:
        """Do the work, and note how it ended.

        Raises:
            Exception: What nobody expected; it is noted as well.
        """
        try:
            work()
        except PspcError as error:
            self._end(str(error))
        except Exception as error:
            self._end(f"this should not happen, please report it: {type(error).__name__}")
            raise
        else:
            self._end("")

    def step(self, path: bytes, size: int, do: Callable[[], None]) -> None:
        """Take one step; what cannot be done is noted, and the rest goes on.

        Raises:
            PspcError: Nothing more can be done.
        """
        if self._stopping.is_set():
            raise StoppedError("pspc web was ended before the rest was done")
        try:
            do()
        except ActError as error:
            with self._lock:
                self._failures += 1
                if len(self._failed) < MOST_FAILED:
                    self._failed.append(
                        FailedStep(
                            path=path_text(path), path_base64=path_base64(path), message=str(error)
                        )
                    )
        else:
            with self._lock:
                self._done += 1
                self._bytes += size

    def note_undone(self) -> None:
        """Note that it was taken back."""
        self._is_undone = True

    def can_be_undone(self) -> bool:
        """Say whether something of it can be taken back."""
        is_over = self._state != "running"
        return is_over and bool(self.journal) and self._done > 0 and not self._is_undone

    def document(self, *, can_undo: bool, most_failed: int = MOST_FAILED) -> ActDocument:
        """Return how far it is, with so many of the steps that failed."""
        with self._lock:
            return ActDocument(
                act=self.number,
                kind=self._kind,
                state=self._state,
                message=self._message,
                total=self.total,
                done=self._done,
                bytes=self._bytes,
                failed=self._failed[:most_failed],
                failures=self._failures,
                dry_run=self._is_dry,
                can_undo=can_undo,
            )

    def _end(self, message: str) -> None:
        with self._lock:
            self._message = message
            self._state = "failed" if message else "done"

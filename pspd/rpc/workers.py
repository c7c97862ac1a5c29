"""Threads that call the handler, and the translation of what it raises into error replies."""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, TypeVar

from pspd.errors import FileFailure, PspError, RequestError
from pspd.log import get_logger
from pspd.rpc import wire

if TYPE_CHECKING:
    from collections.abc import Callable

_log = get_logger(__name__)

_T = TypeVar("_T")


class Workers:
    """A few threads and one queue.

    Not a `ThreadPoolExecutor`: the interpreter joins its threads at exit, so that one stuck handler
    would keep a stopped daemon alive. These are daemon threads, waited for as long as `join` says.
    """

    def __init__(self, name: str, count: int) -> None:
        """Start `count` threads; `name` is for whoever looks at them."""
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Callable[[], None]) -> None:
        """Queue a job; it must not raise."""
        self._jobs.put(job)

    def close(self) -> None:
        """Drop what has not begun, and let the threads end after what they do now."""
        try:
            while True:
                self._jobs.get_nowait()
        except queue.Empty:
            for _ in self._threads:
                self._jobs.put(None)

    def join(self, deadline: float) -> bool:
        """Wait for the threads until `deadline` of `time.monotonic()`; whether all have ended."""
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def perform(call: Callable[[], _T]) -> _T | wire.ErrorReply:
    """Return what `call` returns, or the error reply that stands for what it raises."""
    try:
        return call()
    except PspError as error:
        return error_reply(error)
    except CancelledError:
        return wire.ErrorReply("stopping", "the daemon is stopping")
    except Exception:  # noqa: BLE001 - the border: a slip must cost one request, not the daemon
        _log.exception("a request failed")
        return wire.ErrorReply("internal", "the daemon failed at this; its log has the details")


def error_reply(error: PspError) -> wire.ErrorReply:
    """Translate an error into a reply: its code, its sentence and, for a file, its reason."""
    # The sentence may quote a path, and the wire takes no surrogates.
    message = str(error).encode("utf-8", "backslashreplace").decode()
    match error:
        case RequestError():
            return wire.ErrorReply(error.reason, message)
        case FileFailure():
            return wire.ErrorReply("bad_query", message, error.reason)
        case _:
            return wire.ErrorReply(error.code, message)

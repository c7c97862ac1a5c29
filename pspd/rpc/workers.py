"""Threads that call the handler, and the translation of what it raises into error replies."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, TypeVar

from pspd.errors import FileFailure, PspError, RequestError
from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.rpc import wire
from pspd.rpc.fair_queue import FairQueue

if TYPE_CHECKING:
    from collections.abc import Callable

_log = get_logger(__name__)

_T = TypeVar("_T")


class Workers:
    """A few threads and one queue, in which each client has its turn.

    Not a `ThreadPoolExecutor`: the interpreter joins its threads at exit, so that one stuck handler
    would keep a stopped daemon alive. These are daemon threads, waited for as long as `join` says.
    """

    def __init__(self, name: str, count: int) -> None:
        """Start `count` threads, half of them for one client at most; `name` is for people."""
        self._jobs: FairQueue[Callable[[], None]] = FairQueue(max(1, count // 2))
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, origin: bytes, job: Callable[[], None]) -> bool:
        """Queue a job of a client, which must not raise; False when too many of its jobs wait."""
        return self._jobs.put(origin, job)

    def close(self) -> None:
        """Drop what has not begun, and let the threads end after what they do now."""
        self._jobs.close()

    def join(self, deadline: float) -> bool:
        """Wait for the threads until `deadline` of `time.monotonic()`; whether all have ended."""
        for thread in self._threads:
            thread.join(seconds_left(deadline))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (taken := self._jobs.take()) is not None:
            origin, job = taken
            job()
            self._jobs.finish(origin)


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

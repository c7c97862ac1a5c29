"""What the daemon reports → streams of events, one for each tab that listens.

A browser opens six connections to one address for all its tabs together, and a stream keeps one of
them: a page that may be open in many tabs lets one of them listen for all.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Literal

import msgspec

from pspc.documents import path_base64, path_text
from pspc.errors import PspcError
from pspc.schema import PathDocument
from pspc.web.mailbox import Mailbox
from pspd.rpc import wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pspc.connection import Connection
    from pspc.web.endpoints import Nothing

QUIET_SECONDS = 15.0
"""After which a comment says that the connection still stands."""

LOOK_SECONDS = 1.0
"""Between two looks for a daemon that is not there."""

_COMMENT = b": still here\n\n"


class Progress(msgspec.Struct, kw_only=True):
    """How far indexing is."""

    indexed: int
    pending: int
    failed: int
    rate: float


class Change(PathDocument, kw_only=True):
    """A file was indexed, failed, moved or went away."""

    kind: str


class DaemonState(msgspec.Struct, kw_only=True):
    """Whether the daemon is there."""

    state: Literal["up", "down"]
    message: str = ""
    """Why not, as one sentence."""


class Events:
    """Listens to the daemon in a thread, from when somebody first asks, and tells all tabs.

    Args:
        connect: Makes a connection, and starts no daemon.
        on_state: Told whether the daemon is there, each time that changes.
    """

    def __init__(
        self, connect: Callable[[], Connection], on_state: Callable[[bool], None] = lambda _: None
    ) -> None:
        self._connect = connect
        self._on_state = on_state
        self._mailboxes: set[Mailbox] = set()
        self._last: dict[str, msgspec.Struct] = {}
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Listen to the daemon from now on, if nobody does yet."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            # It may wait in a read for as long as nothing happens, and ends with the process.
            threading.Thread(target=self._listen, name="web-events", daemon=True).start()

    async def stream(self, _wish: Nothing, _body: Nothing) -> AsyncIterator[bytes]:
        """Tell one tab what happens from now on, and what was last."""
        self.begin()
        return self._events()

    def close(self) -> None:
        """End all streams."""
        self._stopped.set()
        for mailbox in self._mailboxes:
            mailbox.close()

    async def _events(self) -> AsyncIterator[bytes]:
        mailbox = Mailbox()
        for kind, document in self._last.items():
            mailbox.put(kind, document)
        self._mailboxes.add(mailbox)
        try:
            # Sent at once: a browser that gets nothing takes the stream for not open yet.
            yield _COMMENT
            while not (mailbox.is_closed or self._stopped.is_set()):
                if await mailbox.wait(QUIET_SECONDS):
                    for event in mailbox.take():
                        yield event
                else:
                    yield _COMMENT
        finally:
            self._mailboxes.discard(mailbox)

    def _listen(self) -> None:
        """Pass on what the daemon reports, and see whether it is there."""
        while not self._stopped.is_set():
            try:
                with self._connect() as connection:
                    # Events tell of changes; where things stand is asked once.
                    status = connection.status()
                    self._tell("daemon", DaemonState(state="up"))
                    self._tell("progress", _progress(status))
                    for event in connection.events():
                        if self._stopped.is_set():
                            return
                        self._pass_on(event)
            except PspcError as error:
                self._tell("daemon", DaemonState(state="down", message=str(error)))
            except Exception as error:  # noqa: BLE001 - an event of a newer daemon, no descriptors
                # Whoever listens must hear again once that is over.
                message = f"its reports cannot be read: {type(error).__name__}"
                self._tell("daemon", DaemonState(state="down", message=message))
            self._stopped.wait(LOOK_SECONDS)

    def _pass_on(self, event: wire.Event) -> None:
        if isinstance(event, wire.ProgressEvent):
            self._tell("progress", _progress(event))
        elif isinstance(event, wire.ChangeEvent):
            change = Change(
                kind=event.kind, path=path_text(event.path), path_base64=path_base64(event.path)
            )
            self._tell("change", change)

    def _tell(self, kind: str, document: msgspec.Struct) -> None:
        assert self._loop is not None, "it listens once it has begun"
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell_all, kind, document)

    def _tell_all(self, kind: str, document: msgspec.Struct) -> None:
        if self._last.get(kind) == document:
            return
        if kind != "change":
            self._last[kind] = document
        if isinstance(document, DaemonState):
            self._on_state(document.state == "up")
        for mailbox in self._mailboxes:
            mailbox.put(kind, document)


def _progress(told: wire.StatusReply | wire.ProgressEvent) -> Progress:
    return Progress(indexed=told.indexed, pending=told.pending, failed=told.failed, rate=told.rate)

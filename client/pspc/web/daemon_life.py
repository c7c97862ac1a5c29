"""Starts the daemon when the page asks for it, and ends a gateway that it has left alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pspc.autostart import ensure_running
from pspc.web.schema import DaemonDocument, NewKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pspc.web.endpoints import Nothing
    from pspc.web.sessions import Sessions

ALONE_SECONDS = 60.0


class DaemonLife:
    """Starts the daemon; and makes keys, for whoever has the permanent token."""

    def __init__(self, environ: Mapping[str, str], sessions: Sessions) -> None:
        self._environ = environ
        self._sessions = sessions

    async def start(self, _wish: Nothing, _body: Nothing) -> DaemonDocument:
        """Start the daemon, unless it runs."""
        started = await asyncio.to_thread(ensure_running, self._environ)
        return DaemonDocument(state="up", started=started)

    async def key(self, _wish: Nothing, _body: Nothing) -> NewKey:
        """Make a key that opens one session."""
        return NewKey(key=self._sessions.new_key())


class Loneliness:
    """Calls for the end once the daemon has been gone for a while.

    Args:
        end: What to call.
    """

    seconds = ALONE_SECONDS
    """How long it may be gone."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._timer: asyncio.TimerHandle | None = None

    def note(self, is_there: bool) -> None:  # noqa: FBT001 - as `Events` calls it
        """Note whether the daemon is there."""
        if is_there and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif not is_there and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.seconds, self._end)

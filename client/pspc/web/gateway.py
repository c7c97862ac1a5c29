"""The composition root: builds the parts of a gateway, and ends them."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspc.connection import Connection
from pspc.fetch import fetch
from pspc.web import desktop, gate, shell
from pspc.web.acts import Acts
from pspc.web.daemon_life import DaemonLife, Loneliness
from pspc.web.details import Details
from pspc.web.distinctions import Distinctions
from pspc.web.duplicates import Duplicates
from pspc.web.events import Events
from pspc.web.file_keys import FileKeys
from pspc.web.guard import Guard
from pspc.web.library import Library
from pspc.web.login import Login
from pspc.web.pictures import Pictures
from pspc.web.public_hosts import connect
from pspc.web.queries import Queries
from pspc.web.routes import Handlers, router
from pspc.web.searches import Searches
from pspc.web.sessions import Sessions
from pspc.web.workers import DETAIL_THREADS, LIST_THREADS, PICTURE_THREADS, THREADS, Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """What a gateway is told at its start."""

    environ: Mapping[str, str]
    """Says which daemon, and where the files of the state folder lie."""
    policy: gate.Policy
    """Where it is to be found."""
    token: str
    """The permanent one."""
    password: str = ""
    """Asked of browsers without a session; empty where there is none."""
    is_at_desktop: bool = True
    """Whether who sees the page sits at this machine."""
    allows_private_urls: bool = False
    """Whether pictures are fetched from private networks as well."""
    ends_alone: bool = False
    """Whether it ends once the daemon has been gone for a while."""


class Gateway:
    """Everything behind the sockets.

    Args:
        settings: What it is told.
        report: Told of errors that nobody expected.
        end: Ends the process.
    """

    def __init__(
        self, settings: Settings, report: Callable[[Exception], None], end: Callable[[], None]
    ) -> None:
        self._settings = settings
        self.sessions = Sessions(time.monotonic)
        keys, queries = FileKeys(), Queries()
        self._workers = Workers(Connection, THREADS)
        self._picture_workers = Workers(Connection, PICTURE_THREADS)
        self._detail_workers = Workers(Connection, DETAIL_THREADS)
        self._list_workers = Workers(Connection, LIST_THREADS)
        self._searches = Searches(self._workers, queries, keys, self._fetching())
        self._acts = Acts(keys, settings.environ, report)
        loneliness = Loneliness(end)
        self._events = Events(
            Connection, loneliness.note if settings.ends_alone else lambda _is_there: None
        )
        handlers = Handlers(
            Library(self._workers),
            self._searches,
            Pictures(self._picture_workers, queries, keys, self._showing()),
            Details(self._detail_workers, queries),
            Duplicates(self._list_workers, keys),
            Distinctions(self._workers),
            self._acts,
            self._events,
            DaemonLife(settings.environ, self.sessions),
        )
        login = None
        if settings.password:
            login = Login(settings.password, self.sessions, time.monotonic)
        page = shell.Shell(shell.packaged(), self.sessions, has_login=login is not None)
        self.app = Guard(
            router(handlers, page, login), settings.policy, self.sessions, settings.token, report
        )

    def begin(self) -> None:
        """Begin what goes on without being asked; called by the loop."""
        if self._settings.ends_alone:
            self._events.begin()

    def end(self) -> None:
        """Have end what would go on: streams, so that their connections can, and acts."""
        self._acts.stop()
        self._events.close()

    def close(self) -> None:
        """End the rest; waits for the step of an act that is under way."""
        self._workers.close()
        self._picture_workers.close()
        self._detail_workers.close()
        self._list_workers.close()
        self._searches.close()
        self._acts.close()

    def _showing(self) -> Callable[[bytes], None] | None:
        if not self._settings.is_at_desktop:
            return None
        return functools.partial(desktop.show, environ=self._settings.environ)

    def _fetching(self) -> Callable[[str], bytes]:
        if self._settings.allows_private_urls:
            return functools.partial(fetch, most_bytes=gate.PICTURE_BYTES)
        return functools.partial(fetch, most_bytes=gate.PICTURE_BYTES, connect=connect)

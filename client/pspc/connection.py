"""The daemon's verbs as typed methods: the Python API, and what the commands are made of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from pspc.asking import Asker, ReplyT
from pspc.care import CareVerbs
from pspc.errors import DaemonError, SourceError
from pspc.looking import LookingVerbs
from pspc.paths import absolute
from pspd.rpc import wire
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

DEFAULT_TIMEOUT = 30.0
"""Seconds a request may take: a search of ten million pictures takes a small part of one."""

_LONGEST_SYNC = 3600.0
"""Seconds one sync request may wait in the daemon; a longer wait is several requests."""


class Connection(CareVerbs, LookingVerbs):
    """A connection to the user's daemon; for one thread, a context manager.

    Paths in replies are bytes, for names need not be text; `os.fsdecode` makes them strings.
    """

    def __init__(
        self,
        home: str | os.PathLike[str] | None = None,
        *,
        start: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
        address: str | None = None,
        key: str | os.PathLike[str] | None = None,
    ) -> None:
        """Prepare a connection; nothing is sent yet.

        Args:
            home: What `PSP_HOME` says otherwise: the folder under which everything lies.
            start: Start the daemon when none runs.
            timeout: Seconds a request may take; the first, with the daemon's start.
            address: What `PSP_CONNECT` says otherwise: `tcp://HOST:PORT` of a daemon on another
                machine; `home` and `start` do not matter then.
            key: What `PSP_KEY` says otherwise: the file that `pspd keys add` made there.

        Raises:
            PspcError: the daemon could not be started; or address or key cannot be used.
        """
        environ = dict(os.environ)
        if home is not None:
            environ["PSP_HOME"] = os.path.abspath(home)
            environ.pop("PSP_CONNECT", None)
        if address is not None:
            environ["PSP_CONNECT"] = address
        if key is not None:
            environ["PSP_KEY"] = os.fspath(key)
        self.timeout = timeout
        self._asker = Asker(environ, start=start, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the sockets; never waits."""
        self._asker.close()

    def hello(self) -> wire.Welcome:
        """Ask who listens."""
        return self._ask(wire.Hello(f"pspc {_version()}"), wire.Welcome)

    def status(self) -> wire.StatusReply:
        """Return the daemon's state."""
        return self._ask(wire.StatusRequest(), wire.StatusReply)

    def roots(self) -> list[wire.RootStatus]:
        """Return the watch roots and how far each is."""
        return self._ask(wire.RootsRequest(), wire.RootsReply).roots

    def add(
        self,
        path: str | bytes | os.PathLike[str],
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        *,
        hidden: bool = False,
    ) -> wire.RootStatus:
        """Watch a directory tree.

        Args:
            path: The directory; a relative one is taken from here.
            include: Globs on the path below it; none means every file.
            exclude: Globs on the path below it; they win.
            hidden: Whether names that begin with a dot are looked at.

        Raises:
            PathError: the path is empty, or relative to a folder that is gone.
            DaemonError: `root`, when it is no directory or overlaps another root.
        """
        request = wire.AddRoot(absolute(path), list(include), list(exclude), hidden)
        return self._ask(request, wire.RootReply).root

    def remove(self, path: str | bytes | os.PathLike[str]) -> wire.RootStatus:
        """Stop watching a directory tree and forget its files.

        Raises:
            PathError: as for `add`.
            DaemonError: `root`, when it is not watched.
        """
        return self._ask(wire.RemoveRoot(absolute(path)), wire.RootReply).root

    def confirm(self, path: str | bytes | os.PathLike[str]) -> wire.RootStatus:
        """Have the daemon believe that what is missing in a directory is gone.

        Args:
            path: A watched directory, or one in it; its files are forgotten by the next sync.

        Raises:
            PathError: as for `add`.
            DaemonError: `root`, when it is in no watched directory.
        """
        return self._ask(wire.ConfirmRoot(absolute(path)), wire.RootReply).root

    def search(  # noqa: PLR0913 - one a wish, most by name
        self,
        source: bytes | str | os.PathLike[str],
        mode: Literal["both", "original", "similar"] = "both",
        distance: int | None = None,
        count: int | None = None,
        *,
        effort: Literal["fast", "full"] = "full",
        alike: bool = False,
        budget: float | None = None,
        expect: float | None = None,
        crop: tuple[int, int, int, int] | None = None,
    ) -> wire.SearchReply:
        """Search for an image.

        Args:
            source: The bytes of an image, or the path of one.
            mode: `original`: the same file or the same pixels; `similar`: copies, by hash only.
            distance: Most bits that the 256-bit hashes may differ in, 0 to 256; None for the
                calibrated threshold.
            count: Most hits, from 1; None for all.
            effort: `fast`: hashes only; `full`: learned descriptors and proofs too, where the
                daemon has them.
            alike: Whether pictures are listed too that only resemble the image.
            budget: Seconds that descriptors and proofs may take, up to 60; None for the daemon's.
            expect: In place of `distance`: so many foreign hits may a query have on average.
            crop: Left, top, width and height of the part to search with, in pixels of the upright
                image; None for all of it.

        Raises:
            SourceError: the path cannot be read; the sentence names it.
            DaemonError: `bad_query`, when the bytes are no image.
        """
        if not isinstance(source, bytes):
            source = _contents(os.fspath(source))
        request = wire.SearchRequest(
            mode,
            distance,
            count,
            effort,
            alike,
            None if budget is None else max(1, round(1000 * budget)),
            expect,
            None if crop is None else wire.Rectangle(*crop),
        )
        return self._ask(request, wire.SearchReply, image=source)

    def why(
        self,
        first: bytes | str | os.PathLike[str],
        second: bytes | str | os.PathLike[str],
        *,
        show: bool = False,
    ) -> wire.WhyReply:
        """Ask what joins or parts two images; neither needs to be indexed.

        Args:
            first: The bytes or the path of the image that would be searched with.
            second: Of the one that would be found.
            show: Whether to have both drawn, with what joins them.

        Raises:
            SourceError: a path cannot be read, or leads to an empty file.
            DaemonError: `bad_query`, when one of them is no image.
        """
        images = [
            each if isinstance(each, bytes) else _contents(os.fspath(each))
            for each in (first, second)
        ]
        if not all(images):
            raise SourceError("an empty file is no picture")
        request = wire.WhyRequest(len(images[0]), show)
        return self._ask(request, wire.WhyReply, image=b"".join(images))

    def sync(self, timeout: float | None = None) -> wire.Freshness:
        """Return once everything that happened in the roots before now is indexed.

        Args:
            timeout: Seconds to wait at most; None for as long as it takes.

        Raises:
            DaemonError: `deadline`, when it takes longer.
        """
        while True:
            try:
                seconds = _LONGEST_SYNC if timeout is None else timeout
                return self._ask(wire.SyncRequest(), wire.SyncReply, timeout=seconds).freshness
            except DaemonError as error:
                if timeout is not None or error.code != "deadline":
                    raise

    def duplicates(
        self,
        paths: Iterable[str | bytes | os.PathLike[str]] = (),
        limit: int = 1000,
        after: bytes | None = None,
    ) -> Iterator[wire.DuplicatesReply]:
        """Yield the groups of copies, the largest waste first, page by page as they are looked at.

        Args:
            paths: Only groups with a file below one of these folders; none for all.
            limit: Most files of a page, 1 to 10,000.
            after: The `next` of a page, to begin behind it; None for the beginning.
        """
        folders = [absolute(path) for path in paths]
        while True:
            request = wire.DuplicatesRequest(after, limit, folders)
            page = self._ask(request, wire.DuplicatesReply)
            yield page
            if page.next is None:
                return
            after = page.next

    def stop(self) -> int:
        """Ask the daemon to exit; returns its process id. It finishes its batch first."""
        return self._ask(wire.StopRequest(), wire.Stopping).pid

    def events(self) -> Iterator[wire.Event]:
        """Yield what the daemon reports from now on; ends by an error when the daemon ends."""
        return self._asker.events()

    def _ask(
        self,
        request: wire.Request,
        kind: type[ReplyT],
        *,
        image: bytes | None = None,
        timeout: float | None = None,
    ) -> ReplyT:
        seconds = self.timeout if timeout is None else timeout
        return self._asker.ask(request, kind, image, seconds)


def _contents(path: str | bytes) -> bytes:
    from pspc.sources import read_path  # noqa: PLC0415 - of no use to other verbs

    try:
        return read_path(path)
    except SourceError as error:
        raise SourceError(f"{printable(path)}: {error}") from error


def _version() -> str:
    from pspd import __version__  # noqa: PLC0415 - wanted in one request of many

    return __version__

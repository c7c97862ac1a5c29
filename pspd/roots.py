"""Adds, removes and pauses watch roots, and tells how each is."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pspd.core.model import Counts, Directory, DirectoryId, RootId, WatchRoot
from pspd.errors import RootError
from pspd.rpc import wire
from pspd.rpc.wire import quoted
from pspd.store import batch
from pspd.watcher.descriptors import Inode
from pspd.watcher.roots import inode_of

if TYPE_CHECKING:
    from pspd.store.store import Store
    from pspd.watcher.roots import RootState
    from pspd.watcher.watcher import Watcher


class Roots:
    """The watch roots, as the user orders them."""

    def __init__(
        self,
        store: Store,
        watcher: Watcher,
        apply: Callable[[Sequence[batch.Operation]], object],
        own: Collection[Inode],
    ) -> None:
        self._store = store
        self._own = own
        self._watcher = watcher
        self._apply = apply

    def add(self, request: wire.AddRoot) -> wire.RootStatus:
        """Watch a directory tree; again with other globs changes them.

        Raises:
            RootError: It is no directory, is inside a root, or has one inside.
        """
        path = _real_directory(os.fsdecode(request.path))
        wanted = (tuple(request.include), tuple(request.exclude), request.hidden)
        with self._store.read() as reader:
            roots = [root for root in reader.roots() if not root.removing]
        for root in roots:
            if root.path == path:
                if (root.include, root.exclude, root.hidden) == wanted:
                    return self._status_of(root.root_id)
                include, exclude, hidden = wanted
                return self._take_up(replace(root, include=include, exclude=exclude, hidden=hidden))
            _refuse_nesting(path, root.path)
        inode = inode_of(path)
        if inode is None or inode in self._own:
            raise RootError(f"{quoted(path)} is where PSP keeps its own files")
        root = WatchRoot(
            self._store.new_root_id(), path, *wanted, False, self._store.new_directory_id()
        )
        top = Directory(root.directory, root.root_id, DirectoryId(0), "", *inode)
        return self._take_up(root, batch.PutDirectory(top))

    def remove(self, request: wire.RemoveRoot) -> wire.RootStatus:
        """Stop watching a directory tree and forget its files; the files themselves stay.

        Raises:
            RootError: It is not watched.
        """
        root = self._watched(request.path)
        status = self._status_of(root.root_id)
        going = replace(root, removing=True, paused=False)
        self._apply([batch.PutRoot(going)])
        self._watcher.remove(going)
        return status

    def pause(self, request: wire.PauseRoot) -> wire.RootStatus:
        """Look at nothing below a root for now, or again; what is known of it answers.

        Raises:
            RootError: It is not watched.
        """
        root = self._watched(request.path)
        wanted = replace(root, paused=request.action == "pause")
        if wanted != root:
            self._apply([batch.PutRoot(wanted)])
            if wanted.paused:
                self._watcher.pause(wanted)
            else:
                self._watcher.resume(wanted)
        return self._status_of(root.root_id)

    def confirm(self, request: wire.ConfirmRoot) -> wire.RootStatus:
        """Drop what is missing at and below a path; it is done when a sync asked for now is.

        Raises:
            RootError: It is in no watched directory, or in one that is paused.
        """
        given = os.path.normpath(os.fsdecode(request.path))
        with self._store.read() as reader:
            roots = [root for root in reader.roots() if not root.removing]
        for path in (given, os.path.realpath(given)):
            for root in roots:
                if f"{path}/".startswith(root.path.rstrip("/") + "/"):
                    if root.paused:
                        raise RootError(f"{quoted(path)} is not looked at: {_paused(root)}")
                    self._watcher.confirm(path)
                    return self._status_of(root.root_id)
        raise _stranger(given, "in no watched folder", roots)

    def watched_places(self, folders: Sequence[bytes]) -> list[str]:
        """Return the paths by which the index knows folders that somebody named.

        Args:
            folders: In a watched directory, or around one; by a symbolic link as well.

        Raises:
            RootError: One has nothing to do with any watched directory.
        """
        with self._store.read() as reader:
            roots = [root for root in reader.roots() if not root.removing]
        places = []
        for folder in folders:
            given = os.path.normpath(os.fsdecode(folder))
            # A link inside a watched directory is not followed there, and leads elsewhere.
            ways = (os.path.realpath(given), given)
            known = (way for way in ways if any(_overlap(way, root.path) for root in roots))
            place = next(known, None)
            if place is None:
                raise _stranger(given, "in no watched folder", roots)
            places.append(place)
        return places

    def statuses(self) -> list[wire.RootStatus]:
        """Return how each root is, those being removed included."""
        states = {state.root.root_id: state for state in self._watcher.roots()}
        with self._store.read() as reader:
            counts = reader.counts()
            roots = reader.roots()
        return [
            _status(root, states.get(root.root_id), counts.get(root.root_id, Counts()))
            for root in roots
        ]

    def freshness(
        self, *, stale: int = 0, unverified: int = 0, problem: str = ""
    ) -> wire.Freshness:
        """Return what a reply given now is computed over."""
        statuses = [status for status in self.statuses() if status.state != "removing"]
        return wire.Freshness(
            indexed=sum(status.indexed for status in statuses),
            pending=sum(status.pending for status in statuses),
            failed=sum(status.failed for status in statuses),
            scanning_roots=[s.path for s in statuses if s.state == "scanning"],
            unavailable_roots=[s.path for s in statuses if s.state == "unavailable"],
            stale=stale,
            unverified=unverified,
            problem=problem,
            paused_roots=[s.path for s in statuses if s.paused],
        )

    def _watched(self, path: bytes) -> WatchRoot:
        """Return the root at a path, or where a symbolic link there leads.

        Raises:
            RootError: There is none.
        """
        given = os.path.normpath(os.fsdecode(path))
        with self._store.read() as reader:
            roots = [root for root in reader.roots() if not root.removing]
        for root in roots:
            if root.path in {given, os.path.realpath(given)}:
                return root
        raise _stranger(given, "not watched", roots)

    def _take_up(self, root: WatchRoot, *before: batch.Operation) -> wire.RootStatus:
        self._apply([*before, batch.PutRoot(root)])
        self._watcher.add(root)
        return self._status_of(root.root_id)

    def _status_of(self, root_id: RootId) -> wire.RootStatus:
        states = {state.root.root_id: state for state in self._watcher.roots()}
        with self._store.read() as reader:
            counts = reader.counts()
            root = next(root for root in reader.roots() if root.root_id == root_id)
        return _status(root, states.get(root_id), counts.get(root_id, Counts()))


def _status(root: WatchRoot, state: RootState | None, counts: Counts) -> wire.RootStatus:
    return wire.RootStatus(
        path=os.fsencode(root.path),
        state=_state_word(root, state),
        indexed=counts.indexed,
        pending=counts.pending,
        failed=counts.failed,
        include=list(root.include),
        exclude=list(root.exclude),
        hidden=root.hidden,
        problem=_paused(root) if root.paused else "" if state is None else state.problem,
        paused=root.paused,
    )


def _state_word(root: WatchRoot, state: RootState | None) -> wire.RootStateWord:
    if root.removing:
        return "removing"
    # To those who know nothing of pausing this says enough: what is told is what was last seen.
    if root.paused or (state is not None and state.is_unavailable):
        return "unavailable"
    return "watching" if state is not None and state.is_scanned else "scanning"


def _paused(root: WatchRoot) -> str:
    return f"it is paused; to go on: pspc resume {quoted(root.path)}"


def _real_directory(path: str) -> str:
    if not os.path.isabs(path):
        raise RootError(f"{quoted(path)} is not an absolute path")
    if not os.path.lexists(path):
        raise RootError(f"{quoted(path)} does not exist")
    real = os.path.realpath(path)
    if not os.path.isdir(real):
        raise RootError(f"{quoted(path)} is not a folder; add the folder it is in")
    if not os.access(real, os.R_OK | os.X_OK):
        raise RootError(f"{quoted(path)} cannot be read: permission denied")
    return real


def _stranger(path: str, how: str, roots: Sequence[WatchRoot]) -> RootError:
    watched = ", ".join(quoted(root.path) for root in roots) or "nothing"
    return RootError(f"{quoted(path)} is {how}; watched are: {watched}")


def _overlap(one: str, other: str) -> bool:
    """Say whether one of two paths is the other, or lies below it."""
    below, beneath = (path.rstrip("/") + "/" for path in (one, other))
    return below.startswith(beneath) or beneath.startswith(below)


def _refuse_nesting(path: str, root: str) -> None:
    if path.startswith(root.rstrip("/") + "/"):
        raise RootError(f"{quoted(path)} is inside {quoted(root)}, which is watched already")
    if root.startswith(path.rstrip("/") + "/"):
        raise RootError(
            f"{quoted(path)} contains {quoted(root)}, which is watched already; "
            "remove that one first"
        )

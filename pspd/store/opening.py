"""Opens the daemon's store, whatever happened to it since it was closed.

    state/MANIFEST            what must be true of the store, and the watch roots
    state/store/              the store
    state/backups/store-…/    copies of it
    state/store.bad-…/        damaged ones, put aside; never removed by the daemon

A child looks at the store first. What cannot be mended is put aside, the newest sound backup takes
its place, or an empty store with the same roots; the pictures are scanned in any case, so that all
is found again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pspd.errors import StartBrokenOff, StoreDamaged, StoreError, StoreUnusable
from pspd.log import get_logger
from pspd.noticeboard import Notice
from pspd.store import (
    backups,
    file_system,
    first_look,
    manifest,
    migrations,
    preflight,
    replacing,
)
from pspd.store.engine import DATA_FILE
from pspd.store.first_look import FOLDER
from pspd.store.manifest import Manifest, Unchecked
from pspd.store.migrations import FORMAT_VERSION
from pspd.store.opened_store import OpenedStore
from pspd.store.preflight import Look
from pspd.store.store import Store

MOST_REBUILDS = 3
"""So many within `REBUILD_SECONDS` are believed to be accidents; then a person has to look."""

REBUILD_SECONDS = 3600

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How to open."""

    map_bytes: int
    any_file_system: bool = False
    """Whether to put up with one on which LMDB is not safe."""


def open_store(
    state: Path,
    options: Options,
    *,
    is_stopping: Callable[[], bool] = lambda: False,
    look: Look | None = None,
) -> OpenedStore:
    """Open the store in a state directory that this process alone uses.

    Args:
        state: The daemon's state directory.
        options: How.
        is_stopping: Asked while it takes long whether to break off.
        look: What `first_look.begin` began; it is ended here, or with the store.

    Raises:
        StartBrokenOff: The daemon is to stop, says `is_stopping`; the next start looks anew.
        StoreTooNew: A newer version wrote it; it is left untouched.
        StoreUnusable: A person has to do something first.
        StoreError: It cannot be opened at present.
    """
    opening = _Opening(state, options, is_stopping, look)
    try:
        return opening.open()
    except BaseException:
        opening.end_look()
        raise


def rebuild(state: Path) -> list[str]:
    """Put the store aside and let the next start make another; returns what to tell.

    Raises:
        StoreError: It cannot be put aside.
    """
    opening = _Opening(state, Options(1 << 30), lambda: False, None)
    opening.put_aside()
    known = opening.known
    if known is not None:
        opening.known = msgspec.structs.replace(known, rebuilds=(), is_condemned=True)
        manifest.write(state, opening.known)
    return [f"{notice.cause}; {notice.cure}" for notice in opening.notices]


class _Opening:
    """One attempt, and what is known by now."""

    def __init__(
        self,
        state: Path,
        options: Options,
        is_stopping: Callable[[], bool],
        look: Look | None,
    ) -> None:
        self._state = state
        self._folder = state / FOLDER
        self._options = options
        self._is_stopping = is_stopping
        self._first_look = look
        self.known = manifest.read(state)
        self.notices: list[Notice] = []
        self._unchecked: Unchecked = "nothing"
        self._has_more = False
        """Whether the store is opened before all of it was looked at."""
        self._is_behind = False
        """Whether the store is older than the manifest, so that its roots count."""

    def open(self) -> OpenedStore:
        if not self._options.any_file_system:
            file_system.refuse_unsafe(self._state)
        backups.clean_up(self._state)
        reason = self._reason_to_rebuild()
        if reason:
            self._rebuild(reason)
        try:
            store = Store(self._folder, map_bytes=self._options.map_bytes)
        except StoreDamaged as error:
            self._rebuild(str(error))
            store = Store(self._folder, map_bytes=self._options.map_bytes)
        try:
            known = self._settle(store)
            self._write_manifest(known)
        except BaseException:
            store.close()
            raise
        return OpenedStore(
            self._state, store, known, self.notices, self._unchecked, self._first_look
        )

    def end_look(self) -> None:
        """End the look that was begun, if it still goes on."""
        if self._first_look is not None:
            self._first_look.close()
            self._first_look = None

    def put_aside(self) -> None:
        """Rename the store's folder, if there is one."""
        notice = replacing.put_aside(self._state)
        if notice is not None:
            self.notices.append(notice)

    # --- what is to be done

    def _reason_to_rebuild(self) -> str:
        """Say why the store cannot be used as it is; empty when it can."""
        if not first_look.size_of(self._state):
            if self.known is None:
                return ""
            is_asked_for = self.known.is_condemned and not self._folder.exists()
            return "it was put aside as asked" if is_asked_for else "its file is missing or empty"
        if self.known is not None and self.known.is_condemned:
            return "a check found damage that cannot be mended in place"
        is_clean = first_look.is_clean(self._state, self.known)
        report = self._report()
        is_looked_at = report.is_complete and report.verdict not in {"unfinished", "unusable"}
        if report.has_more and is_clean:
            # The child looks on, and the storekeeper hears of it.
            self._unchecked = self.known.unchecked if self.known else "nothing"
        elif report.has_more:
            self._unchecked = "entries"
        elif not (is_looked_at and (report.is_verified or is_clean)):
            self._unchecked = "all"
        elif not is_clean:
            # What leads where costs 20 to 40 µs an entry, for which a start cannot wait.
            self._unchecked = "entries"
        else:
            # A stop came before it was checked; this look had less time than the one before.
            self._unchecked = self.known.unchecked if self.known else "nothing"
        if report.verdict == "mended":
            self._tell_mended(report)
        is_lost = report.verdict == "fresh" and self.known is not None
        if report.verdict == "damaged" or is_lost:
            return next(iter(report.findings), "it is empty")
        return ""

    def _report(self) -> preflight.Report:
        """Have the store looked at, or hear of the look that was begun."""
        if self._first_look is None:
            self._first_look = first_look.look_at(self._state, self.known)
        report = self._judged(self._first_look.report(self._is_stopping))
        if report.has_more and not self._is_noted():
            # The next start could not know that this one did not look at everything.
            self.end_look()
            report = self._examine(self._folder)
        self._has_more = report.has_more
        if not report.has_more:
            self.end_look()
        if report.verdict == "older":
            return self._lifted(self._folder)
        return report

    def _is_noted(self) -> bool:
        """Note, before anything is opened, that not everything was looked at before."""
        if self.known is None or not self.known.opened_in:
            return True
        self.known = msgspec.structs.replace(self.known, opened_in="")
        try:
            manifest.write(self._state, self.known)
        except StoreError as error:
            _log.error("the manifest stays as it was", error=error)
            return False
        return True

    def _examine(self, folder: Path) -> preflight.Report:
        report = self._judged(
            preflight.examine(
                folder, seconds=first_look.FULL_SECONDS, is_stopping=self._is_stopping
            )
        )
        return self._lifted(folder) if report.verdict == "older" else report

    def _lifted(self, folder: Path) -> preflight.Report:
        """Lift a store of an earlier version, and have it looked at then."""
        migrations.lift(folder, is_stopping=self._is_stopping)
        return self._examine(folder)

    def _judged(self, report: preflight.Report) -> preflight.Report:
        if self._is_stopping():
            raise StartBrokenOff("it was asked to stop before the store was open")
        if report.verdict == "unfinished":
            _log.warning("the store is opened unseen, and checked later", reason=report.findings[0])
        return report

    def _tell_mended(self, report: preflight.Report) -> None:
        _log.error("the store was mended", reason=report.findings[0], dropped=report.dropped)
        cause = (
            f"values were damaged or missing ({report.findings[0]}): "
            f"{preflight.what_was_mended(report.dropped, report.queued)}"
        )
        self.notices.append(Notice("store", cause, preflight.BIT_ROT))

    def _rebuild(self, reason: str) -> None:
        # What it would tell is of the store that is put aside here.
        self.end_look()
        now = int(time.time())
        past = () if self.known is None else self.known.rebuilds
        recent = tuple(each for each in past if now - REBUILD_SECONDS < each <= now)
        if len(recent) >= MOST_REBUILDS:
            raise StoreUnusable(
                f"the store was damaged {len(recent) + 1} times within an hour ({reason}): see to "
                "the disk and the memory, then build it anew with: pspd --repair"
            )
        _log.error("the store is damaged", reason=reason)
        self.put_aside()
        self._is_behind = True
        self._unchecked = "nothing"
        before = self.known or Manifest(manifest.new_store_id(), FORMAT_VERSION)
        self.known = msgspec.structs.replace(
            before, rebuilds=(*recent, now), is_clean=False, is_condemned=False, transaction=0
        )
        manifest.write(self._state, self.known)
        restored = next((each for each in backups.find(self._state) if self._restore(each)), None)
        what = f"the backup {restored.name}" if restored else "an empty store"
        cause = f"the store could not be used ({reason}); {what} took its place"
        cure = "nothing is lost: it is brought up to date from the pictures"
        self.notices.append(Notice("store", cause, cure))

    def _restore(self, backup: Path) -> bool:
        """Put a copy of a backup in the store's place, if it is sound."""
        passing = self._state / f"{FOLDER}.new"
        shutil.rmtree(passing, ignore_errors=True)
        try:
            passing.mkdir(mode=0o700)
            shutil.copyfile(backup / DATA_FILE, passing / DATA_FILE)
        except OSError as error:
            _log.error("a backup cannot be read", path=backup, error=error)
        else:
            report = self._examine(passing)
            # It was verified when it was made, so that nothing speaks against one not looked at.
            if report.verdict in {"sound", "mended", "unfinished"}:
                passing.rename(self._folder)
                self._unchecked = "entries" if report.is_complete else "all"
                return True
        shutil.rmtree(passing, ignore_errors=True)
        return False

    # --- what is made true again

    def _write_manifest(self, known: Manifest) -> None:
        # On a full or read-only disk the store can be searched all the same.
        try:
            manifest.write(self._state, known)
        except StoreError as error:
            _log.error("the manifest stays as it was", error=error)

    def _settle(self, store: Store) -> Manifest:
        """Bring store and manifest to one opinion about its number and the roots."""
        known = self.known
        transaction = store.last_transaction()
        with store.read() as reader:
            number = reader.meta("store_id")
            roots = reader.roots()
        if known is not None and (self._is_behind or transaction < known.transaction):
            operations = replacing.differences(store, roots, known.roots)
            if operations:
                store.apply(operations)
                with store.read() as reader:
                    roots = reader.roots()
        store_id = number or (known.store_id if known else manifest.new_store_id())
        if not number:
            with suppress(StoreError):
                store.set_meta("store_id", store_id)
        return Manifest(
            store_id,
            FORMAT_VERSION,
            roots=manifest.kept(roots),
            transaction=store.last_transaction(),
            rebuilds=() if known is None else known.rebuilds,
            opened_in="" if self._has_more else first_look.opened_in(self._state),
            unchecked=self._unchecked,
            images=0 if known is None else known.images,
            files=0 if known is None else known.files,
        )

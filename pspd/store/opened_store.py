"""A store that is open, and the manifest beside it, which is kept true meanwhile.

The manifest says which watch roots there are and how the store was closed, so that the next opening
knows what to believe.
"""

from __future__ import annotations

import math
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from pspd.errors import StoreDamaged, StoreError
from pspd.log import get_logger
from pspd.noticeboard import Notice
from pspd.store import first_look, manifest
from pspd.store.engine import DATA_FILE
from pspd.store.first_look import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from pspd.core.model import WatchRoot
    from pspd.search.index import Index, Rows
    from pspd.store.manifest import KeptRoot, Manifest, Unchecked
    from pspd.store.preflight import Look, Report
    from pspd.store.store import Store

_log = get_logger(__name__)


class OpenedStore:
    """A store, with the manifest that is kept true while it is open.

    Attributes:
        store: The store.
        notices: What a person should know of its opening.
        unchecked: What the opening left for a check in the background: nothing, all but the pages,
            or all. Whoever made it sets "nothing"; the next opening leaves what is left at the end.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what an opening ends with
        self,
        state: Path,
        store: Store,
        known: Manifest,
        notices: list[Notice],
        unchecked: Unchecked,
        look: Look | None = None,
    ) -> None:
        self.store = store
        self.notices = notices
        self.unchecked: Unchecked = unchecked
        self._look = look
        self._looking = threading.Lock()
        self._state = state
        self._lock = threading.Lock()
        self._manifest = known
        store.on_roots = self._note_roots

    @property
    def roots(self) -> tuple[KeptRoot, ...]:
        """The roots as the manifest has them."""
        return self._manifest.roots

    def fill(self, index: Index) -> None:
        """Put the rows of every image into an index; mends the store if they cannot be read.

        Raises:
            StoreError: Nor can it be mended.
        """
        count = 0
        try:
            for rows in self.store.row_parts():
                count = int(rows.numbers[-1]) + 1 if len(rows) else count
                index.put(rows)
        except StoreDamaged as error:
            self._mend(error)
            # Some of what was put may be gone since.
            index.drop(range(count))
            for rows in self.store.row_parts():
                index.put(rows)

    def rows(self) -> Rows:
        """Return the rows of every image at once; otherwise as `fill`."""
        try:
            return self.store.read_columns().rows()
        except StoreDamaged as error:
            self._mend(error)
        return self.store.read_columns().rows()

    def _mend(self, error: StoreDamaged) -> None:
        _log.error("the store is mended", reason=error)
        self.store.mend(self.roots)
        cause = "the store was damaged and was mended; the files concerned are read again"
        self.notices.append(Notice("store", cause, "see to the disk; pspc check --deep"))

    def poll_look(self) -> Report | None:
        """Return what the child found that looks at the rest, once, when it is through.

        It begins with that when it is first asked for it.
        """
        with self._looking:
            report = None if self._look is None else self._look.poll()
        if report is not None:
            self._end_look()
            if report.verdict == "sound":
                self._note_that_it_is_sound()
        return report

    def _note_that_it_is_sound(self) -> None:
        """Note in which boot: a kill from now on finds a store that was looked at as a whole."""
        with suppress(StoreError):
            self._update(opened_in=first_look.opened_in(self._state))

    def _end_look(self) -> None:
        with self._looking:
            if self._look is not None:
                self._look.close()
                self._look = None

    def condemn(self) -> None:
        """Have the store built anew at the next start.

        Raises:
            StoreError: The manifest cannot be written.
        """
        self._update(is_condemned=True)

    def close(self, deadline: float = math.inf) -> None:
        """Close the store, and note that it was closed in order.

        Args:
            deadline: Of `time.monotonic()`; if somebody reads it longer, it is left as in a crash.
        """
        self._end_look()
        with self.store.read() as reader:
            counts = reader.counts().values()
            images = reader.meta("pictures")
        transaction = self.store.last_transaction()
        if not self.store.close(deadline):
            _log.warning("the store is left open: it is still read; the next start checks it")
            return
        # Then the next start looks at all of it; or there is none, with its folder.
        with suppress(StoreError, FileNotFoundError):
            self._update(
                is_clean=not self._manifest.is_condemned,
                opened_in="",
                unchecked=self.unchecked,
                transaction=transaction,
                images=images,
                files=sum(each.indexed + each.failed for each in counts),
                bytes=(self._state / FOLDER / DATA_FILE).stat().st_size,
            )

    def _note_roots(self, roots: list[WatchRoot]) -> None:
        try:
            self._update(roots=manifest.kept(roots), transaction=self.store.last_transaction())
        except StoreError as error:
            _log.error("the watch roots are not noted beside the store", error=error)

    def _update(self, **changes: object) -> None:
        with self._lock:
            changed = msgspec.structs.replace(self._manifest, **changes)
            manifest.write(self._state, changed)
            self._manifest = changed

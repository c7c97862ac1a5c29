"""The images that have no learned descriptor yet, page by page; what cannot be read is passed over.

What is below a folder that is not there, or paused, is not even tried: a drive in a drawer may have
a million pictures, and each try costs an order to a thread and a failed look at the disk. Trying
them took a core and a half for 95 seconds, each hour.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pspd.store import descriptors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from pspd.core.model import ImageNumber, ModelKey, RootId
    from pspd.store.reader import Reader
    from pspd.store.store import Store

PAGE_IMAGES: Final = 64
"""Images that are stored together; what is lost by a death is this much work."""

AGAIN_SECONDS: Final = 3600.0
"""When images are tried again that could not be read: a program may have held them."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some images that follow each other."""

    numbers: Sequence[ImageNumber]
    """Those that can be tried."""
    beyond: Sequence[ImageNumber] = ()
    """Those that are out of reach."""
    last: int = -1
    """The highest number looked at; -1 when there is nothing more."""


@dataclass(slots=True)
class Undescribed:
    """Where describing is, and what it has passed over; for one thread, but for `unread`."""

    store: Store
    resting: Callable[[], AbstractSet[RootId]]
    """Says which watch roots are not there, or paused."""
    unread: int = 0
    """Images that cannot be read, or of which the model makes nothing."""
    suspect: int = -1
    """Up to this image they are described one by one."""
    _after: int = -1
    """Images up to here were tried."""
    _again_at: float = math.inf
    """When those that could not be read are tried again."""
    _passed_over: AbstractSet[RootId] = field(default_factory=frozenset)
    """The roots that were resting when last asked."""
    _is_all_beyond: bool = False
    """Whether those were all there are, so that nothing was looked at."""

    def next_page(self, model: ModelKey) -> Page:
        """Return the images that come next."""
        resting = self.resting()
        is_back = bool(self._passed_over - resting)
        self._passed_over = resting
        with self.store.read() as reader:
            was_all, self._is_all_beyond = self._is_all_beyond, _are_all(reader, resting)
            if (
                is_back
                or time.monotonic() >= self._again_at
                or (was_all and not self._is_all_beyond)
            ):
                self.begin_anew()
            if self._is_all_beyond:
                self.unread = reader.meta("pictures")
                return Page(())
            found = descriptors.undescribed(reader, model, self._after, PAGE_IMAGES)
            numbers, beyond = _parted(reader, found, resting)
        return Page(numbers, beyond, found[-1] if found else -1)

    def pass_over(self, page: Page) -> None:
        """Leave out a page of which nothing can be tried."""
        self.unread += len(page.beyond)
        self._after = page.last

    def note(self, page: Page, tried: Sequence[ImageNumber], unread: int) -> None:
        """Note how far it is, and how many of those that were tried cannot be described for now."""
        if not tried:
            return
        # What lies behind the last one is tried, or passed over, with the next page.
        is_whole = tried[-1] == page.numbers[-1]
        after = page.last if is_whole else tried[-1]
        self.unread += unread + sum(number <= after for number in page.beyond)
        self._after = after
        if unread and self._again_at == math.inf:
            self._again_at = time.monotonic() + AGAIN_SECONDS

    def begin_anew(self) -> None:
        """Try all again: another model is in use, or what was not there is back."""
        self._after, self._again_at, self.unread = -1, math.inf, 0
        self.suspect = -1


def _are_all(reader: Reader, resting: AbstractSet[RootId]) -> bool:
    """Say whether every watch root is resting, and there is one."""
    return bool(resting) and all(
        root.removing or root.root_id in resting for root in reader.roots()
    )


def _parted(
    reader: Reader, found: Sequence[ImageNumber], resting: AbstractSet[RootId]
) -> tuple[list[ImageNumber], list[ImageNumber]]:
    """Return the images with a file within reach, and those with files below resting roots alone.

    Those that are only kept in case their files come back are in neither: they can wait.
    """
    if not resting:
        return [number for number in found if reader.has_links(number)], []
    numbers: list[ImageNumber] = []
    beyond: list[ImageNumber] = []
    for number in found:
        directories = [reader.directory(key.directory) for key in reader.links(number)]
        if any(each is not None and each.root_id not in resting for each in directories):
            numbers.append(number)
        elif directories:
            beyond.append(number)
    return numbers, beyond

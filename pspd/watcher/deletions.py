"""Whether to believe that much of a root is gone: a deletion is hinted at, a vanished drive is not.

A network drive may answer with an empty listing, a disk may be exchanged under a folder; both look
as if a person had deleted everything, all of it at once or bit by bit. So what would make more than
half of a root drop within the time of a second look, without as many hints of deletions, waits for
that look, or for a person's word.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pspd.core.model import Counts, DirectoryId, FileState, WatchRoot
from pspd.store import batch

if TYPE_CHECKING:
    from pspd.store.reader import Reader
    from pspd.store.store import Store

FEWEST_RECORDS = 100
"""A root of so many records or fewer is believed at once: little is lost, and soon read again."""

HINTED_SHARE = 10
"""One hint of a deletion for so many things that are gone is enough: of a burst that overflowed the
kernel's queue only a part is told."""


@dataclass(slots=True)
class Doomed:
    """What one sweep found to be gone from one root."""

    root: WatchRoot
    operations: list[batch.Operation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """How many files of a root were known once."""

    moment: float
    """By the monotonic clock, in seconds."""
    files: int


@dataclass(slots=True)
class Suspicion:
    """How much of a root seems gone, and since when."""

    files: int = 0
    """Records that wait to be dropped; 0 when nothing is suspicious."""
    until: float = 0.0
    """When a second look is believed, by the monotonic clock."""
    is_renewed: bool = False
    """Whether the scan at hand found it as well."""
    hinted: int = 0
    """Hints of deletions that no sweep has used yet; none are left over when it is done, unless
    others were lost."""
    are_hints_lost: bool = False
    """Whether the kernel's queue overflowed since the last whole scan."""
    lately: deque[Known] = field(default_factory=deque)
    """How many files were known whenever some were to be dropped that nobody hinted at."""

    def forget_hints(self) -> None:
        """Leave no hint of one thing's deletion for another's: a rename is hinted at as well."""
        if not self.are_hints_lost:
            self.hinted = 0

    def believe(self, store: Store, doomed: Doomed, patience: float | None) -> bool:
        """Say whether what is gone may be dropped, and remember the answer.

        Args:
            store: Where the records are.
            doomed: What is gone.
            patience: Seconds until a second look is believed; None when a person confirmed it.
        """
        needed = len(doomed.operations)
        is_hinted = self.hinted * HINTED_SHARE >= needed
        self.hinted = max(0, self.hinted - needed)
        if is_hinted and not self.lately and not self.files:
            return True
        lost, known = _count(store, doomed)
        if is_hinted:
            self.lately = deque(Known(each.moment, each.files - lost) for each in self.lately)
            self.files = max(0, self.files - lost)
            return True
        now = time.monotonic()
        is_second_look = self.files > 0 and now >= self.until
        if patience is not None:
            while self.lately and self.lately[0].moment <= now - patience:
                self.lately.popleft()
            self.lately.append(Known(now, known))
            if is_little(max(each.files for each in self.lately), known - lost):
                return True
        if patience is None or is_second_look:
            self.files = 0
            self.lately.clear()
            return True
        if not self.files:
            self.until = now + patience
        self.files = lost
        self.is_renewed = True
        return False


def is_little(most: int, left: int) -> bool:
    """Say whether the loss is too small to be suspicious: of a small root, or at most half.

    Not the dropped are counted but those that are left: a card that is exchanged brings others.

    Args:
        most: How many files were known lately.
        left: How many would be.
    """
    return most <= FEWEST_RECORDS or 2 * left >= most


def directories_dropped(store: Store, operations: Sequence[batch.Operation]) -> list[DirectoryId]:
    """Return the directories that operations drop, those below them included."""
    found: list[DirectoryId] = []
    with store.read() as reader:
        for operation in operations:
            if isinstance(operation, batch.RemoveDirectory):
                found += _below(reader, operation.directory_id)
    return found


def removal(store: Store, root: WatchRoot) -> Iterator[tuple[list[DirectoryId], batch.Operation]]:
    """Yield what drops a root bit by bit, from the leaves up, each with the directories it drops.

    What is yielded has to be applied before the next is asked for.
    """
    stack = [root.directory]
    while stack:
        with store.read() as reader:
            children = [child.directory_id for child in reader.children(stack[-1])]
        if children:
            stack.extend(children)
            continue
        number = stack.pop()
        yield [number], batch.RemoveDirectory(number) if stack else batch.ForgetRoot(root)


def _count(store: Store, doomed: Doomed) -> tuple[int, int]:
    """Return how many files of a root are gone, and how many are known.

    Of those that were read, for the others have nothing to lose.
    """
    with store.read() as reader:
        counts = reader.counts().get(doomed.root.root_id, Counts())
        lost = 0
        for operation in doomed.operations:
            if isinstance(operation, batch.FileGone):
                record = reader.file(operation.key)
                lost += record is not None and record.state is not FileState.PENDING
            elif isinstance(operation, batch.RemoveDirectory):
                for number in _below(reader, operation.directory_id):
                    records = reader.files_in(number).values()
                    lost += sum(record.state is not FileState.PENDING for record in records)
    return lost, counts.indexed + counts.failed


def _below(reader: Reader, top: DirectoryId) -> list[DirectoryId]:
    found, stack = [], [top]
    while stack:
        number = stack.pop()
        found.append(number)
        stack += [child.directory_id for child in reader.children(number)]
    return found

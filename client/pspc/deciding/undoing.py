"""Takes back what a journal tells of, the last act first, also one that a crash cut short."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from pspc.deciding.files import ActError, LostError, exchange, move, seen, sync_folder
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    from pspc.deciding.journal import Act, Entry, Journal


def take_back(entry: Entry, journal: Journal) -> None:
    """Put a file back as it was.

    Raises:
        ActError: It is not done; the sentence says where the file is. A `LostError` is noted, and
            not tried again.
        JournalError: The journal cannot be written.
    """
    try:
        if entry.act.do == "trash":
            _out_of_trash(entry.act)
        else:
            _unlinked(entry.act)
    except LostError:
        journal.note(entry.number, "lost")
        raise
    except OSError as error:
        where = f"; it is {printable(entry.act.to)}" if entry.act.do == "trash" else ""
        reason = error.strerror or error
        text = f"{printable(entry.act.path)} cannot be put back: {reason}{where}"
        raise ActError(text) from error
    journal.note(entry.number, "undone")


def _out_of_trash(act: Act) -> None:
    if not os.path.lexists(act.to):
        # It was not moved, or somebody put it back; else it is gone.
        _require(act.path, act.image, f"{printable(act.path)} is not in the trash any more")
    elif os.path.lexists(act.path):
        raise ActError(
            f"there is another {printable(act.path)}; what was there is {printable(act.to)}"
        )
    else:
        _require(act.to, act.image, f"{printable(act.to)}, from the trash, has changed")
        # Who empties a folder mostly removes it.
        os.makedirs(os.path.dirname(act.path), exist_ok=True)
        move(act.to, act.path)
        sync_folder(os.path.dirname(act.path))
    # Where a file of somebody else's came to that place meanwhile, the note is of that.
    if not os.path.lexists(act.to):
        with suppress(OSError):
            os.unlink(act.other)


def _unlinked(act: Act) -> None:
    if os.path.lexists(act.to):
        _end_what_was_begun(act)
    _require(act.path, act.image, f"{printable(act.path)} has changed since it was linked")
    status = os.lstat(act.path)
    if status.st_ino != act.inode:
        return  # it was not linked yet, or is not any more
    if status.st_nlink == 1:
        # The other name is gone, and this is a file of its own.
        os.chmod(act.path, act.mode)
        os.utime(act.path, ns=(act.mtime_ns, act.mtime_ns))
        return
    try:
        with open(act.path, "rb") as source, open(act.to, "xb") as target:
            shutil.copyfileobj(source, target)
            os.fchmod(target.fileno(), act.mode)
            target.flush()
            os.utime(target.fileno(), ns=(act.mtime_ns, act.mtime_ns))
            os.fsync(target.fileno())
        exchange(act.to, act.path)
        if os.lstat(act.to).st_ino != act.inode:
            exchange(act.to, act.path)
            raise ActError(f"{printable(act.path)} has changed; nothing was done")
    finally:
        with suppress(OSError):
            os.unlink(act.to)
    sync_folder(os.path.dirname(act.path))


def _end_what_was_begun(act: Act) -> None:
    """Tidy up what a crash left under the passing name: the link, or the file that was there."""
    _require(act.to, act.image, f"{printable(act.to)} is not what it was")
    if os.lstat(act.to).st_ino != act.inode and os.lstat(act.path).st_ino == act.inode:
        exchange(act.to, act.path)
    os.unlink(act.to)


def _require(path: bytes, image: str, otherwise: str) -> None:
    try:
        seen(path, image)
    except ActError as error:
        raise LostError(otherwise) from error

"""Takes back what a journal tells of, the last act first, also one that a crash cut short."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from pspc.deciding.files import (
    ActError,
    ChangedError,
    LostError,
    exchange,
    exchange_for,
    move,
    seen,
    sync_folder,
)
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    from pspc.deciding.files import Seen
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
    except ActError:
        _note_stuck(entry, journal)
        raise
    except OSError as error:
        _note_stuck(entry, journal)
        where = f"; it is {printable(entry.act.to)}" if entry.act.do == "trash" else ""
        reason = error.strerror or error
        text = f"{printable(entry.act.path)} cannot be put back: {reason}{where}"
        raise ActError(text) from error
    journal.note(entry.number, "undone")


def _note_stuck(entry: Entry, journal: Journal) -> None:
    """Note that it was tried, so that the next undo goes on with what was done before."""
    if entry.state != "stuck":
        journal.note(entry.number, "stuck")


def _out_of_trash(act: Act) -> None:
    if not os.path.lexists(act.to):
        _require_in_place(act)
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


def _require_in_place(act: Act) -> None:
    """See that what is not in the trash was not moved, or was put back by somebody."""
    if os.path.lexists(act.path):
        _require(act.path, act.image, f"{printable(act.path)} is not in the trash, and has changed")
    elif os.path.isdir(os.path.dirname(act.to)):
        raise LostError(f"{printable(act.path)} is not in the trash any more")
    else:
        trash = printable(os.path.dirname(act.to))
        raise ActError(f"{printable(act.path)}: its trash {trash} is not there; is a drive away?")


def _unlinked(act: Act) -> None:
    # A name of its own: before the exchange it has a copy, and afterwards the link.
    copy = act.to + b"-undo"
    for name in (act.to, copy):
        if os.path.lexists(name):
            _end_what_was_begun(act, name)
    there = _require(act.path, act.image, f"{printable(act.path)} has changed since it was linked")
    if there.inode != act.inode:
        return  # it was not linked yet, or is not any more
    if there.links == 1:
        # The other name is gone, and this is a file of its own.
        os.chmod(act.path, act.mode)
        os.utime(act.path, ns=(act.mtime_ns, act.mtime_ns))
        return
    try:
        with open(act.path, "rb") as source, open(copy, "wb") as target:
            shutil.copyfileobj(source, target)
            # Tags and access lists, which both had, or they would not have been linked.
            shutil.copystat(act.path, copy)
            with suppress(PermissionError):
                os.fchown(target.fileno(), *there.owner)
            os.fchmod(target.fileno(), act.mode)
            target.flush()
            os.utime(target.fileno(), ns=(act.mtime_ns, act.mtime_ns))
            os.fsync(target.fileno())
        exchange_for(copy, act.path, there)
    except OSError:
        with suppress(OSError):
            os.unlink(copy)
        raise
    os.unlink(copy)
    sync_folder(os.path.dirname(act.path))


def _end_what_was_begun(act: Act, passing: bytes) -> None:
    """Tidy up what a crash left under a passing name: the link, a copy, or what was there before.

    Raises:
        LostError: It may be what somebody saved at that moment, and stays.
    """
    is_linked = os.path.lexists(act.path) and os.lstat(act.path).st_ino == act.inode
    if os.lstat(passing).st_ino != act.inode:
        if not is_linked:
            raise LostError(f"{printable(passing)} is left of {printable(act.path)}")
        if passing == act.to:
            exchange(passing, act.path)
    os.unlink(passing)


def _require(path: bytes, image: str, otherwise: str) -> Seen:
    """Return what a file is, if it is what it was; what cannot be read may be again."""
    try:
        return seen(path, image)
    except ChangedError as error:
        raise LostError(otherwise) from error

"""Does what a plan says with one file: both files are read first, and the journal is written."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pspc.deciding.files import (
    ActError,
    ChangedError,
    Seen,
    exchange_for,
    extended,
    is_still,
    move,
    real_path,
    seen,
    sync_folder,
)
from pspc.deciding.journal import Act
from pspc.deciding.plans import PlanError
from pspc.deciding.trash import is_in_trash, trash_of
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pspc.deciding.journal import Journal
    from pspc.deciding.plans import Line
    from pspc.deciding.trash import Place


def refuse_aliases(lines: Sequence[Line]) -> None:
    """Refuse a plan that names one file twice, by whatever path.

    Raises:
        PlanError: It does.
    """
    named: dict[bytes, bytes] = {}
    for line in lines:
        real = real_path(line.path)
        if real in named:
            both = f"{printable(named[real])} and {printable(line.path)}"
            raise PlanError(f"{both} are one file; nothing was done")
        named[real] = line.path


def carry_out(
    line: Line, kept: Sequence[Line], journal: Journal, environ: Mapping[str, str]
) -> None:
    """Move a file to the trash, or link it to one with the same bytes.

    Args:
        line: What to do.
        kept: What its group keeps.
        journal: Where it is noted, before and after.
        environ: Says where the trash is.

    Raises:
        ActError: It is not done; the file is where it was, or where the sentence says.
        JournalError: The journal cannot be written; nothing more is to be done.
    """
    there, other, keeper = check(line, kept, environ)
    try:
        if line.do == "link":
            _link(line, keeper, there, other, journal)
        else:
            _trash(line, keeper, there, other, journal, environ)
    except OSError as error:
        raise ActError(f"{printable(line.path)}: {error.strerror or error}") from error


def check(line: Line, kept: Sequence[Line], environ: Mapping[str, str]) -> tuple[Seen, Seen, Line]:
    """See that a file, and what is kept for it, are what the plan says.

    Returns:
        What both are, and the one that is kept.

    Raises:
        ActError: They are not, or nothing is kept for it.
    """
    if not kept:
        raise ActError(f"{printable(line.path)}: group {line.group} keeps nothing")
    there = seen(line.path, line.image)
    path = real_path(line.path)
    for each in (line, *kept):
        if is_in_trash(real_path(each.path), environ):
            raise ActError(f"{printable(each.path)} is in a trash")
    # All of them, for which of them this one is a copy of only the reader of the plan knows.
    others = [(seen(each.path, each.image), each) for each in kept]
    for other, keeper in others:
        is_same = (other.device, other.inode) == (there.device, there.inode)
        if real_path(keeper.path) == path or (is_same and there.links == 1):
            raise ActError(f"{printable(line.path)}: the one that is kept is this one")
    if line.do != "link":
        trash_of(path, environ)
        return there, *others[0]
    equal = [(other, keeper) for other, keeper in others if keeper.image == line.image]
    if not equal:
        raise ActError(f"{printable(line.path)}: none that is kept has the same bytes")
    problems = [_why_not_linked(line, there, other, keeper) for other, keeper in equal]
    for (other, keeper), problem in zip(equal, problems, strict=True):
        if not problem:
            return there, other, keeper
    raise ActError(problems[0])


def _why_not_linked(line: Line, there: Seen, other: Seen, keeper: Line) -> str:
    """Say why a file cannot be linked to a kept one; empty if it can."""
    name = printable(line.path)
    if (there.device, there.inode) == (other.device, other.inode):
        return f"{name} is linked to {printable(keeper.path)} already"
    if there.device != other.device:
        return f"{name}: what is kept lies on another file system"
    if (there.mode, there.owner) != (other.mode, other.owner):
        return f"{name}: owner or permissions differ from what is kept"
    if extended(line.path) != extended(keeper.path):
        return f"{name}: tags or access lists differ from what is kept"
    return ""


def _trash(  # noqa: PLR0913, PLR0917 - both files, and where it is noted
    line: Line,
    keeper: Line,
    there: Seen,
    other: Seen,
    journal: Journal,
    environ: Mapping[str, str],
) -> None:
    # A folder may be a link: where the file is must not depend on it when it is taken back.
    path = real_path(line.path)
    trash = trash_of(path, environ)
    note = trash.note(path, time.time())
    for place in trash.places(path):
        act = Act(
            "trash",
            path,
            line.image,
            there.size,
            there.mtime_ns,
            there.mode,
            place.file,
            place.info,
            there.inode,
        )
        number = journal.begin(act)
        try:
            _write_new(place.info, note)
        except FileExistsError:
            journal.note(number, "void")
            continue
        except OSError:
            journal.note(number, "void")
            raise
        try:
            move(path, place.file)
        except OSError:
            with suppress(OSError):
                os.unlink(place.info)
            journal.note(number, "void")
            raise
        if not is_still(place.file, there) or not is_still(keeper.path, other):
            _put_back(place, path)
            journal.note(number, "void")
            raise ActError(f"{printable(path)}, or what is kept, has changed; it is where it was")
        sync_folder(os.path.dirname(place.file))
        journal.note(number, "done")
        return


def _write_new(path: bytes, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def _put_back(place: Place, path: bytes) -> None:
    """Move back what somebody put there between the look at it and the move."""
    try:
        move(place.file, path)
    except OSError as error:
        raise ActError(
            f"{printable(path)} has changed, and is {printable(place.file)} now: {error.strerror}"
        ) from error
    with suppress(OSError):
        os.unlink(place.info)


def _link(line: Line, keeper: Line, there: Seen, other: Seen, journal: Journal) -> None:
    path, keeper_path = real_path(line.path), real_path(keeper.path)
    passing = os.path.join(os.path.dirname(path), b".psp-" + secrets.token_hex(8).encode())
    act = Act(
        "link",
        path,
        line.image,
        there.size,
        there.mtime_ns,
        there.mode,
        passing,
        keeper_path,
        other.inode,
    )
    number = journal.begin(act)
    try:
        os.link(keeper_path, passing, follow_symlinks=False)
        if os.lstat(passing).st_ino != other.inode:
            raise ChangedError(f"{printable(keeper.path)}, which is kept, has changed")
        exchange_for(passing, path, there)
    except (OSError, ActError):
        # What lies there may be what somebody saved meanwhile.
        with suppress(OSError):
            if os.lstat(passing).st_ino == other.inode:
                os.unlink(passing)
        journal.note(number, "void")
        raise
    os.unlink(passing)
    sync_folder(os.path.dirname(path))
    journal.note(number, "done")

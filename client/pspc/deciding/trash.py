"""Where a file goes that is thrown away: the trash of the FreeDesktop.org specification 1.0.

https://specifications.freedesktop.org/trash-spec/latest/ : the home trash for files of its own file
system; else `.Trash/UID` at the top of the file's file system, where an administrator made a
`.Trash` with the sticky bit; else `.Trash-UID` there. Send2Trash does the same and does not tell
where a file went, without which nothing can be taken back after a crash.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from pspc.deciding.files import ActError
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PRIVATE = 0o700
_MOST_NAMES = 10_000
_LONGEST_NAME = 200
_LONGEST_SUFFIX = 20
"""Bytes of a name in the trash: a number and `.trashinfo` are still added."""


class Place(NamedTuple):
    """Where one file may go."""

    file: bytes
    info: bytes
    """Says where it came from; who makes this file has the place."""


class Trash(NamedTuple):
    """One trash folder."""

    folder: bytes
    top: bytes | None = None
    """The folder that its paths are relative to; None where they are absolute."""

    def places(self, path: bytes) -> Iterator[Place]:
        """Yield places for a file, by its own name first; some may be taken.

        Raises:
            ActError: The folder cannot be made, or is not this user's.
        """
        for name in (b"files", b"info"):
            _make_private(os.path.join(self.folder, name))
        stem, suffix = os.path.splitext(os.path.basename(path))
        if len(suffix) > _LONGEST_SUFFIX:
            stem, suffix = stem + suffix, b""
        if len(stem) > _LONGEST_NAME:
            stem = stem[:_LONGEST_NAME].decode("utf-8", "ignore").encode()
        for number in range(1, _MOST_NAMES):
            name = stem + (b".%d" % number if number > 1 else b"") + suffix
            info = os.path.join(self.folder, b"info", name + b".trashinfo")
            place = Place(os.path.join(self.folder, b"files", name), info)
            if not os.path.lexists(place.file) and not os.path.lexists(info):
                yield place
        raise ActError(f"the trash {printable(self.folder)} has too many files of that name")

    def note(self, path: bytes, moment: float) -> bytes:
        """Return what the info file says of a file."""
        where = path if self.top is None else os.path.relpath(path, self.top)
        deleted = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(moment))
        return f"[Trash Info]\nPath={quote(where)}\nDeletionDate={deleted}\n".encode("ascii")


def trash_of(path: bytes, environ: Mapping[str, str]) -> Trash:
    """Return the trash that a file belongs in.

    Raises:
        ActError: Its folder is gone.
    """
    folder = os.path.dirname(path)
    try:
        device = os.lstat(folder).st_dev
    except OSError as error:
        raise ActError(f"{printable(folder)}: {error.strerror}") from error
    home = _home_trash(environ)
    if _device_of(home) == device:
        return Trash(home)
    top = folder
    while os.path.dirname(top) != top and os.lstat(os.path.dirname(top)).st_dev == device:
        top = os.path.dirname(top)
    user = b"%d" % os.getuid()
    shared = os.path.join(top, b".Trash")
    if _is_sticky_folder(shared):
        return Trash(os.path.join(shared, user), top)
    return Trash(os.path.join(top, b".Trash-" + user), top)


def is_in_trash(path: bytes, environ: Mapping[str, str]) -> bool:
    """Say whether a file was thrown away: what is kept must not go when a trash is emptied."""
    folders = path.split(b"/")[:-1]
    is_in_any = any(name == b".Trash" or name.startswith(b".Trash-") for name in folders)
    home = os.path.join(os.path.realpath(_home_trash(environ)), b"")
    return is_in_any or path.startswith(home)


def _home_trash(environ: Mapping[str, str]) -> bytes:
    data = environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(data):
        # The specification of base directories: such a value is to be ignored.
        data = os.path.expanduser("~/.local/share")
    return os.path.join(os.fsencode(data), b"Trash")


def _device_of(path: bytes) -> int:
    """Return the file system that a folder is on, or will be once it is made."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return os.stat(path).st_dev


def _is_sticky_folder(path: bytes) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX)


def _make_private(path: bytes) -> None:
    """Make a folder, and see that it is one of this user's alone."""
    try:
        os.makedirs(path, _PRIVATE, exist_ok=True)
        status = os.lstat(path)
    except OSError as error:
        raise ActError(f"no trash can be made at {printable(path)}: {error.strerror}") from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise ActError(f"{printable(path)} is no trash of yours")

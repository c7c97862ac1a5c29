"""Files as they are at the moment something is done to them: read, digested, not exchanged."""

from __future__ import annotations

import base64
import ctypes
import errno
import os
import stat
from contextlib import suppress
from typing import NamedTuple

from pspc.digests import new_digest
from pspc.documents import path_base64, path_text
from pspc.errors import PspcError
from pspd.rpc.wire import printable

_CHUNK = 1 << 20

_LIBC = ctypes.CDLL(None, use_errno=True)
_AT_FDCWD = -100
_NOREPLACE, _EXCHANGE = 1, 2
"""Flags of renameat2(2), of Linux."""


class ActError(PspcError):
    """One thing that could not be done; the rest goes on."""


class ChangedError(ActError):
    """A file is there, and is not what it was."""


class LostError(ActError):
    """What cannot be taken back, now or later: the file is not what it was, or nowhere."""


class Seen(NamedTuple):
    """What a file was when its bytes were read."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    mode: int
    owner: tuple[int, int]
    links: int
    """Names that it has."""

    @classmethod
    def of(cls, status: os.stat_result) -> Seen:
        """Take what matters of a stat."""
        owner = (status.st_uid, status.st_gid)
        mode, links = stat.S_IMODE(status.st_mode), status.st_nlink
        return cls(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, mode, owner, links
        )


def seen(path: bytes, image: str) -> Seen:
    """Read a file, and see that it is what it was.

    Args:
        path: A regular file; a link is none.
        image: Its digest, in hexadecimal.

    Raises:
        ChangedError: It is another one.
        ActError: It is gone, no regular file, or cannot be read.
    """
    digest, before, after = _read(path, os.O_NOFOLLOW)
    if digest != image or before != after or not is_still(path, after):
        raise ChangedError(f"{printable(path)} has changed; search for its copies anew")
    return after


def digest_of(path: bytes) -> str:
    """Return the digest of a file's bytes, in hexadecimal, as `image` of a hit.

    Raises:
        ActError: It is gone, no regular file, or cannot be read.
        ChangedError: It is being written.
    """
    digest, before, after = _read(path, 0)
    if before != after:
        raise ChangedError(f"{printable(path)} is being written; try again")
    return digest


def _read(path: bytes, flags: int) -> tuple[str, Seen, Seen]:
    """Digest a file's bytes; returns what it was before and after as well."""
    flags |= os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise ActError(f"{printable(path)} cannot be read: {error.strerror}") from error
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise ActError(f"{printable(path)} is no regular file")
        digest = new_digest()
        while part := os.read(descriptor, _CHUNK):
            digest.update(part)
        return digest.hexdigest(), Seen.of(before), Seen.of(os.fstat(descriptor))
    except OSError as error:
        raise ActError(f"{printable(path)} cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def is_still(path: bytes, there: Seen) -> bool:
    """Say whether a name leads to the file that was seen, unchanged."""
    try:
        return Seen.of(os.lstat(path)) == there
    except OSError:
        return False


def move(source: bytes, target: bytes) -> None:
    """Move a file within a file system, and never over another one.

    In one step: between a link and an unlink somebody may put another file there, which would be
    lost with the old name.

    Raises:
        OSError: `FileExistsError` where there is something; or it cannot be moved.
    """
    if _renamed(source, target, _NOREPLACE):
        return
    # FAT and some network file systems do not know that; the moment between is as short as can be.
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "something is there already", target)
    os.rename(source, target)


def exchange_for(passing: bytes, path: bytes, there: Seen) -> None:
    """Put a file in the place of another one, if that is still the one that was seen.

    Args:
        passing: The new file, under a name that nobody else knows. Afterwards what was in its place
            has that name.
        path: The place.
        there: What is to be there.

    Raises:
        ChangedError: Another one is there, and stays.
        OSError: The file system cannot do that; nothing was done.
    """
    own = os.lstat(passing)
    exchange(passing, path)
    if is_still(passing, there):
        return
    try:
        exchange(passing, path)
        is_own = os.path.samestat(os.lstat(passing), own)
    except OSError:
        is_own = False
    if not is_own:
        # Saved once more in this moment: neither version is to be lost.
        raise ChangedError(
            f"{printable(path)} has changed; a version of it is {printable(passing)}"
        )
    os.unlink(passing)
    raise ChangedError(f"{printable(path)} has changed; it is where it was")


def exchange(one: bytes, other: bytes) -> None:
    """Have two files take each other's names, in one step.

    Raises:
        OSError: `EOPNOTSUPP` where the file system cannot do that.
    """
    if not _renamed(one, other, _EXCHANGE):
        raise OSError(errno.EOPNOTSUPP, "this file system cannot exchange two files", one)


def _renamed(source: bytes, target: bytes, flags: int) -> bool:
    """Call renameat2(2); returns whether it is there, and the file system knows these flags."""
    call = getattr(_LIBC, "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, source, _AT_FDCWD, target, flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}:
        return False
    raise OSError(number, os.strerror(number), source, None, target)


def sync_folder(folder: bytes) -> None:
    """Have a folder's entries survive a power cut, where the file system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def real_path(path: bytes) -> bytes:
    """Return a file's path without links in its folders; the file may be one itself."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def extended(path: bytes) -> dict[str, bytes]:
    """Return a file's extended attributes (tags, access lists), where the system has them."""
    if not hasattr(os, "listxattr"):
        return {}
    try:
        return {name: os.getxattr(path, name) for name in os.listxattr(path)}
    except OSError:
        return {}


def path_fields(name: str, path: bytes) -> dict[str, str]:
    """Return a path as JSON can carry it: to be read, and exact where that is not."""
    fields = {name: path_text(path)}
    exact = path_base64(path)
    if isinstance(exact, str):
        fields[f"{name}_base64"] = exact
    return fields


def path_of(text: str, exact: str | None) -> bytes:
    """Inverse of `path_fields`.

    Raises:
        ValueError: `exact` is no base 64.
    """
    return text.encode() if exact is None else base64.b64decode(exact, validate=True)

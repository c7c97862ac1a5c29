"""What lies under the store: the kind of its file system, and the room that is left."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pspd.errors import StoreUnusable
from pspd.rpc.wire import quoted

REFUSED: Mapping[int, str] = {
    0x6969: "NFS",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB",
    0x517B: "SMB",
    0x65735546: "FUSE",
    0x01021997: "9P",
    0x00C36400: "Ceph",
    0x5346414F: "AFS",
    0x47504653: "GPFS",
    0x73757245: "Coda",
    0x0BD00BD0: "Lustre",
}
"""Magic numbers of statfs(2) of file systems on which LMDB's shared memory, locks or syncs do not
hold what they promise. OverlayFS is not among them: what is written lies in the layer above, on an
ordinary file system, and containers have nothing else."""

_SHARE_KEPT = 20
"""One part in so many of a disk is kept free, when that is less than the configured floor: a small
disk is not to be locked out."""


def refuse_unsafe(folder: Path) -> None:
    """Refuse a folder on a file system that does not keep a store safe.

    Raises:
        StoreUnusable: It is on a network or a FUSE file system.
    """
    name = REFUSED.get(magic_of(folder))
    if name is not None:
        raise StoreUnusable(
            f"the store's folder {quoted(os.fspath(folder))} is on {name}, on which the store "
            "cannot be kept safe; set paths.state to a folder on a local disk, or "
            'store.file_systems to "any" and take the risk'
        )


def magic_of(folder: Path) -> int:
    """Return the magic number of a folder's file system; 0 where it cannot be told."""
    if sys.platform != "linux":
        return 0
    library = ctypes.CDLL(None, use_errno=True)
    # struct statfs begins with a long, the magic number; the rest is smaller than the space given.
    answer = (ctypes.c_long * 64)()
    if library.statfs(os.fsencode(folder), ctypes.byref(answer)) != 0:
        return 0
    return int(answer[0]) & 0xFFFF_FFFF


def missing_room(folder: Path, floor: int) -> int:
    """Return how many bytes are missing to what is to be kept free on a folder's disk.

    Args:
        folder: Any on that disk.
        floor: Bytes to keep free; on a disk of less than twenty times as much, a twentieth.
    """
    status = os.statvfs(folder)
    size = status.f_blocks * status.f_frsize
    return max(0, min(floor, size // _SHARE_KEPT) - status.f_bavail * status.f_frsize)


def free_bytes(folder: Path) -> int:
    """Return how much this user may still write on a folder's disk."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize

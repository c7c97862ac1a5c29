"""What is mounted where, from Linux's /proc/self/mountinfo (proc(5)); nothing on other systems."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

MOUNT_TABLE = "/proc/self/mountinfo"

POLLED_FILE_SYSTEMS = frozenset(
    {
        "9p",
        "afs",
        "autofs",
        "ceph",
        "cifs",
        "coda",
        "fuse",
        "fuseblk",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "overlay",
        "prl_fs",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
    }
)
"""Where others can change files without this kernel's knowing: network drives, what a program
serves, folders shared with a virtual machine's host, and the layers below an overlay."""

_ESCAPED = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system, the topmost at its place."""

    number: int
    """The kernel's number of the mount."""
    device: int
    """As a stat's `st_dev` has it; some file systems (Btrfs) give their files other ones."""
    path: str
    kind: str
    """The file system's type, such as "ext4" or "fuse.sshfs"."""


class MountTable:
    """The mounts as they were when last asked, and those that ever were.

    Args:
        path: The kernel's table.
        polled: File systems whose changes others can make.
    """

    def __init__(
        self, path: str = MOUNT_TABLE, polled: Collection[str] = POLLED_FILE_SYSTEMS
    ) -> None:
        self._path = path
        self._polled = polled
        self._mounts: Mapping[str, Mount] = {}
        self._devices: Mapping[int, Mount] = {}
        self._were: set[str] = set()

    def renew(self) -> set[str]:
        """Read the table; returns the places where something came, went or was replaced."""
        before = self._mounts
        self._mounts = {mount.path: mount for mount in _read(self._path)}
        self._devices = {mount.device: mount for mount in self._mounts.values()}
        self._were |= before.keys()
        places = before.keys() | self._mounts.keys()
        return {place for place in places if before.get(place) != self._mounts.get(place)}

    def was_mounted(self, path: str) -> bool:
        """Say whether something was mounted at a path, and nothing is now."""
        return path in self._were and path not in self._mounts

    def polled_kind(self, device: int) -> Mount | None:
        """Return the mount of a device if others can change its files unseen."""
        mount = self._devices.get(device)
        if mount is None or mount.kind.partition(".")[0] not in self._polled:
            return None
        return mount


def _read(path: str) -> list[Mount]:
    try:
        with open(path, "rb") as table:
            lines = table.read().splitlines()
    except OSError:
        return []
    return [mount for line in lines if (mount := _parsed(line)) is not None]


def _parsed(line: bytes) -> Mount | None:
    """Parse `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`."""
    head, _, tail = line.partition(b" - ")
    fields, kinds = head.split(b" "), tail.split(b" ")
    if len(fields) < 6 or not kinds[0]:  # noqa: PLR2004 - up to the mount's options
        return None
    major, _, minor = fields[2].partition(b":")
    where = _ESCAPED.sub(lambda match: bytes([int(match[1], 8)]), fields[4])
    device = os.makedev(int(major), int(minor))
    return Mount(int(fields[0]), device, os.fsdecode(where), kinds[0].decode("ascii", "replace"))

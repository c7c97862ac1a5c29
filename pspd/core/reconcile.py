"""Stamps seen and records known in, changes out: the one place that decides what happened.

Start-up scans, rescans, hints of the notifier and `pspc sync` all end here. Nothing in it looks at
a file system: what is added, modified, moved or removed follows from values alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pspd.core.model import DirectoryId, FileKey, FileStamp, StampFields

FINE_GRAIN_NS = 20_000_000
"""Two writes closer than this may leave equal times. Kernels before 6.13 stamp files with the
clock of the last timer tick (4 or 10 ms); twice the longer one."""

COARSE_GRAIN_NS = 2_000_000_000
"""The same for file systems that keep whole seconds (FAT: two, many network drives: one)."""


@dataclass(frozen=True, slots=True)
class Added:
    """A file that the store does not know."""

    key: FileKey
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class Modified:
    """A file whose content may differ from what is known."""

    key: FileKey
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class Suspect:
    """A file that is probably as known, and to be read to prove it.

    Its stamp was taken too soon, or only its device has another number: a drive was plugged in
    again, at another place in the order. Until it is read, the record answers for it.
    """

    key: FileKey
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class Moved:
    """A file that is now elsewhere; its record goes with it."""

    old: FileKey
    key: FileKey
    stamp: FileStamp
    old_stamp: FileStamp
    """As the store knew it."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A file that is no longer where it was."""

    key: FileKey
    stamp: FileStamp
    """As the store knew it."""


Change = Added | Modified | Suspect | Moved | Removed


Known = tuple[StampFields, bool]
"""What is known of a file: its stamp, and whether it is racy."""


def reconcile(
    directory: DirectoryId, seen: Mapping[str, StampFields], known: Mapping[str, Known]
) -> list[Change]:
    """Compare what a look at a directory saw with what the store knows of it, by name.

    Both mappings must cover the same part of the directory: a known file that was not seen is
    removed. What is new comes in the order of its name: the store's pages are fuller for it by a
    third.
    """
    changes: list[Change] = []
    added: list[Added] = []
    for name, fields in seen.items():
        record = known.get(name)
        if record is not None and record == (fields, False):
            continue
        stamp = FileStamp.of(fields)
        key = FileKey(directory, name)
        if record is None:
            added.append(Added(key, stamp))
            continue
        before, is_racy = record
        if before == stamp:
            changes += [Suspect(key, stamp)] if is_racy else []
        elif FileStamp(*before)._replace(device=stamp.device) == stamp:
            changes.append(Suspect(key, stamp))
        else:
            changes.append(Modified(key, stamp))
    changes.extend(sorted(added, key=lambda change: change.key))
    changes.extend(
        Removed(FileKey(directory, name), FileStamp(*before))
        for name, (before, _) in known.items()
        if name not in seen
    )
    return changes


def match_moves(changes: Iterable[Change]) -> list[Change]:
    """Join each added file with the removed one that it was, if there is one.

    The two are the same when device, inode, size and modification time are; a rename changes the
    status-change time. An inode may be used again at once (seen on ext4) by a file of equal size
    and time, so whoever applies a move reads the file again to confirm it; until then the record
    answers for it.
    """
    changes = list(changes)
    origins: dict[tuple[int, int, int, int], list[Removed]] = {}
    for change in changes:
        if isinstance(change, Removed):
            origins.setdefault(_identity(change.stamp), []).append(change)
    if not origins:
        return changes
    moved: list[Change] = []
    used: set[FileKey] = set()
    for change in changes:
        if isinstance(change, Added) and (candidates := origins.get(_identity(change.stamp))):
            origin = candidates.pop()
            used.add(origin.key)
            moved.append(Moved(origin.key, change.key, change.stamp, origin.stamp))
        else:
            moved.append(change)
    return [change for change in moved if not (isinstance(change, Removed) and change.key in used)]


def racy_for(stamp: FileStamp, now_ns: int) -> int:
    """Return for how long a file may still change with its stamp staying equal, in ns.

    The "racily clean" problem of git's index (Documentation/technical/racy-git.txt). Only the
    status-change time counts: every change sets it and no program can. The grain is taken from
    the stamp: a time of whole seconds comes from a file system that keeps no more. A time in the
    future (another machine's clock) stays racy for as long as it is.

    Args:
        stamp: The file's stamp.
        now_ns: The wall clock, ns since the epoch.
    """
    coarse = stamp.ctime_ns % 1_000_000_000 == 0
    grain = COARSE_GRAIN_NS if coarse else FINE_GRAIN_NS
    return max(0, stamp.ctime_ns + grain - now_ns)


def _identity(stamp: FileStamp) -> tuple[int, int, int, int]:
    return (stamp.device, stamp.inode, stamp.size, stamp.mtime_ns)

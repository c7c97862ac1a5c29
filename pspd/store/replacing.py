"""What it takes to put another store in one's place: the old one aside, the roots as they were."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pspd.core.model import Directory, DirectoryId
from pspd.errors import StoreError
from pspd.noticeboard import Notice
from pspd.rpc.wire import quoted
from pspd.store import manifest
from pspd.store.batch import Operation, PutDirectory, PutRoot
from pspd.store.first_look import FOLDER

if TYPE_CHECKING:
    from pspd.core.model import WatchRoot
    from pspd.store.manifest import KeptRoot
    from pspd.store.store import Store

BAD_PREFIX = "store.bad-"


def put_aside(state: Path) -> Notice | None:
    """Rename the store's folder in a state directory; returns what to tell, if there is one.

    Raises:
        StoreError: It cannot be renamed.
    """
    folder = state / FOLDER
    if not folder.exists():
        return None
    name = BAD_PREFIX + time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    place = state / name
    number = 1
    while place.exists():
        number += 1
        place = state / f"{name}-{number}"
    try:
        folder.rename(place)
        manifest.sync_folder(state)
    except OSError as error:
        raise StoreError(
            f"the damaged store {quoted(os.fspath(folder))} cannot be put aside: {error.strerror}"
        ) from error
    cure = f"when nothing is missing, free its space: rm -r {quoted(os.fspath(place))}"
    cause = "the old store was put aside, and another is built from the pictures"
    return Notice("store", cause, cure, os.fspath(place))


def differences(
    store: Store, roots: list[WatchRoot], wanted: tuple[KeptRoot, ...]
) -> list[Operation]:
    """Return what makes the roots of a store those of the manifest, which is newer."""
    operations: list[Operation] = []
    there = {root.path: root for root in roots if not root.removing}
    for kept in wanted:
        old = there.pop(kept.path, None)
        if old is not None:
            operations.append(PutRoot(kept.as_root(old.root_id, old.directory)))
            continue
        root = kept.as_root(store.new_root_id(), store.new_directory_id())
        # Device and inode are noted by the watcher, when it scans the root.
        top = Directory(root.directory, root.root_id, DirectoryId(0), "", 0, 0)
        operations += [PutDirectory(top), PutRoot(root)]
    for gone in there.values():
        operations.append(PutRoot(replace(gone, removing=True)))
    return operations

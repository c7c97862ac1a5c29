"""Small records for the store's tests."""

from __future__ import annotations

import hashlib

from pspd.core.model import (
    Directory,
    DirectoryId,
    Features,
    FileStamp,
    ImageId,
    RootId,
    WatchRoot,
)
from pspd.store import batch
from pspd.store.store import Store


def stamp(number: int = 1) -> FileStamp:
    return FileStamp(size=number, mtime_ns=number, ctime_ns=number, inode=number, device=1)


def image_id(content: int) -> ImageId:
    return ImageId(hashlib.blake2b(b"%d" % content, digest_size=32).digest())


def features(content: int, *, version: int = 1) -> Features:
    digest = image_id(content)
    return Features(
        version=version,
        image_id=digest,
        format="PNG",
        width=10 + content,
        height=20,
        channels=3,
        size=content,
        frames=1,
        orientation=1,
        mean=(1.0, 2.0, 3.0),
        quality=50,
        phash64=digest[:8],
        phash256=digest,
    )


def add_root(store: Store, path: str = "/pictures") -> WatchRoot:
    root = WatchRoot(root_id=store.new_root_id(), path=path, directory=store.new_directory_id())
    store.apply([batch.PutDirectory(top_of(root)), batch.PutRoot(root)])
    return root


def top_of(root: WatchRoot) -> Directory:
    return Directory(root.directory, root.root_id, DirectoryId(0), "", 1, root.directory)


def add_directory(store: Store, root: WatchRoot, parent: DirectoryId, name: str) -> Directory:
    number = store.new_directory_id()
    directory = Directory(number, RootId(root.root_id), parent, name, 1, 1000 + number)
    store.apply([batch.PutDirectory(directory)])
    return directory

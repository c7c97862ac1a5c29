"""Small records for the store's tests."""

from __future__ import annotations

import hashlib

from pspd.core.model import (
    Directory,
    DirectoryId,
    FailureReason,
    Features,
    FileKey,
    FileStamp,
    ImageId,
    ImageNumber,
    ModelKey,
    PixelDigest,
    QuarantineEntry,
    RootId,
    Turn,
    WatchRoot,
)
from pspd.store import batch
from pspd.store.store import Store

MODEL = ModelKey("sscd@0123456789abcdef")


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


def add_everything(store: Store) -> None:
    """Put a bit of everything into a store."""
    root = add_root(store)
    sub = add_directory(store, root, root.directory, "sub")
    names = [FileKey(root.directory, "a.png"), FileKey(sub.directory_id, "b.png")]
    for content, key in enumerate(names):
        [(sequence, _)] = store.apply([batch.FileSeen(key, stamp())]).queued
        store.apply(
            [batch.FileIndexed(key, sequence, stamp(), False, image_id(content), features(content))]
        )
    failed, gone = FileKey(root.directory, "broken.png"), FileKey(root.directory, "gone.png")
    [(sequence, _)] = store.apply([batch.FileSeen(failed, stamp())]).queued
    store.apply([batch.FileFailed(failed, sequence, stamp(), False, FailureReason.BROKEN, "x")])
    [(sequence, _)] = store.apply([batch.FileSeen(gone, stamp())]).queued
    store.apply([batch.FileIndexed(gone, sequence, stamp(), False, image_id(9), features(9))])
    store.apply([batch.FileGone(gone), batch.FileSeen(FileKey(root.directory, "new.png"), stamp())])
    store.apply([batch.PixelsKnown(ImageNumber(0), PixelDigest(1, bytes(32)))])
    quarter = batch.CopyFound(ImageNumber(0), Turn.ROTATE_90, 5)
    compared = [
        batch.Compared(ImageNumber(number), features(content).phash256, copies)
        for number, content, copies in ((0, 0, ()), (1, 1, (quarter,)), (2, 9, ()))
    ]
    store.apply([batch.ImagesCompared(0, 3, tuple(compared))])
    store.apply([batch.DescriptorsKnown(MODEL, ImageNumber(0), bytes([1, 127, 255]))])
    poison = QuarantineEntry(FailureReason.CRASHED, "died", "/poison.png", 1, 2, "pillow 13")
    store.apply([batch.PutQuarantine(image_id(7), poison)])

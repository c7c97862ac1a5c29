"""What must be true between the databases, asked entry by entry within one read transaction.

Each function takes an entry that is whole by itself and yields what is wrong with what it leads to,
and with what must lead to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pspd.core.model import (
    DirectoryId,
    FileKey,
    FileRecord,
    FileState,
    ImageNumber,
)
from pspd.store import codec, copies, descriptors, image_codec, keys, shapes
from pspd.store.reader import Reader

Rule = Callable[[Reader, bytes, bytes], Iterator[str]]


def _root(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    root = codec.decode_root(keys.root_from_key(key), body)
    top = reader.directory(root.directory)
    if top is None or top.parent or top.root_id != root.root_id:
        yield "has no directory of its own"


def _directory(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    number = DirectoryId(keys.number_from_key(key))
    directory = codec.decode_directory(number, body)
    # Not that its inode leads to it: `inodes` is a hint, by which a directory that moved is known
    # again. Two may have one inode, such as in a bind mount, and the entry of both goes with one.
    if not directory.parent:
        root = reader.get("roots", keys.root_key(directory.root_id))
        if root is None or codec.decode_root(directory.root_id, root).directory != number:
            yield "is the top of no root"
        return
    parent = reader.directory(directory.parent)
    if parent is None or parent.root_id != directory.root_id:
        yield "has no parent"
    child = reader.child(directory.parent, directory.name)
    if child is None or child.directory_id != number:
        yield "is not found by its name"


def _child(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    directory = reader.directory(DirectoryId(codec.decode_number(body)))
    if directory is None:
        yield "leads to no directory"
    elif keys.file_key(FileKey(directory.parent, directory.name)) != key:
        yield "leads to a directory of another name"


def _inode(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    directory = reader.directory(DirectoryId(codec.decode_number(body)))
    if directory is None:
        yield "leads to no directory"
    elif keys.inode_key(directory.device, directory.inode) != key:
        yield "leads to a directory with another inode"


def _file(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    record, _ = codec.decode_file(body)
    if reader.directory(DirectoryId(keys.number_from_key(key))) is None:
        yield "is in no directory"
    if (record.state is FileState.INDEXED) != (record.image is not None):
        yield "is linked and not indexed, or the other way round"
    if record.image is not None:
        if reader.image(record.image) is None:
            yield "is linked to no image"
        if reader.get("links", keys.link_key(record.image, key)) is None:
            yield "is not found by its image"
    if record.sequence and reader.get("pending", keys.number_key(record.sequence)) != key:
        yield "is queued and not in the queue"
    if record.state is FileState.PENDING and not record.sequence:
        yield "is pending and not queued"
    if record.state is FileState.FAILED and reader.get("failures", key) is None:
        yield "failed without a reason"


def _file_at(reader: Reader, raw: bytes) -> FileRecord | None:
    body = reader.get("files", raw)
    return None if body is None else codec.decode_file(body)[0]


def _pending(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    record = _file_at(reader, body)
    if record is None or record.sequence != keys.number_from_key(key):
        yield "leads to no file that waits there"


def _failure(reader: Reader, key: bytes, _body: bytes) -> Iterator[str]:
    record = _file_at(reader, key)
    if record is None or record.state is not FileState.FAILED:
        yield "is of no file that failed"


def _image(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    number = ImageNumber(keys.number_from_key(key))
    image = image_codec.decode_image(number, body)
    if reader.number_of(image.image_id) != number:
        yield "is not found by its digest"
    if number >= reader.meta("next_image"):
        yield "has a number that was never given"
    if reader.quality(number) != image.quality:
        yield "has no row in the columns"
    is_orphan = reader.get("orphans", key) is not None
    if bool(reader.has_links(number)) == is_orphan:
        yield "has files and is an orphan" if is_orphan else "has no file and is no orphan"
    if number < reader.meta("compared") and copies.lacks_mark(reader, number):
        yield "has several files and no mark that says so"
    if not descriptors.is_accounted_for(reader, number):
        yield "has no descriptor, and nobody misses it"


def _digest(reader: Reader, key: bytes, _body: bytes) -> Iterator[str]:
    image = reader.image(keys.image_from_digest_key(key))
    if image is None or keys.digest_key(image.image_id, image.number) != key:
        yield "leads to no image of this content"


def _link(reader: Reader, key: bytes, _body: bytes) -> Iterator[str]:
    record = _file_at(reader, keys.file_of_link(key))
    if record is None or record.image != keys.number_from_key(key):
        yield "leads to no file with this image"


def _block(reader: Reader, key: bytes, body: bytes) -> Iterator[str]:
    other = reader.get("columns", keys.column_key(shapes.Column.QUALITY, keys.block_of(key)))
    rows = len(body) // shapes.WIDTHS[key[0]]
    if other is None or len(other) != rows * shapes.WIDTHS[shapes.Column.QUALITY]:
        yield "has other rows than the block of qualities"


def _of_image(reader: Reader, key: bytes, _body: bytes) -> Iterator[str]:
    if reader.get("images", key) is None:
        yield "is of no image"


RULES: Mapping[str, Rule] = {
    "roots": _root,
    "directories": _directory,
    "children": _child,
    "inodes": _inode,
    "files": _file,
    "pending": _pending,
    "failures": _failure,
    "images": _image,
    "digests": _digest,
    "links": _link,
    "orphans": _of_image,
    "pixels": _of_image,
    "columns": _block,
    "copies": copies.problems,
    "models": descriptors.model_problems,
    "descriptors": descriptors.descriptor_problems,
    "undescribed": descriptors.gap_problems,
}
"""The rules of each database; what concerns sums is in `pspd.store.checking`."""

"""Turns a store into what an earlier version would have made of the same pictures."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import lmdb
import numpy as np

from pspd.core.model import FileKey, ImageNumber
from pspd.store import checksum, codec, image_codec, keys, shapes
from pspd.store.file_ledger import cut_name
from pspd.store.format_1 import DATABASES
from pspd.store.reader import Reader
from pspd.store.store import Store

BLOCK_ROWS = 4096

_FILE = struct.Struct("<QqqQQBBQQ")
_IMAGE = struct.Struct("<H32sQIBBB3fIIB")

NEW_NUMBERS = frozenset({b"compared", b"copies", b"copy_rule"})
"""Of `meta`, those that format 1 did not have."""

Entry = tuple[bytes, bytes]


def make_format_1(folder: Path, *, map_bytes: int = 1 << 26) -> None:
    """Rewrite a closed store as format 1 had it."""
    store = Store(folder, map_bytes=map_bytes)
    old = folder.with_name("older")
    environment = lmdb.open(str(old), max_dbs=20, lib_version=0, map_size=map_bytes)
    with store.read() as reader, environment.begin(write=True) as transaction:
        for name in DATABASES:
            database = environment.open_db(name.encode(), transaction)
            for key, body in _entries(reader, name):
                transaction.put(key, checksum.seal(key, body), db=database)
    environment.close()
    store.close()
    shutil.rmtree(folder)
    old.rename(folder)


def _entries(reader: Reader, name: str) -> Iterator[Entry]:  # noqa: C901 - one line a case
    if name == "columns":
        yield from _columns(reader)
        return
    for key, body in reader.items(name):
        if name == "meta" and key in NEW_NUMBERS:
            continue
        match name:
            case "meta":
                yield key, codec.encode_number(1) if key == b"format" else body
            case "directories" | "children" | "failures" | "orphans" | "pixels":
                yield _long(key), body
            case "pending":
                yield _long(key), _long(body)
            case "links":
                yield _long(key[:5]) + _long(key[5:]), body
            case "files":
                yield _long(key), _file(key, body)
            case "images":
                yield _long(key), _image(key, body)
            case "digests":
                image = reader.image(keys.image_from_digest_key(key))
                assert image is not None
                yield image.image_id, codec.encode_number(image.number)
            case _:
                yield key, body


def _long(key: bytes) -> bytes:
    return bytes(3) + key


def _file(key: bytes, body: bytes) -> bytes:
    record, full_name = codec.decode_file(body)
    assert full_name == cut_name(FileKey(*keys.file_from_key(key, full_name)))
    image = 2**64 - 1 if record.image is None else record.image
    flags = record.racy | 2 * record.not_picture
    return _FILE.pack(*record.stamp, record.state, flags, image, record.sequence) + full_name


def _image(key: bytes, body: bytes) -> bytes:
    image = image_codec.decode_image(ImageNumber(keys.number_from_key(key)), body)
    name = image.format.encode()
    first = (image.version, image.image_id, image.size, image.frames)
    second = (image.orientation, image.channels, image.quality, *image.mean)
    return _IMAGE.pack(*first, *second, image.width, image.height, len(name)) + name


def _columns(reader: Reader) -> Iterator[Entry]:
    found = reader.columns()
    cells = {
        shapes.Column.PHASH64: found.phash64.view("u1").reshape(-1, 8),
        shapes.Column.SHAPE: found.shapes.view("u1").reshape(-1, 8),
        shapes.Column.QUALITY: found.quality.reshape(-1, 1),
        shapes.Column.PHASH256: found.phash256.view("u1").reshape(-1, 32),
    }
    used = len(reader.numbers()) and int(reader.numbers()[-1]) + 1
    for column, rows in cells.items():
        for block in range(-(-used // BLOCK_ROWS)):
            part = rows[block * BLOCK_ROWS : (block + 1) * BLOCK_ROWS]
            fill = shapes.NO_ROW if column is shapes.Column.QUALITY else 0
            full = np.full((BLOCK_ROWS, rows.shape[1]), fill, dtype=np.uint8)
            full[: len(part)] = part
            yield keys.column_key(column, block), full.tobytes()

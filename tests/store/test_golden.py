"""Old bytes decode, new bytes are as documented, and foreign bytes are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspd.core.model import (
    Counts,
    Directory,
    DirectoryId,
    FailureReason,
    Features,
    FileKey,
    FileRecord,
    FileStamp,
    FileState,
    ImageId,
    ImageNumber,
    ImageRecord,
    ModelKey,
    PixelDigest,
    QuarantineEntry,
    RootId,
    Turn,
    WatchRoot,
)
from pspd.errors import StoreError
from pspd.store import (
    checksum,
    codec,
    columns,
    copy_codec,
    descriptor_codec,
    format_1,
    image_codec,
    keys,
)
from pspd.store.copy_codec import Pair
from pspd.store.descriptor_codec import OPEN_END, Gap, ModelRecord

GOLDEN = Path(__file__).with_name("golden.json")
GOLDEN_1 = Path(__file__).with_name("golden_1.json")
"""Bytes that format 1 had."""

FILE = FileRecord(
    FileStamp(1, -(10**18), 2, 3, 2**64 - 1), FileState.INDEXED, True, ImageNumber(4), 5, False
)
DIRECTORY = Directory(DirectoryId(7), RootId(1), DirectoryId(6), "caf\udce9", 8, 9)
IMAGE = ImageRecord(
    ImageNumber(4),
    1,
    ImageId(bytes(range(32))),
    "JPEG",
    640,
    480,
    3,
    1000,
    1,
    6,
    (1.5, 2.5, 3.5),
    80,
)
ROOT = WatchRoot(RootId(1), "/p\udcff", ("*.jpg",), ("cache",), True, False, DirectoryId(7))

FEATURES = Features(
    version=1,
    image_id=IMAGE.image_id,
    format="JPEG",
    width=640,
    height=480,
    channels=3,
    size=1000,
    frames=1,
    orientation=6,
    mean=IMAGE.mean,
    quality=80,
    phash64=bytes(range(8)),
    phash256=bytes(range(100, 132)),
)

MODEL = ModelKey("sscd-distilled@00112233aabbccdd")
MODEL_RECORD = ModelRecord("sscd-distilled", 512, 70_000, 3)

QUARANTINE = QuarantineEntry(FailureReason.CRASHED, "why", "/p\udcff", 2**33, 2, "pillow 13.0.0")

SAMPLES: dict[str, tuple[Callable[[], bytes], Callable[[bytes], object], object]] = {
    "number": (lambda: codec.encode_number(2**40), codec.decode_number, 2**40),
    "file": (lambda: codec.encode_file(FILE, b"full"), codec.decode_file, (FILE, b"full")),
    "directory": (
        lambda: codec.encode_directory(DIRECTORY),
        lambda body: codec.decode_directory(DirectoryId(7), body),
        DIRECTORY,
    ),
    "image": (
        lambda: image_codec.encode_image(IMAGE),
        lambda body: image_codec.decode_image(ImageNumber(4), body),
        IMAGE,
    ),
    "pixels": (
        lambda: image_codec.encode_pixels(PixelDigest(1, bytes(32))),
        image_codec.decode_pixels,
        PixelDigest(1, bytes(32)),
    ),
    "counts": (
        lambda: codec.encode_counts(Counts(1, 2, 3, 4)),
        codec.decode_counts,
        Counts(1, 2, 3, 4),
    ),
    "failure": (
        lambda: codec.encode_failure("broken", "why", b""),
        codec.decode_failure,
        ("broken", "why", b""),
    ),
    "quarantine": (
        lambda: codec.encode_quarantine(QUARANTINE),
        codec.decode_quarantine,
        QUARANTINE,
    ),
    "pair key": (
        lambda: copy_codec.pair_key(4, 2**40),
        lambda key: copy_codec.decode(key, copy_codec.encode_pair(Turn.NONE, 0)),
        Pair(ImageNumber(4), ImageNumber(2**40), Turn.NONE, 0),
    ),
    "pair": (
        lambda: copy_codec.encode_pair(Turn.TRANSVERSE, 256),
        lambda body: copy_codec.decode(copy_codec.pair_key(1, 2), body),
        Pair(ImageNumber(1), ImageNumber(2), Turn.TRANSVERSE, 256),
    ),
    "mark key": (
        lambda: copy_codec.mark_key(copy_codec.AGAIN, 4),
        lambda key: copy_codec.decode(key, b""),
        (4, ImageNumber(4)),
    ),
    "model": (
        lambda: descriptor_codec.encode_record(MODEL_RECORD),
        descriptor_codec.decode_record,
        MODEL_RECORD,
    ),
    "model key": (
        lambda: descriptor_codec.model_code(MODEL),
        lambda key: descriptor_codec.model_key(key, "sscd-distilled"),
        MODEL,
    ),
    "descriptor key": (
        lambda: descriptor_codec.entry_key(descriptor_codec.model_code(MODEL), 4),
        lambda key: (descriptor_codec.model_of(key), descriptor_codec.number_of(key)),
        (bytes.fromhex("00112233aabbccdd"), 4),
    ),
    "last gap": (
        lambda: codec.encode_number(OPEN_END),
        lambda body: descriptor_codec.decode_gap(descriptor_codec.entry_key(bytes(8), 4), body),
        Gap(4, 2**40),
    ),
    "root": (
        lambda: codec.encode_root(ROOT),
        lambda body: codec.decode_root(RootId(1), body),
        ROOT,
    ),
    "paused key": (
        lambda: keys.paused_key(RootId(12)),
        lambda key: RootId(int(key.removeprefix(b"paused "))),
        12,
    ),
    "sealed": (
        lambda: checksum.seal(b"key", b"body"),
        lambda value: checksum.unseal(b"key", value),
        b"body",
    ),
    "file key": (
        lambda: keys.file_key(FileKey(DirectoryId(7), "a\udcff.jpg")),
        keys.file_from_key,
        FileKey(DirectoryId(7), "a\udcff.jpg"),
    ),
    "link key": (
        lambda: keys.link_key(ImageNumber(4), b"\0\0\0\0\7a.jpg"),
        keys.file_of_link,
        b"\0\0\0\0\7a.jpg",
    ),
    "digest key": (
        lambda: keys.digest_key(ImageId(bytes(range(32))), ImageNumber(4)),
        keys.image_from_digest_key,
        4,
    ),
    "row": (
        lambda: b"".join(columns.row_of(FEATURES).cells().values()),
        lambda row: (row[7::-1], row[8:16], row[16], row[17:]),
        (
            FEATURES.phash64,
            b"\xe0\1\0\0\x80\2\0\0",
            FEATURES.quality,
            FEATURES.phash256,
        ),
    ),
    "cut file key": (
        lambda: keys.file_key(FileKey(DirectoryId(7), "x" * 500)),
        lambda key: keys.file_from_key(key, b"x" * 500),
        FileKey(DirectoryId(7), "x" * 500),
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_old_bytes_decode_to_what_they_meant(name: str) -> None:
    golden = json.loads(GOLDEN.read_text())

    assert SAMPLES[name][1](bytes.fromhex(golden[name])) == SAMPLES[name][2]


@pytest.mark.parametrize("name", SAMPLES)
def test_bytes_written_now_are_the_golden_ones(name: str) -> None:
    """If this fails on purpose: bump FORMAT_VERSION, add a migration, and new golden bytes."""
    golden = json.loads(GOLDEN.read_text())

    assert SAMPLES[name][0]().hex() == golden[name]


KEY_1 = "0000000000000007"

LIFTED: dict[str, tuple[str, str]] = {
    "file": ("files", KEY_1 + "61"),
    "directory": ("directories", KEY_1),
    "image": ("images", "0000000000000004"),
    "failure": ("failures", KEY_1 + "61"),
    "quarantine": ("quarantine", "00" * 32),
    "root": ("roots", "00000001"),
    "pixels": ("pixels", KEY_1),
    "counts": ("counters", "00000001"),
}
"""Database and key of what format 1 had of each kind."""


@pytest.mark.parametrize("name", LIFTED)
def test_bytes_of_format_1_are_lifted_to_what_they_meant(name: str) -> None:
    database, key = LIFTED[name]
    body = bytes.fromhex(json.loads(GOLDEN_1.read_text())[name])

    _, lifted = format_1.lifted(database, bytes.fromhex(key), body)

    assert SAMPLES[name][1](lifted) == SAMPLES[name][2]


@pytest.mark.parametrize("name", ["file key", "cut file key"])
def test_keys_of_format_1_are_lifted_to_what_they_meant(name: str) -> None:
    key = bytes.fromhex(json.loads(GOLDEN_1.read_text())[name])

    assert format_1.lifted("failures", key, b"")[0] == SAMPLES[name][0]()
    link = format_1.lifted("links", bytes([0, 0, 0, 0, 0, 0, 0, 4]) + key, b"")[0]
    assert link == keys.link_key(ImageNumber(4), SAMPLES[name][0]())


@pytest.mark.parametrize("name", [*LIFTED, "number"])
def test_a_body_of_format_1_that_makes_no_sense_is_refused_or_harmless(name: str) -> None:
    database, key = LIFTED.get(name, ("digests", "00" * 32))
    if database in {"files", "images", "digests"}:
        with pytest.raises(StoreError):
            format_1.lifted(database, bytes.fromhex(key), b"?")
    else:
        assert format_1.lifted(database, bytes.fromhex(key), b"?")[1] == b"?"


_TIMES = st.integers(-(2**63), 2**63 - 1)


@given(_TIMES, _TIMES, st.integers(0, 2**64 - 1), st.sampled_from(FileState))
def test_any_stamp_comes_back(mtime: int, ctime: int, number: int, state: FileState) -> None:
    stamp = FileStamp(number, mtime, ctime, number, number)
    image = ImageNumber(number >> 24) if number % 2 else None
    record = FileRecord(stamp, state, bool(number % 3), image, number, bool(number % 5))

    assert codec.decode_file(codec.encode_file(record, b"name")) == (record, b"name")


@given(st.binary(max_size=40), st.binary(max_size=80))
def test_a_value_that_was_not_sealed_under_its_key_is_refused(key: bytes, value: bytes) -> None:
    with pytest.raises(StoreError):
        checksum.unseal(key, value)


@given(st.binary(max_size=40), st.binary(min_size=1, max_size=200), st.data())
def test_any_flipped_bit_is_noticed(key: bytes, body: bytes, data: st.DataObject) -> None:
    value = bytearray(checksum.seal(key, body))
    bit = data.draw(st.integers(0, 8 * len(value) - 1))
    value[bit // 8] ^= 1 << bit % 8

    with pytest.raises(StoreError):
        checksum.unseal(key, bytes(value))


@given(st.binary(min_size=1, max_size=700).filter(lambda raw: b"/" not in raw and b"\0" not in raw))
def test_keys_fit_lmdb_and_different_names_have_different_keys(raw: bytes) -> None:
    name = raw.decode("utf-8", "surrogateescape")
    key = keys.link_key(ImageNumber(1), keys.file_key(FileKey(DirectoryId(2), name)))

    assert len(key) <= 511
    assert key != keys.link_key(ImageNumber(1), keys.file_key(FileKey(DirectoryId(2), name + "x")))

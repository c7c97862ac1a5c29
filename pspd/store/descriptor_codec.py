"""Entries of the databases of learned descriptors: keys and bodies in, values out, and back.

models       <8 bytes model>             = name, dimensions, described, gaps
descriptors  <8 bytes model> <u40 image> = one signed byte a dimension
undescribed  <8 bytes model> <u40 first> = u64 end     images from `first` to `end` - 1 lack one

The 8 bytes are the digits of a `ModelKey`. Where a model has hundreds of bytes a picture they cost
nothing (seven rows fit into a page, as with two bytes), and a descriptor says by itself what it is
of: of a model's record that is lost only the name is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

import msgspec

from pspd.core.model import ImageNumber, ModelKey
from pspd.errors import StoreDamaged
from pspd.store import keys
from pspd.store.codec import Natural, decode_number, refusing

MODEL_BYTES: Final = 8

MOST_DIMENSIONS: Final = 1 << 14

KEY_BYTES: Final = (MODEL_BYTES + keys.NUMBER_BYTES, MODEL_BYTES + keys.NUMBER_BYTES)
"""Fewest and most, in `descriptors` and `undescribed`; likewise the next ones."""
BODY_BYTES: Final = (1, MOST_DIMENSIONS)
RECORD_BYTES: Final = (6, 512)

OPEN_END: Final = keys.LARGEST_NUMBER + 1
"""The end of a model's last gap: images that are still to come lack a descriptor as well."""

LOST_NAME: Final = "unnamed"
"""What a model is called whose record was lost, until somebody describes with it again."""

_MODEL_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}@[0-9a-f]{16}", re.ASCII)

_encode = msgspec.msgpack.Encoder().encode


class _Record(msgspec.Struct, array_like=True, gc=False):
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=MOST_DIMENSIONS)]
    described: Natural
    gaps: Natural


_decode_record = msgspec.msgpack.Decoder(_Record).decode


@dataclass(slots=True)
class ModelRecord:
    """What the store keeps of one model."""

    name: str
    dimensions: int
    """Bytes of each of its descriptors."""
    described: int = 0
    """Images that have one."""
    gaps: int = 0
    """Entries in `undescribed`."""


class Gap(NamedTuple):
    """Consecutive numbers of which no image has a descriptor; some are of no image."""

    first: int
    end: int
    """The number after the last one."""


def model_code(model: ModelKey) -> bytes:
    """Return the 8 bytes that stand for a model.

    Raises:
        ValueError: It is no `NAME@` with 16 hexadecimal digits in lower case.
    """
    if not _MODEL_KEY.fullmatch(model):
        raise ValueError(f"{model!r} is no key of a model")
    return bytes.fromhex(model[-2 * MODEL_BYTES :])


def model_name(model: ModelKey) -> str:
    """Return the name in a model's key."""
    return model.rpartition("@")[0]


def model_key(code: bytes, name: str) -> ModelKey:
    """Inverse of `model_code` and `model_name`."""
    return ModelKey(f"{name}@{code.hex()}")


def entry_key(code: bytes, number: int) -> bytes:
    """Key in `descriptors` and `undescribed`."""
    return code + keys.number_key(number)


def model_of(key: bytes) -> bytes:
    """Return the 8 bytes of the model that an entry is of."""
    return key[:MODEL_BYTES]


def number_of(key: bytes) -> ImageNumber:
    """Return the number in an entry's key."""
    return ImageNumber(keys.number_from_key(key[MODEL_BYTES:]))


def encode_record(record: ModelRecord) -> bytes:
    """Encode a model's record; its 8 bytes are the key."""
    return _encode((record.name, record.dimensions, record.described, record.gaps))


@refusing
def decode_record(body: bytes) -> ModelRecord:
    """Inverse of `encode_record`."""
    found = _decode_record(body)
    return ModelRecord(found.name, found.dimensions, found.described, found.gaps)


def decode_gap(key: bytes, body: bytes) -> Gap:
    """Decode an entry of `undescribed`, whose body is the end as a number.

    Raises:
        StoreDamaged: It is none.
    """
    first, end = number_of(key), decode_number(body)
    if not first < end <= OPEN_END:
        raise StoreDamaged(f"a gap from {first:,} to {end:,} is none")
    return Gap(first, end)

"""The bodies of the values of `images` and `pixels`, as `pspd.store.codec` has the others."""

from __future__ import annotations

import struct
from typing import Annotated

import msgspec

from pspd.core.model import ImageId, ImageNumber, ImageRecord, PixelDigest
from pspd.store.codec import Natural, refusing

_MEAN = struct.Struct("<3H")
"""Means of red, green and blue, each times `_MEAN_STEPS`."""
_MEAN_STEPS = 256
"""Steps of a mean between two whole numbers."""
_PIXELS = struct.Struct("<H32s")
"""version, digest."""

IMAGE_BYTES = 52
"""Fewest bytes of an image's body: an array of eleven fields; likewise the next one."""
PIXELS_BYTES = _PIXELS.size

_encode_msgpack = msgspec.msgpack.Encoder().encode


class _Image(msgspec.Struct, array_like=True, gc=False):
    version: Natural
    digest: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    size: Natural
    frames: Natural
    orientation: Natural
    channels: Natural
    quality: Natural
    mean: bytes
    width: Natural
    height: Natural
    format: str


class _Version(msgspec.Struct, array_like=True, gc=False):
    """The begin of an image's record; what follows is passed over."""

    version: int


_decode_image = msgspec.msgpack.Decoder(_Image).decode
_decode_version = msgspec.msgpack.Decoder(_Version).decode


def encode_image(record: ImageRecord) -> bytes:
    """Encode an image's record; its number is the key, its hashes lie in columns."""
    return _encode_msgpack(
        (
            record.version,
            record.image_id,
            record.size,
            record.frames,
            record.orientation,
            record.channels,
            record.quality,
            _MEAN.pack(*(round(mean * _MEAN_STEPS) for mean in record.mean)),
            record.width,
            record.height,
            record.format,
        )
    )


@refusing
def decode_image(number: ImageNumber, body: bytes) -> ImageRecord:
    """Inverse of `encode_image`; a mean is off by a 512th at most."""
    fields = _decode_image(body)
    red, green, blue = (mean / _MEAN_STEPS for mean in _MEAN.unpack(fields.mean))
    return ImageRecord(
        number=number,
        version=fields.version,
        image_id=ImageId(fields.digest),
        format=fields.format,
        width=fields.width,
        height=fields.height,
        channels=fields.channels,
        size=fields.size,
        frames=fields.frames,
        orientation=fields.orientation,
        mean=(red, green, blue),
        quality=fields.quality,
    )


@refusing
def image_standing(body: bytes) -> tuple[int, int, str, int]:
    """Read only width, height, format and size of an image's record."""
    fields = _decode_image(body)
    return fields.width, fields.height, fields.format, fields.size


@refusing
def image_version(body: bytes) -> int:
    """Read only the features version of an image's record."""
    return _decode_version(body).version


def encode_pixels(pixels: PixelDigest) -> bytes:
    """Encode a pixel digest."""
    return _PIXELS.pack(pixels.version, pixels.digest)


@refusing
def decode_pixels(body: bytes) -> PixelDigest:
    """Inverse of `encode_pixels`."""
    return PixelDigest(*_PIXELS.unpack(body))

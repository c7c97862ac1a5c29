"""Decoders at the daemon's scale, and which of them is the fastest for each kind of picture.

The limit of indexing is what no index can do without: each file read, and decoded by the fastest
decoder that is installed and reads all pictures of its kind. Decoders that are not installed are
named as missing, for with them the limit might be another.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

from PIL import Image

from benchmarks.picture_sets import PROGRESSIVE, PictureFile
from pspd.features import rust_png
from pspd.features.extract import SMALL_SIDE

Decode = Callable[[bytes], object]

TRIED_FILES = 12
"""Of each kind, to find the fastest decoder by."""
TRIES = 3
_JPEGS = frozenset({"JPEG", PROGRESSIVE})


@dataclass(frozen=True, slots=True)
class Decoder:
    """One way to decode a file held in memory."""

    name: str
    module: str
    """What has to be installed."""
    decode: Decode
    kinds: frozenset[str] | None = None
    """Which pictures it is for, as `PictureFile.kind`; None for any."""
    is_gray: bool = False
    """Whether it yields brightness alone."""


def _pillow(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as image:
        image.draft(None, (SMALL_SIDE, SMALL_SIDE))
        image.load()


def _pillow_gray(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as image:
        image.draft("L", (SMALL_SIDE, SMALL_SIDE))
        image.load()


def _simplejpeg(data: bytes, space: str = "RGB") -> None:
    import simplejpeg

    simplejpeg.decode_jpeg(
        data,
        colorspace=space,
        fastdct=True,
        fastupsample=True,
        min_height=SMALL_SIDE,
        min_width=SMALL_SIDE,
        strict=False,
    )


def _simplejpeg_gray(data: bytes) -> None:
    _simplejpeg(data, "GRAY")


def _opencv(data: bytes, *, is_gray: bool = False) -> None:
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    scale = 1
    with Image.open(io.BytesIO(data)) as image:
        if image.format == "JPEG":
            least = min(image.size)
            scale = max(each for each in (1, 2, 4, 8) if each == 1 or least // each >= SMALL_SIDE)
    name = ("GRAYSCALE" if is_gray else "COLOR") + (f"_{scale}" if scale > 1 else "")
    flag = getattr(cv2, f"IMREAD_REDUCED_{name}" if scale > 1 else f"IMREAD_{name}")
    if cv2.imdecode(np.frombuffer(data, np.uint8), flag) is None:
        raise ValueError("OpenCV does not read it")


def _opencv_gray(data: bytes) -> None:
    _opencv(data, is_gray=True)


def _rust_png(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as image:
        if not rust_png.load(image, data):
            image.load()


def _wuffs(data: bytes) -> None:
    from pywuffs import PixelFormat
    from pywuffs.aux import ImageDecoder, ImageDecoderConfig

    config = ImageDecoderConfig()
    config.pixel_format = PixelFormat.BGRA_PREMUL
    result = ImageDecoder(config).decode(data)
    if result.error_message:
        raise ValueError(result.error_message)


DECODERS: Mapping[str, Decoder] = {
    each.name: each
    for each in (
        Decoder("Pillow", "PIL", _pillow),
        Decoder("Pillow, gray", "PIL", _pillow_gray, _JPEGS, is_gray=True),
        Decoder("simplejpeg", "simplejpeg", _simplejpeg, _JPEGS),
        Decoder("simplejpeg, gray", "simplejpeg", _simplejpeg_gray, _JPEGS, is_gray=True),
        Decoder("OpenCV", "cv2", _opencv),
        Decoder("OpenCV, gray", "cv2", _opencv_gray, is_gray=True),
        Decoder("Rust's png", "kornia_rs", _rust_png, frozenset({"PNG"})),
        Decoder("wuffs", "pywuffs", _wuffs, frozenset({"PNG"})),
    )
}


@cache
def missing() -> tuple[str, ...]:
    """Name the decoders that are not installed."""
    modules = {each.module for each in DECODERS.values()}
    return tuple(sorted(module for module in modules if find_spec(module) is None))


def fastest(files: Iterable[PictureFile], *, in_colour: bool = False) -> dict[str, str]:
    """Find the fastest decoder of each kind: kind → name of the decoder.

    Args:
        files: Some of each kind are tried.
        in_colour: Leave out those that yield brightness alone.
    """
    samples: dict[str, list[PictureFile]] = {}
    for file in files:
        samples.setdefault(file.kind, []).append(file)
    return {
        kind: _fastest_of(kind, each[:: max(1, len(each) // TRIED_FILES)], in_colour=in_colour)
        for kind, each in samples.items()
    }


def decode_file(name: str, path: str) -> None:
    """Read one file and decode it; by Pillow where the decoder does not read it."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        DECODERS[name].decode(data)
    except Exception:  # noqa: BLE001 - foreign decoders raise what they like
        _pillow(data)


def _fastest_of(kind: str, files: Sequence[PictureFile], *, in_colour: bool) -> str:
    contents = [file.path.read_bytes() for file in files]
    seconds = {}
    for decoder in DECODERS.values():
        is_for = decoder.kinds is None or kind in decoder.kinds
        if not is_for or decoder.module in missing() or (in_colour and decoder.is_gray):
            continue
        try:
            seconds[decoder.name] = min(_seconds(decoder.decode, contents) for _ in range(TRIES))
        except Exception:  # noqa: BLE001 - it does not read every picture of this kind
            continue
    return min(seconds, key=lambda name: seconds[name]) if seconds else "Pillow"


def _seconds(decode: Decode, contents: Sequence[bytes]) -> float:
    """Take the processor's time: other work on the machine must not choose."""
    began = time.process_time()
    for data in contents:
        decode(data)
    return time.process_time() - began

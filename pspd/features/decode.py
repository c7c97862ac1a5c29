"""Bytes of a picture → an opened picture within the limits, its pixels on demand.

    data → format by magic → size claimed by the header → limits → decoder → load()

Everything a decoder may raise leaves here as a `FileFailure`; a decoder never sees a path and
never a format that is not on the list.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from PIL import AvifImagePlugin, BmpImagePlugin, Image, UnidentifiedImageError

from pspd.core.model import FailureReason, Limits
from pspd.errors import FileFailure
from pspd.features import formats, headers, rust_png, still_webp
from pspd.features.extras import import_reader, raw_preview
from pspd.features.segments import check_frames, check_segments
from pspd.features.upright import ORIENTATIONS

_ORIENTATION_TAG: Final = 0x0112

DECODER_ERRORS: Final = (
    # What 162,486 mutated files of 11 formats made Pillow raise, and the bases of those.
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    RuntimeError,
    MemoryError,
    EOFError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    BufferError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

_SIGNS_OF_TRUNCATION: Final = ("truncat", "premature", "unexpected end", "end of file", "too short")

_GRAY_STEPS: Final = {"L;2": 85, "L;4": 17}
"""Raw mode of a gray PNG → what its samples are multiplied by."""

_TURNED_BY_DECODER: Final = frozenset({"TIFF", "HEIF", "JXL"})
"""Pillow turns a TIFF as it loads it; in HEIF and JPEG XL the container's own turn counts, the
decoders apply it, and the EXIF tag must be ignored."""

# A worker has one core, and its sandbox allows no new threads.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

_decoder_settings = threading.RLock()


@dataclass(slots=True)
class OpenPicture:
    """A picture whose header is read and within the limits; use it inside `open_picture`."""

    image: Image.Image
    """As stored, at its current frame; not loaded, unless a RAW's preview is a bitmap."""
    source: bytes
    """What the image is read from: the file, or a RAW's preview."""
    format: str
    frames: int
    """Frames or pages, counted in bounded time."""
    turn: int = 1
    """Orientation that a RAW's header gives to a preview without one of its own."""

    def reopen(self) -> None:
        """Have the first frame to be decoded again."""
        self.image = Image.open(io.BytesIO(self.source), formats=[self.image.format or ""])

    def load(self) -> int:
        """Decode the current frame; return the orientation (1 to 8) still to be applied."""
        before = _orientation_tag(self.image) if self.format == "TIFF" else 1
        self._load_pixels()
        if self.format in _TURNED_BY_DECODER:
            # JPEG XL made from a JPEG without loss is decoded as that JPEG.
            is_jpeg = bool(getattr(self.image, "jpeg", False))
            self.turn = before
            return _orientation_tag(self.image) if is_jpeg else 1
        # Not before: a PNG may have its EXIF chunk behind the pixels.
        tag = _orientation_tag(self.image)
        self.turn = self.turn if tag == 1 else tag
        return self.turn

    def _load_pixels(self) -> None:
        if self.format == "PNG" and rust_png.load(self.image, self.source):
            return
        is_still = self.format == "WEBP" and self.frames == 1
        if is_still and (decoded := still_webp.load(self.image, self.source)) is not None:
            self.image = decoded
        self.image.load()


@contextmanager
def open_picture(data: bytes, limits: Limits) -> Iterator[OpenPicture]:
    """Open a picture for the body of a `with`; one at a time in a process.

    Args:
        data: The whole file.
        limits: What it may cost; time and memory are the worker's to limit.

    Raises:
        FileFailure: Whatever is wrong with the file, also when it shows in the body.
    """
    name = formats.require_readable(data)
    check_bytes(len(data), limits)
    if (size := headers.declared_size(name, data)) is not None:
        check_size(size, limits)
    check_segments(name, data, limits)
    with _settings(limits):
        try:
            yield _open(data, name, limits)
        except DECODER_ERRORS as error:
            raise _failure(error, name, data, limits) from error


def check_bytes(size: int, limits: Limits) -> None:
    """Refuse a file of `size` bytes if that is over the limit.

    Raises:
        FileFailure: `too_big`.
    """
    if size > limits.max_bytes:
        raise FileFailure(
            FailureReason.TOO_BIG,
            f"the file has {size} bytes, over the limit of {limits.max_bytes} (max_bytes)",
        )


def check_size(size: tuple[int, int], limits: Limits) -> None:
    """Refuse a picture of (width, height) if that is over the limits.

    Raises:
        FileFailure: `too_big`, or `broken` if a side is 0.
    """
    width, height = size
    if width <= 0 or height <= 0:
        raise FileFailure(FailureReason.BROKEN, f"the picture is {width} x {height} pixels")
    if max(size) > limits.max_side:
        raise FileFailure(
            FailureReason.TOO_BIG,
            f"the picture is {width} x {height} pixels, over the limit of {limits.max_side} "
            "a side (max_side)",
        )
    if width * height > limits.max_pixels:
        raise FileFailure(
            FailureReason.TOO_BIG,
            f"the picture is {width} x {height} pixels, over the limit of {limits.max_pixels} "
            "in all (max_pixels)",
        )


@contextmanager
def _settings(limits: Limits) -> Iterator[None]:
    """Set what Pillow can only be told by module globals, and put it back.

    Pillow's own bomb check stays on for what shows up while decoding (a GIF whose frames enlarge
    the canvas); its warning is made an error, as its own security notes advise. Other warnings are
    about metadata, which is not used.
    """
    with _decoder_settings, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        before = Image.MAX_IMAGE_PIXELS, BmpImagePlugin.USE_RAW_ALPHA
        Image.MAX_IMAGE_PIXELS = limits.max_pixels
        # A 32-bit BMP with the oldest header has a fourth byte "reserved"; Pillow itself writes
        # alpha there and then does not read it. `_without_empty_alpha` tells the two apart.
        BmpImagePlugin.USE_RAW_ALPHA = True
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, BmpImagePlugin.USE_RAW_ALPHA = before


def _open(data: bytes, format: str, limits: Limits) -> OpenPicture:
    if format in formats.EXTRAS:
        import_reader(format)
    if format == "RAW":
        preview, turn = raw_preview(data)
        if isinstance(preview, Image.Image):
            check_size(preview.size, limits)
            return OpenPicture(preview, b"", format, 1, turn)
        check_segments("JPEG", preview, limits)
        return OpenPicture(_open_as("JPEG", preview, limits), preview, format, 1, turn)
    image = _open_as(format, data, limits)
    if format == "BMP" and image.mode == "RGBA":
        image = _without_empty_alpha(image)
    if format == "PNG":
        _scale_transparent_gray(image)
    claimed = 1 if format in {"GIF", "TIFF", "JPEG", "BMP"} else getattr(image, "n_frames", 1)
    frames = headers.count_frames(format, data, claimed)
    check_frames(format, frames, limits)
    return OpenPicture(image, data, format, frames)


def _open_as(format: str, data: bytes, limits: Limits) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=[format])
    check_size(image.size, limits)
    return image


def _without_empty_alpha(image: Image.Image) -> Image.Image:
    """Drop an alpha channel of zeros: a reserved byte, not a picture nobody can see."""
    image.load()
    return image if image.getchannel("A").getbbox() else image.convert("RGB")


def _scale_transparent_gray(image: Image.Image) -> None:
    """Scale the transparent value of a gray PNG as Pillow scales its samples.

    Samples of 2 and 4 bits are multiplied to 8 bits while decoding and the value of the tRNS chunk
    is not (seen with 13.0), so that it would match none or another gray.
    """
    transparent = image.info.get("transparency")
    tiles = getattr(image, "tile", None)
    if image.mode == "L" and isinstance(transparent, int) and tiles:
        image.info["transparency"] = transparent * _GRAY_STEPS.get(tiles[0][3], 1)


def _orientation_tag(image: Image.Image) -> int:
    """Read the EXIF orientation; 1 if there is none, or none that makes sense."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except DECODER_ERRORS:
        # Damaged metadata does not make the picture unreadable.
        return 1
    return value if isinstance(value, int) and value in ORIENTATIONS else 1


def _failure(error: Exception, format: str, data: bytes, limits: Limits) -> FileFailure:
    """Say what a decoder's exception means for the person whose file it is."""
    text = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, MemoryError) or (
        # libavif says so in words; libwebp never does, so that what it needs has to tell.
        "out of memory" in text.lower() or headers.decoding_bytes(format, data) > limits.max_memory
    ):
        return FileFailure(FailureReason.OUT_OF_MEMORY, f"decoding this {format} needs more memory")
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return FileFailure(
            FailureReason.TOO_BIG,
            f"the {format} is larger than the limit of {limits.max_pixels} pixels (max_pixels)",
        )
    is_short = isinstance(error, EOFError) or any(
        sign in text.lower() for sign in _SIGNS_OF_TRUNCATION
    )
    if is_short or headers.is_cut(format, data):
        return FileFailure(FailureReason.TRUNCATED, f"the {format} ends before its picture does")
    if isinstance(error, UnidentifiedImageError):
        text = "its header makes no sense"
    return FileFailure(FailureReason.BROKEN, f"the {format} cannot be decoded: {text}")

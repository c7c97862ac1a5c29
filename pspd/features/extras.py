"""The readers that optional packages bring, imported when a file first needs one."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import io
from contextlib import suppress
from typing import Any, Final

import PIL
from PIL import Image

from pspd.core.model import FailureReason
from pspd.errors import FileFailure
from pspd.features import rust_png
from pspd.features.formats import EXTRAS

_MODULES: Final = {"HEIF": "pillow_heif", "JXL": "pillow_jxl", "RAW": "rawpy"}

_PACKAGES: Final = {"pillow_heif": "pillow-heif", "pillow_jxl": "pillow-jxl-plugin"}
"""Module → its distribution, where the names differ."""

_ORIENTATION_OF_FLIP: Final = {3: 3, 5: 8, 6: 6}
"""LibRaw's `flip` (bits of dcraw: 3 half a turn, 5 a quarter counter-clockwise, 6 clockwise) →
EXIF orientation."""


def import_reader(format: str) -> Any:
    """Import what reads `format`, one of `EXTRAS`, and let Pillow know it; return the module.

    Raises:
        FileFailure: `missing_extra`; the message says how to install it.
    """
    try:
        module: Any = _import(_MODULES[format])
    except ImportError as error:
        extra = EXTRAS[format]
        raise FileFailure(
            FailureReason.MISSING_EXTRA,
            f"reading {format} pictures needs an extra: pip install 'picsearchpic[{extra}]'",
        ) from error
    if format == "HEIF":
        # A worker has one core, and its sandbox no new threads.
        module.options.DECODE_THREADS = 1
        module.register_heif_opener()
    elif format == "JXL":
        # It registers itself upon import. Zero threads are what libjxl calls none besides its own.
        _import("pillow_jxl.JpegXLImagePlugin").DECODE_THREADS = 0
    return module


def installed_extras() -> tuple[str, ...]:
    """Return the formats that an installed extra reads, without importing it."""
    return tuple(
        name for name, module in _MODULES.items() if importlib.util.find_spec(module) is not None
    )


def decoder_versions() -> str:
    """Return the versions of all that decodes, such as "pillow 13.0.0, pillow-heif 1.1.0"."""
    found = [f"pillow {PIL.__version__}"]
    packages = (_PACKAGES.get(module, module) for module in _MODULES.values())
    for package in (*packages, rust_png.PACKAGE):
        with suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{package} {importlib.metadata.version(package)}")
    return ", ".join(found)


def _import(name: str) -> Any:
    return importlib.import_module(name)


def raw_preview(data: bytes) -> tuple[bytes | Image.Image, int]:
    """Get the embedded preview of a camera's RAW: no sensor data is developed.

    Returns:
        The preview, a JPEG's bytes or a picture, and the EXIF orientation that the RAW's header
        gives to it.

    Raises:
        FileFailure: `missing_extra`, `broken`, or `unsupported` if there is no preview.
    """
    rawpy = import_reader("RAW")
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            thumbnail = raw.extract_thumb()
            turn = _ORIENTATION_OF_FLIP.get(raw.sizes.flip, 1)
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError) as error:
        raise FileFailure(
            FailureReason.UNSUPPORTED, "the RAW has no preview that PSP reads"
        ) from error
    except rawpy.LibRawError as error:
        raise FileFailure(
            FailureReason.BROKEN, f"the RAW cannot be decoded: {_text(error)}"
        ) from error
    if thumbnail.format == rawpy.ThumbFormat.JPEG:
        return bytes(thumbnail.data), turn
    return Image.fromarray(thumbnail.data), turn


def _text(error: Exception) -> str:
    """Return the message of LibRaw, which rawpy hands on as bytes."""
    first = error.args[0] if error.args else type(error).__name__
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)

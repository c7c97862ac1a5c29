"""Files of groups as the daemon lists them, and files with the EXIF of a camera."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from PIL import Image

from pspd.rpc import wire

DATE_TIME = 0x0132
EXIF_DIRECTORY = 0x8769
DATE_TIME_ORIGINAL = 0x9003
SUB_SECOND_ORIGINAL = 0x9291


def file(
    path: str | Path, verdict: Any = "copy", image: str = "", **changes: Any
) -> wire.GroupFile:
    """Make a file of a group; without more, one of a content of its own."""
    values = {"width": 640, "height": 480, "size": 1000, "format": "JPEG", **changes}
    return wire.GroupFile(
        path=os.fsencode(path),
        verdict=verdict,
        distance=0,
        turn="none",
        image=image or str(path),
        **values,
    )


def hit(file: wire.GroupFile, verdict: Any) -> wire.Hit:
    """Make what a search says of a file."""
    return wire.Hit(
        path=file.path,
        verdict=verdict,
        distance=7,
        turn="rotate_90",
        width=file.width,
        height=file.height,
        size=file.size,
        format=file.format,
        image=file.image,
    )


def exif(second: str, fraction: str = "", *, changed: str = "", endian: str = "<") -> Image.Exif:
    """Make the EXIF of a picture taken at `10:00:01`, by a program that may have changed it."""
    made = Image.Exif()
    made.endian = endian
    made[DATE_TIME] = f"2026:11:30 {changed or second}"
    directory = made.get_ifd(EXIF_DIRECTORY)
    directory[DATE_TIME_ORIGINAL] = f"2026:11:30 {second}"
    if fraction:
        directory[SUB_SECOND_ORIGINAL] = fraction
    return made


def shot(picture: Image.Image, path: Path, *when: str, **options: Any) -> Path:
    """Save a picture as a camera does."""
    picture.save(path, exif=exif(*when), **options)
    return path

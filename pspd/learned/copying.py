"""A model's file that somebody brings → a copy on our disk, of a known digest."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pspd.errors import ModelUnusable
from pspd.rpc.wire import quoted

MOST_MODEL_BYTES: Final = (1 << 31) - 1
"""Largest file of a model: what protobuf, and so ONNX, can hold."""

_PART_BYTES: Final = 1 << 20


def copy_model(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file to the disk; return SHA-256 and size.

    Raises:
        ModelUnusable: it cannot be read, or is no file of a model.
        OSError: the copy cannot be written.
    """
    digest = hashlib.sha256()
    size = 0
    with _source_errors(source):
        # A FIFO would wait for a writer.
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ModelUnusable(f"{quoted(str(source))} is no file")
    with open(descriptor, "rb", buffering=0) as reading, target.open("wb") as writing:
        while True:
            with _source_errors(source):
                part = reading.read(_PART_BYTES)
            if not part:
                break
            size += len(part)
            if size > MOST_MODEL_BYTES:
                raise ModelUnusable(
                    f"{quoted(str(source))} is larger than any ONNX file can be "
                    f"({MOST_MODEL_BYTES} bytes)"
                )
            digest.update(part)
            writing.write(part)
        writing.flush()
        os.fsync(writing.fileno())
    if size == 0:
        raise ModelUnusable(f"{quoted(str(source))} is empty")
    return digest.hexdigest(), size


@contextmanager
def _source_errors(source: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelUnusable(f"{quoted(str(source))} cannot be read: {error.strerror}") from error


def require_digest(found: str, wanted: str) -> None:
    """Compare SHA-256, in hexadecimal.

    Raises:
        ModelUnusable: they differ, and `wanted` is not empty.
    """
    if wanted and found != wanted.lower():
        raise ModelUnusable(
            f"it is not the file that is expected: its SHA-256 is {found}, not {wanted}; get it "
            "anew"
        )

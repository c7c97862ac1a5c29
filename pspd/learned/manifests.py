"""What is kept of a model beside its file, and how both get to the disk.

    models/NAME.onnx    the file, as it was added
    models/NAME.json    which file it is; without it there is no model
    models/CHOSEN       the name of the model in use
    models/PAUSED       is there while nothing is to be described

docs/store-format.md has the formats.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import msgspec

from pspd.errors import ModelUnusable
from pspd.rpc.wire import quoted

VERSION: Final = 1
"""Of the manifest's format."""

_LARGEST: Final = 1 << 16
"""Bytes of a manifest that are read; it has some 200."""

_CHOSEN: Final = "CHOSEN"
_PAUSED: Final = "PAUSED"

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(msgspec.Struct, frozen=True):
    """Which file a model is."""

    name: str
    sha256: Digest
    size: Annotated[int, msgspec.Meta(ge=1)]
    """Of the file, in bytes."""
    dimension: Annotated[int, msgspec.Meta(ge=1)]
    """Of its descriptors."""
    version: int = VERSION


def model_file(folder: Path, name: str) -> Path:
    """Return where the file of a model lies."""
    return folder / f"{name}.onnx"


def read(folder: Path, name: str) -> Manifest | None:
    """Return the manifest of a model, None if there is no such model.

    Raises:
        ModelUnusable: It cannot be read, or makes no sense.
    """
    cure = f"add the model again: pspc model add {name}"
    try:
        data = _read(folder / f"{name}.json")
        manifest = None if data is None else msgspec.json.decode(data, type=Manifest)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ModelUnusable(f"what is kept of it cannot be read ({error}); {cure}") from error
    if manifest is not None and manifest.version > VERSION:
        raise ModelUnusable(f"a newer version of PSP added it; {cure}")
    if manifest is not None and manifest.name != name:
        raise ModelUnusable(f"it is what was added as {quoted(manifest.name)}; {cure}")
    return manifest


def names(folder: Path) -> list[str]:
    """Return the names of all models that were added."""
    try:
        return sorted(file.removesuffix(".json") for file in _listed(folder, ".json"))
    except FileNotFoundError:
        return []


def put(folder: Path, manifest: Manifest, file: Path) -> None:
    """Put a model's file, which is synchronised, into its place; whole or not at all.

    Raises:
        OSError: It cannot be put there; there is no such model now.
    """
    # With one manifest less first: at no moment does it speak of another file.
    remove(folder, manifest.name)
    file.rename(model_file(folder, manifest.name))
    _write(folder / f"{manifest.name}.json", msgspec.json.encode(manifest) + b"\n")


def remove(folder: Path, name: str) -> None:
    """Forget a model, if there is one.

    Raises:
        OSError: It cannot be removed.
    """
    for file in (folder / f"{name}.json", model_file(folder, name)):
        file.unlink(missing_ok=True)
        _synchronise(folder)


def chosen(folder: Path) -> str | None:
    """Return the name of the model that was chosen, None if none was, or it cannot be read."""
    with suppress(OSError, UnicodeDecodeError):
        data = _read(folder / _CHOSEN)
        return None if data is None else data.decode("ascii").strip()
    return None


def choose(folder: Path, name: str) -> None:
    """Note which model is in use.

    Raises:
        OSError: It cannot be written.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    _write(folder / _CHOSEN, f"{name}\n".encode("ascii"))


def is_paused(folder: Path) -> bool:
    """Say whether nothing is to be described for now."""
    return (folder / _PAUSED).exists()


def pause(folder: Path, *, is_paused: bool) -> None:
    """Note whether nothing is to be described for now.

    Raises:
        OSError: It cannot be noted.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if is_paused:
        _write(folder / _PAUSED, b"")
    else:
        (folder / _PAUSED).unlink(missing_ok=True)
        _synchronise(folder)


def _listed(folder: Path, suffix: str) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(suffix)]


def _read(file: Path) -> bytes | None:
    try:
        with file.open("rb") as opened:
            return opened.read(_LARGEST)
    except FileNotFoundError:
        return None


def _write(file: Path, data: bytes) -> None:
    """Write a small file, whole or not at all."""
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    part.rename(file)
    _synchronise(file.parent)


def _synchronise(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

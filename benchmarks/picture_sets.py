"""Folders of pictures to index: real ones, or samples; each often enough for a run of seconds.

Copies of one picture differ by a few bytes behind its end, which decoders pass over, so that each
is a content of its own and has to be decoded.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from examples.make_samples import make_samples
from pspd.features.extract import SMALL_SIDE
from tests.pictures import shared_pictures

REAL_FOLDERS = ("photos", "clipart", "copies")
"""Of the shared pictures, those that any decoder reads."""

FOLDER_FILES = 50
TINY_SIDE = 8


@dataclass(frozen=True, slots=True)
class Source:
    """One picture to make files of."""

    path: Path
    format: str
    is_progressive: bool


@dataclass(frozen=True, slots=True)
class PictureSet:
    """A folder of files to index."""

    name: str
    folder: Path
    paths: tuple[Path, ...]
    size: int
    """Bytes of all files."""


def sources(folders: list[Path], samples: Path) -> list[Source]:
    """List the pictures of some folders; by default the shared ones, else samples made here."""
    if not folders:
        shared = shared_pictures()
        folders = [shared / name for name in REAL_FOLDERS] if shared is not None else []
    if not folders:
        make_samples(samples)
        folders = [samples]
    found = []
    for path in sorted(path for folder in folders for path in folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            with Image.open(path) as image:
                is_progressive = bool(image.info.get("progressive"))
                found.append(Source(path, image.format or "", is_progressive))
        except UnidentifiedImageError:
            continue
    return found


def picture_sets(every: list[Source], folder: Path, size: int) -> list[PictureSet]:
    """Write one folder for each kind of picture that there is, of about `size` bytes each."""
    kinds = {
        "JPEG": [each for each in every if each.format == "JPEG"],
        "progressive JPEG": [each for each in every if each.is_progressive],
        "PNG": [each for each in every if each.format == "PNG"],
        "all": every,
    }
    return [_replicated(name, kind, folder, size) for name, kind in kinds.items() if kind]


def decode(path: str) -> None:
    """Do what no index can do without: read one file and decode it at the daemon's scale."""
    with Image.open(path) as image:
        image.draft(None, (SMALL_SIDE, SMALL_SIDE))
        image.load()


def tiny_files(folder: Path, folders: int, files: int) -> int:
    """Write `folders` folders of `files` tiny pictures each, all distinct; returns how many."""
    for outer in range(folders):
        inside = folder / f"{outer:05}"
        inside.mkdir(parents=True)
        for inner in range(files):
            number = outer * files + inner
            (inside / f"{inner:05}.png").write_bytes(tiny_png(number))
    return folders * files


def tiny_png(number: int) -> bytes:
    """Return a gray PNG of `TINY_SIDE` pixels a side, with a comment of its own."""
    side = TINY_SIDE.to_bytes(4, "big")
    rows = zlib.compress(bytes((TINY_SIDE + 1) * TINY_SIDE))
    chunks = (
        (b"IHDR", side + side + bytes([8, 0, 0, 0, 0])),
        (b"tEXt", b"Comment\0%d" % number),
        (b"IDAT", rows),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        for kind, body in chunks
    )


def _replicated(name: str, kind: list[Source], folder: Path, size: int) -> PictureSet:
    """Write each picture as often as the size needs, but once at least."""
    top = folder / name
    contents = [(each.path.suffix, each.path.read_bytes()) for each in kind]
    total = sum(len(data) for _, data in contents)
    paths: list[Path] = []
    for round_ in range(max(1, round(size / total))):
        for number, (suffix, data) in enumerate(contents):
            inside = top / f"{len(paths) // FOLDER_FILES:05}"
            inside.mkdir(parents=True, exist_ok=True)
            path = inside / f"{number:05}-{round_:05}{suffix}"
            path.write_bytes(data + b"copy %d" % len(paths))
            paths.append(path)
    return PictureSet(name, top, tuple(paths), sum(path.stat().st_size for path in paths))

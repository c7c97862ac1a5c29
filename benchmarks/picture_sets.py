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
from tests.pictures import shared_pictures

REAL_FOLDERS = ("photos", "clipart", "copies")
"""Of the shared pictures, those that any decoder reads."""

PROGRESSIVE = "progressive JPEG"
PHOTOGRAPH_MEGAPIXELS = (0.2, 24.0)
FOLDER_FILES = 50
TINY_SIDE = 8


@dataclass(frozen=True, slots=True)
class Source:
    """One picture to make files of."""

    path: Path
    kind: str
    """Its format as Pillow calls it, or `PROGRESSIVE`."""
    megapixels: float

    @property
    def is_photograph(self) -> bool:
        """Whether it is a JPEG as cameras write them."""
        least, most = PHOTOGRAPH_MEGAPIXELS
        return self.kind == "JPEG" and least <= self.megapixels <= most


@dataclass(frozen=True, slots=True)
class PictureFile:
    """One file of a set."""

    path: Path
    kind: str
    """As of `Source`."""


@dataclass(frozen=True, slots=True)
class PictureSet:
    """A folder of files to index."""

    name: str
    folder: Path
    files: tuple[PictureFile, ...]
    size: int
    """Bytes of all files."""


def sources(folders: tuple[Path, ...], samples: Path) -> list[Source]:
    """List the pictures of some folders; by default the shared ones, else samples made here."""
    if not folders:
        shared = shared_pictures()
        folders = tuple(shared / name for name in REAL_FOLDERS) if shared is not None else ()
    if not folders:
        make_samples(samples)
        folders = (samples,)
    found = []
    for path in sorted(path for folder in folders for path in folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            with Image.open(path) as image:
                kind = PROGRESSIVE if image.info.get("progressive") else image.format or ""
                found.append(Source(path, kind, image.width * image.height / 1e6))
        except UnidentifiedImageError:
            continue
    return found


def picture_sets(every: list[Source], folder: Path, size: int) -> list[PictureSet]:
    """Write one folder for each kind of picture that there is, of about `size` bytes each."""
    kinds = {
        "photographs": [each for each in every if each.is_photograph],
        PROGRESSIVE: [each for each in every if each.kind == PROGRESSIVE],
        "PNG": [each for each in every if each.kind == "PNG"],
        "all": every,
    }
    return [_replicated(name, kind, folder, size) for name, kind in kinds.items() if kind]


def tiny_files(folder: Path, count: int) -> int:
    """Write tiny pictures in folders of `FOLDER_FILES`, all distinct; returns how many."""
    for number in range(count):
        inside = folder / f"{number // FOLDER_FILES:05}"
        if number % FOLDER_FILES == 0:
            inside.mkdir(parents=True)
        (inside / f"{number % FOLDER_FILES:05}.png").write_bytes(tiny_png(number))
    return count


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
    contents = [(each.path.suffix, each.path.read_bytes(), each.kind) for each in kind]
    total = sum(len(data) for _, data, _ in contents)
    files: list[PictureFile] = []
    written = 0
    for round_ in range(max(1, round(size / total))):
        for number, (suffix, data, format_) in enumerate(contents):
            inside = top / f"{len(files) // FOLDER_FILES:05}"
            inside.mkdir(parents=True, exist_ok=True)
            path = inside / f"{number:05}-{round_:05}{suffix}"
            written += path.write_bytes(data + b"copy %d" % len(files))
            files.append(PictureFile(path, format_))
    return PictureSet(name, top, tuple(files), written)

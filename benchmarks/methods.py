"""The descriptors that quality is compared by: PSP's hashes, ImageHash's, PDQ.

Each makes of an indexed picture one descriptor, of a query one or several, and says how far a query
is from each of the indexed pictures. Smaller is nearer; where the threshold lies is measured.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from pspd.core import verdict
from pspd.core.model import Features, Limits, TurnedHashes
from pspd.features.extract import extract_query
from pspd.features.inner_pictures import hashed_parts

Distances = npt.NDArray[np.float64]
"""Of one query to each indexed picture."""

Bits = npt.NDArray[np.uint64]
"""Hashes × words of 64 bits."""

FARTHEST: Final = 256.0
_VIEW_SIDE: Final = 640


class Method(Protocol):
    """One way to describe pictures."""

    name: str
    threshold: float | None
    """Where it is put by those who made it, if that is to be measured too."""

    def index(self, files: Sequence[bytes]) -> None:
        """Describe the pictures that are searched among, as indexed ones and as queries."""

    def distances(self, query: bytes | int) -> Distances:
        """Compute the distance of a query, a file or the number of an indexed one, to each."""


class PspHashes:
    """PSP's two perceptual hashes, of the query after each of its eight turns.

    Args:
        has_inner: Whether the query's inner pictures are searched for too.
    """

    def __init__(self, *, has_inner: bool = False) -> None:
        self.name = "PSP, inner" if has_inner else "PSP"
        self.threshold: float | None = verdict.COPY_DISTANCE
        self._has_inner = has_inner
        self._phash64: Bits = np.empty((0, 1), np.uint64)
        self._phash256: Bits = np.empty((0, 4), np.uint64)
        self._queries: list[list[TurnedHashes]] = []

    def index(self, files: Sequence[bytes]) -> None:
        """Describe the pictures; see `Method`."""
        described = [extract_query(data, Limits()) for data in files]
        self._phash64 = packed([features.phash64 for features, _ in described])
        self._phash256 = packed([features.phash256 for features, _ in described])
        self._queries = [
            self._described(data, *each) for data, each in zip(files, described, strict=True)
        ]

    def distances(self, query: bytes | int) -> Distances:
        """Compute the 256-bit distances; the farthest where the 64-bit ones keep no candidate."""
        if isinstance(query, bytes):
            wanted = self._described(query, *extract_query(query, Limits()))
        else:
            wanted = self._queries[query]
        nearest = np.full(len(self._phash64), FARTHEST)
        for hashes in wanted:
            shallow = distances_of(self._phash64, hashes.phash64)
            deep = distances_of(self._phash256, hashes.phash256)
            is_candidate = shallow <= verdict.SHORTLIST_RADIUS
            nearest = np.minimum(nearest, np.where(is_candidate, deep, FARTHEST))
        return nearest

    def _described(
        self, data: bytes, features: Features, turned: Sequence[TurnedHashes]
    ) -> list[TurnedHashes]:
        """Return all hashes that a query is searched for by."""
        wanted = list(turned) if features.quality >= verdict.FLAT_QUALITY else []
        if self._has_inner:
            pixels = np.asarray(viewed(data))
            for hashed in hashed_parts(pixels):
                wanted += hashed.turned if hashed.quality >= verdict.FLAT_QUALITY else ()
        return wanted


class PlainHashes:
    """A hash that two pictures are compared by as they are, or one with its turns.

    Args:
        name: What the table calls it.
        hashes: RGB picture → its hashes, of which the first is that of the picture as it is.
    """

    def __init__(self, name: str, hashes: Callable[[Image.Image], Sequence[bytes]]) -> None:
        self.name = name
        self.threshold: float | None = None
        self._hashes = hashes
        self._bits: Bits = np.empty((0, 1), np.uint64)
        self._queries: list[Sequence[bytes]] = []

    def index(self, files: Sequence[bytes]) -> None:
        """Describe the pictures; see `Method`."""
        self._queries = [self._hashes(opened(data)) for data in files]
        self._bits = packed([hashes[0] for hashes in self._queries])

    def distances(self, query: bytes | int) -> Distances:
        """Compute the smallest of the query's hashes' distances."""
        hashes = self._hashes(opened(query)) if isinstance(query, bytes) else self._queries[query]
        found = [distances_of(self._bits, each) for each in hashes]
        return np.asarray(np.min(found, axis=0), np.float64)


class Absent(NamedTuple):
    """A method that cannot be used here, and what it takes."""

    name: str
    why: str


def methods(*, has_peers: bool) -> tuple[list[Method], list[Absent]]:
    """Return PSP's hashes and, if they are wanted, its peers, as far as they are installed."""
    found: list[Method] = [PspHashes(), PspHashes(has_inner=True)]
    absent: list[Absent] = []
    if not has_peers:
        return found, absent
    found += [
        PlainHashes("pHash 64", lambda image: [_phash(image, 8)]),
        PlainHashes("pHash 256", lambda image: [_phash(image, 16)]),
    ]
    try:
        import pdqhash  # noqa: F401
    except ImportError:
        absent.append(Absent("PDQ", "pip install pdqhash"))
    else:
        found.append(PlainHashes("PDQ, 8 turns", _pdq))
    return found, absent


def opened(data: bytes) -> Image.Image:
    """Open a picture upright, on white, as 8-bit RGB: what peers are given."""
    with Image.open(io.BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
        if not upright.has_transparency_data:
            return upright.convert("RGB")
        rgba = upright.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def viewed(data: bytes) -> Image.Image:
    """Open a picture at the size that inner pictures are found at."""
    image = opened(data)
    image.thumbnail((_VIEW_SIDE, _VIEW_SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return image


def packed(hashes: Sequence[bytes]) -> Bits:
    """Return hashes of equal length as words."""
    return np.frombuffer(b"".join(hashes), np.uint64).reshape(len(hashes), -1)


def distances_of(bits: Bits, query: bytes) -> npt.NDArray[np.int64]:
    """Count the bits in which each hash differs from one."""
    return np.asarray(np.bitwise_count(bits ^ packed([query])).sum(axis=1, dtype=np.int64))


def _phash(image: Image.Image, side: int) -> bytes:
    return np.packbits(imagehash.phash(image, hash_size=side).hash).tobytes()


def _pdq(image: Image.Image) -> list[bytes]:
    import pdqhash

    vectors: Any
    vectors, _quality = pdqhash.compute_dihedral(np.asarray(image))
    return [np.packbits(np.asarray(vector) > 0).tobytes() for vector in vectors]

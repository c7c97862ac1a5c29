"""What is another shot, or the other half of one, and no copy, whatever the pictures look like.

A shot is what a camera takes at once: it may write that twice, raw and developed, and a movie
beside it. Frames of a burst are shots of their own. A name or a date that is missing tells nothing,
and then a copy is a copy.
"""

from __future__ import annotations

import functools
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from pspc.deciding.metadata import taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pspc.deciding.metadata import Taken
    from pspd.rpc import wire

_RAW = frozenset(
    b"""
    .3fr .arw .cr2 .cr3 .dng .erf .iiq .kdc .mrw .nef .nrw .orf .pef .raf .rw2 .rwl .srw .x3f
    """.split()
)
"""What cameras write beside a JPEG: the same shot, and no copy of it."""

_DEVELOPED = frozenset(b".avif .heic .heif .hif .jpeg .jpg .jxl .png .tif .tiff .webp".split())

_MOVIES = frozenset(b".mov .mp4".split())
"""What a Live Photo has beside its picture: .mov as phones write it, .mp4 as archives export it."""

_BURSTS = (
    # IMG_20231014_183246_BURST001_COVER.jpg, IMG_20180914_094602055_BURST001.jpg
    re.compile(
        rb"(?P<burst>IMG_\d{8}_\d{6,9})_BURST(?P<frame>\d{3,5})(?:_COVER)?\.", re.IGNORECASE
    ),
    # DSC_0001_BURST20230709220904977.JPG, 00015IMG_00015_BURST20171111030039_COVER.jpg
    re.compile(
        rb"(?P<frame>DSC_\d{4}|\d{5}IMG_\d{5})_BURST(?P<burst>\d{13,17})(?:_COVER)?\.",
        re.IGNORECASE,
    ),
)
"""How phones name the frames of a burst: Huawei and Motorola the first, Sony, Nexus, Pixel and
Nothing the second; as docs/technical.md of github.com/simulot/immich-go has them, and its issues
100 and 1259. Samsung's `20231207_101605_001.jpg` is left out, for programs that import pictures
name copies like that."""

_PIXEL_HALVES = (b".RAW-01.COVER", b".RAW-01.MP.COVER", b".RAW-02.ORIGINAL", b".MP")
"""What Pixel phones put before the suffix: PXL_20231207_032111247.RAW-01.COVER.jpg beside
PXL_20231207_032111247.RAW-02.ORIGINAL.dng (issue 94 there)."""

_REMEMBERED = 1 << 17
"""Files whose time is kept, some 200 bytes each: a group may have a hundred thousand."""


class _Frame(NamedTuple):
    burst: bytes
    number: bytes


class Shots:
    """Tells shots apart; it reads the beginning of a file once, and only where that can matter.

    Args:
        look: Says when a picture was taken.
    """

    def __init__(self, look: Callable[[bytes], Taken | None] = taken) -> None:
        self._taken = functools.lru_cache(_REMEMBERED)(look)
        self._companions = functools.lru_cache(_REMEMBERED)(companions)
        self._kept: set[bytes] = set()
        self._gone: set[bytes] = set()

    def second(self, file: wire.GroupFile) -> bytes | None:
        """Return when a picture was taken, as its EXIF has it; None when nobody knows."""
        found = self._taken(file.path)
        return None if found is None else found.second

    def are_apart(
        self, these: Sequence[wire.GroupFile], those: Sequence[wire.GroupFile], verdict: str
    ) -> bool:
        """Say whether two contents are two shots, or two halves of one.

        Args:
            these: The files of one content.
            those: The files of the other.
            verdict: What one is to the other. Equal bytes are equal. Equal pixels of a raw file are
                those of a preview in it, and say nothing of what the camera saw.
        """
        if verdict == "same_file":
            return False
        if _are_halves(these, those):
            return True
        if verdict != "copy":
            return False
        return _are_frames(these, those) or self._are_moments(these[0], those[0])

    def may_go(self, file: wire.GroupFile, kept: wire.GroupFile, verdict: str) -> bool:
        """Say whether a file may go in favour of a kept one, without a loss to its shot.

        What belongs to it has to stand beside the kept one as well: a pair goes in favour of a
        pair, never in favour of a half.
        """
        if verdict != "same_file" and (is_raw(file) or is_raw(kept)):
            return False
        if self.are_apart([file], [kept], verdict):
            return False
        own = self._companions(file.path)
        if not own:
            return True
        # Of two equal pairs one stays as a whole, and not a half of each.
        is_torn = shot_name(file.path) in self._kept or shot_name(kept.path) in self._gone
        return not is_torn and own <= self._companions(kept.path)

    def note_gone(self, files: Iterable[wire.GroupFile], kept: wire.GroupFile) -> None:
        """Remember what goes in favour of a kept file, so that the rest of its shot does too."""
        for file in files:
            if self._companions(file.path):
                self._gone.add(shot_name(file.path))
                self._kept.add(shot_name(kept.path))

    def _are_moments(self, this: wire.GroupFile, that: wire.GroupFile) -> bool:
        """Say whether two pictures were taken one after the other, as in a burst."""
        # A program that makes a picture smaller may date it anew; nobody makes a raw file smaller,
        # and its preview has a size of its own.
        is_one_size = {this.width, this.height} == {that.width, that.height}
        if not (is_one_size or is_raw(this) or is_raw(that)):
            return False
        here, there = self._taken(this.path), self._taken(that.path)
        if here is None or there is None:
            return False
        if here.second != there.second:
            return True
        is_known = bool(here.fractions and there.fractions)
        return is_known and here.fractions.isdisjoint(there.fractions)


def is_raw(file: wire.GroupFile) -> bool:
    """Say whether a file is what a camera's sensor saw, and the picture in it only a preview."""
    return file.format == "RAW" or os.path.splitext(file.path)[1].lower() in _RAW


def shot_name(path: bytes) -> bytes:
    """Return what the files of one shot have in common: the path without what tells them apart."""
    stem = os.path.splitext(path)[0]
    for ending in _PIXEL_HALVES:
        if stem.endswith(ending) and os.path.basename(stem).startswith(b"PXL_"):
            return stem.removesuffix(ending)
    return stem


def companions(path: bytes) -> frozenset[tuple[bytes, int]]:
    """Return suffix and size of each file that belongs to a picture, and is there beside it.

    Of a raw file that is what was developed from it, of a developed one the raw file; of both the
    movie. Nothing says that two files are the same, but another size that they are not.
    """
    found: set[tuple[bytes, int]] = set()
    suffix = os.path.splitext(path)[1].lower()
    for other in _MOVIES | (_DEVELOPED if suffix in _RAW else _RAW):
        for name in _spellings(shot_name(path), other):
            try:
                found.add((other, os.stat(name).st_size))
            except OSError:
                continue
    return frozenset(found)


def _spellings(name: bytes, suffix: bytes) -> Iterator[bytes]:
    is_pixel = os.path.basename(name).startswith(b"PXL_")
    for ending in (b"", *_PIXEL_HALVES) if is_pixel else (b"",):
        yield name + ending + suffix
        yield name + ending + suffix.upper()


def _are_halves(these: Sequence[wire.GroupFile], those: Sequence[wire.GroupFile]) -> bool:
    """Say whether a camera wrote a shot twice, raw and developed, and these are the two."""
    if is_raw(these[0]) == is_raw(those[0]):
        return False
    names = {shot_name(file.path) for file in these}
    return any(shot_name(file.path) in names for file in those)


def _are_frames(these: Sequence[wire.GroupFile], those: Sequence[wire.GroupFile]) -> bool:
    """Say whether the names are those of two frames of one burst."""
    frames = dict(frame for file in these if (frame := _frame(file.path)))
    return any(
        frames.get(frame.burst, frame.number) != frame.number
        for file in those
        if (frame := _frame(file.path))
    )


def _frame(path: bytes) -> _Frame | None:
    name = os.path.basename(path)
    for pattern in _BURSTS:
        if found := pattern.match(name):
            return _Frame(found["burst"], found["frame"])
    return None

"""Groups of copies → lines of a plan: which to keep by the rules, and what of the others."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from pspc.deciding.choosing import VERDICTS
from pspc.deciding.keeping import choose
from pspc.deciding.metadata import moments
from pspc.deciding.plans import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pspc.deciding.choosing import Verdict
    from pspc.deciding.keeping import Rule
    from pspd.rpc import wire

_RAW = frozenset(
    b"""
    .3fr .arw .cr2 .cr3 .dng .erf .iiq .kdc .mrw .nef .nrw .orf .pef .raf .rw2 .rwl .srw .x3f
    """.split()
)
"""What cameras write beside a JPEG: the same picture, and no copy of it."""


MOST_ROUNDS = 100
"""In a row of which nothing goes: of the files of a group that are no copies of what was kept so
far only those are then looked at that have the same bytes as others. Each round goes through all of
them, and a group may have a hundred thousand."""


class Wishes(NamedTuple):
    """What a plan shall be like."""

    by: Sequence[Rule]
    """Rules of which to keep."""
    limit: Verdict
    """The weakest verdict to the kept file that a file may have to go."""
    links: bool = False
    """Whether files with the same bytes are linked, and stay where they are."""
    folders: tuple[bytes, ...] = ()
    """Only what lies below one of these goes, each with a slash at its end; none for anywhere."""
    apart: frozenset[frozenset[str]] = frozenset()
    """Digests of two contents each, of which neither goes in favour of the other."""


def proposals(
    groups: Iterable[Sequence[wire.GroupFile]],
    wishes: Wishes,
    relations: Callable[[wire.GroupFile], Mapping[bytes, str]],
) -> Iterator[list[Line]]:
    """Yield the lines of each group of which something can go.

    Args:
        groups: The best file first, with what the others are to it.
        wishes: What the plan shall be like.
        relations: Says, by path, what files are to one that is kept and not the best.
    """
    number = 0
    for files in groups:
        left = list(files)
        # The verdicts are those to the group's best file, which may not be among these.
        best = next((file.image for file in files if file.verdict in {"best", "same_file"}), "")
        rounds = 0
        while len(left) > 1:
            rounds += 1
            if rounds == MOST_ROUNDS:
                left = _with_equals(left)
            kept = choose(left, wishes.by)
            verdicts = _verdicts(best, left, kept.file, relations)
            going = [
                file
                for file in left
                if file is not kept.file
                and {file.image, kept.file.image} not in wishes.apart
                and (not wishes.folders or file.path.startswith(wishes.folders))
                and _is_within(verdicts.get(file.path), wishes.limit)
                and not _is_half_of_a_pair(file.path)
                and not _are_moments_apart(file, kept.file, verdicts[file.path])
            ]
            # Those that stay may have equals among themselves. By identity, for a group may have a
            # hundred thousand files.
            gone = {id(kept.file), *map(id, going)}
            left = [file for file in left if id(file) not in gone]
            if not going:
                continue
            rounds = min(rounds, 1)
            number += 1
            lines = [_line(number, "keep", kept.file, why=kept.rule)]
            for file in going:
                verdict = verdicts[file.path]
                is_link = wishes.links and verdict == "same_file"
                lines.append(_line(number, "link" if is_link else "trash", file, verdict=verdict))
            yield lines


def _with_equals(files: Sequence[wire.GroupFile]) -> list[wire.GroupFile]:
    """Return those files that others have the same bytes as."""
    counts = Counter(file.image for file in files)
    return [file for file in files if counts[file.image] > 1]


def _verdicts(
    best: str,
    files: Sequence[wire.GroupFile],
    kept: wire.GroupFile,
    relations: Callable[[wire.GroupFile], Mapping[bytes, str]],
) -> dict[bytes, str]:
    """Say what each file is to the kept one; those are left out of which nobody knows."""
    found: dict[bytes, str] = {}
    unknown: list[wire.GroupFile] = []
    for file in files:
        if file.image == kept.image:
            found[file.path] = "same_file"
        elif file.verdict == kept.verdict == "same_pixels":
            found[file.path] = "same_pixels"
        elif kept.image == best:
            found[file.path] = file.verdict
        elif file.image == best:
            found[file.path] = kept.verdict
        else:
            # Two copies of the best need not be copies of one another.
            unknown.append(file)
    # Whether the pixels are equal is looked at when somebody searches.
    pixels = kept.width * kept.height
    unseen = [
        file
        for file in files
        if found.get(file.path) == "copy" and file.width * file.height == pixels
    ]
    if unknown or unseen:
        asked = relations(kept)
        for file in (*unknown, *unseen):
            if file.path in asked:
                found[file.path] = asked[file.path]
    return found


def _is_within(verdict: str | None, limit: Verdict) -> bool:
    return verdict in VERDICTS[: VERDICTS.index(limit) + 1]


def _is_half_of_a_pair(path: bytes) -> bool:
    """Say whether a camera wrote a shot twice, raw and developed, and this is one of the two."""
    stem, suffix = os.path.splitext(path)
    if suffix.lower() in _RAW:
        return True
    return any(os.path.lexists(stem + each) for raw in _RAW for each in (raw, raw.upper()))


def _are_moments_apart(file: wire.GroupFile, kept: wire.GroupFile, verdict: str) -> bool:
    """Say whether two pictures were taken in different seconds, as in a burst."""
    if verdict != "copy" or {file.width, file.height} != {kept.width, kept.height}:
        return False
    here, there = moments(file.path), moments(kept.path)
    # The earliest is when it was taken; an editor adds when it was changed.
    return bool(here and there) and min(here) != min(there)


def _line(
    number: int,
    do: Literal["keep", "trash", "link"],
    file: wire.GroupFile,
    *,
    why: str = "",
    verdict: str = "",
) -> Line:
    return Line(number, do, file.path, file.image, file.size, why, verdict)

"""Groups of copies → lines of a plan: which to keep by the rules, and what of the others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pspc.deciding.choosing import VERDICTS
from pspc.deciding.keeping import choose
from pspc.deciding.plans import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pspc.deciding.choosing import Verdict
    from pspc.deciding.keeping import Rule
    from pspc.deciding.plans import Do
    from pspc.deciding.shots import Shots
    from pspd.rpc import wire

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
    shots: Shots,
) -> Iterator[list[Line]]:
    """Yield the lines of each group of which something can go.

    Args:
        groups: The best file first, with what the others are to it.
        wishes: What the plan shall be like.
        relations: Says, by path, what files are to one that is kept and not the best.
        shots: Says what is another shot, and what belongs together.
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
                and (
                    _stays(verdicts[file.path], wishes)
                    or shots.may_go(file, kept.file, verdicts[file.path])
                )
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
                do: Do = "link" if _stays(verdict, wishes) else "trash"
                lines.append(_line(number, do, file, verdict=verdict))
            shots.note_gone(
                (file for file in going if not _stays(verdicts[file.path], wishes)), kept.file
            )
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


def _stays(verdict: str, wishes: Wishes) -> bool:
    """Say whether a file becomes a link, and so stays where it is."""
    return wishes.links and verdict == "same_file"


def _is_within(verdict: str | None, limit: Verdict) -> bool:
    return verdict in VERDICTS[: VERDICTS.index(limit) + 1]


def _line(
    number: int,
    do: Do,
    file: wire.GroupFile,
    *,
    why: str = "",
    verdict: str = "",
) -> Line:
    return Line(number, do, file.path, file.image, file.size, why, verdict)

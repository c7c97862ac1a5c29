"""A group of copies → the parts of it whose files are copies, and neither other shots nor halves.

    group ─▶ what is a copy of the best one, with that
          └▶ of the others: what is a copy among them, each time with the best of these

A group is a star: what is known is what each file is to the best one. Of the others it is asked,
and only where two of them may be one shot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from pspc.deciding.keeping import LOSSLESS

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from pspc.deciding.shots import Shots
    from pspd.rpc import wire

Content = list["wire.GroupFile"]
"""The files with the same bytes."""

MOST_QUESTIONS = 30
"""For one group: each is a search of some milliseconds."""

_RANKS = {"same_pixels": 0, "copy": 1}
"""What copies can be to one another, the surest first."""


class Parting(NamedTuple):
    """Parts groups."""

    shots: Shots
    hits: Callable[[wire.GroupFile], Mapping[bytes, wire.Hit]]
    """Finds, by path, what is like a file."""

    def parts(self, files: Sequence[wire.GroupFile]) -> list[Content]:
        """Return the parts of a group, each the best file first; what is in none is no copy.

        Args:
            files: Of a whole group, the best first.
        """
        best, *others = _contents(files)
        away = [each for each in others if self.shots.are_apart(best, each, each[0].verdict)]
        if not away:
            return [list(files)]
        gone = {each[0].image for each in away}
        undated = self._undated([each for each in others if each[0].image not in gone], away)
        found: list[Content] = []
        questions = MOST_QUESTIONS
        for one_second in self._by_second(away):
            left = one_second
            while left:
                first, *rest = left
                possible = self._possible(first, rest, undated)
                copies: Content = []
                if possible and questions:
                    questions -= 1
                    copies = _copies(possible, self.hits(first[0]), undated)
                found.append([*_best_of(first), *copies])
                taken = {file.image for file in copies}
                left = [each for each in rest if each[0].image not in taken]
                undated = [each for each in undated if each[0].image not in taken]
                gone |= taken
        with_best = [file for file in files if file.image not in gone]
        return [part for part in (with_best, *found) if len(part) > 1]

    def _undated(self, others: Iterable[Content], away: Iterable[Content]) -> list[Content]:
        """Return those copies of the best one that may have the pixels of what is another shot."""
        sizes = {_size(each[0]) for each in away}
        return [
            each
            for each in others
            if each[0].verdict == "copy"
            and _size(each[0]) in sizes
            and self.shots.second(each[0]) is None
        ]

    def _possible(
        self, first: Content, rest: Iterable[Content], undated: Iterable[Content]
    ) -> list[Content]:
        """Return what may be a copy of a content, or of those without a date the same pixels."""
        return [
            *(each for each in rest if not self.shots.are_apart(first, each, "copy")),
            *(
                each
                for each in undated
                if _size(each[0]) == _size(first[0])
                and not self.shots.are_apart(first, each, "same_pixels")
            ),
        ]

    def _by_second(self, contents: Iterable[Content]) -> list[list[Content]]:
        """Put together what may be one shot, the best first: others need not be compared."""
        seconds: dict[bytes | None, list[Content]] = {}
        for each in contents:
            seconds.setdefault(self.shots.second(each[0]), []).append(each)
        return [sorted(each, key=_standing) for each in seconds.values()]


def _contents(files: Iterable[wire.GroupFile]) -> list[Content]:
    by_image: dict[str, Content] = {}
    for file in files:
        by_image.setdefault(file.image, []).append(file)
    return list(by_image.values())


def _size(file: wire.GroupFile) -> frozenset[int]:
    """Return both sides of a picture; turned, it has the same."""
    return frozenset((file.width, file.height))


def _standing(content: Content) -> tuple[int, bool, int, str]:
    """Say where a content stands among others, as the daemon does; the smaller, the better."""
    file = content[0]
    return -file.width * file.height, file.format not in LOSSLESS, -file.size, file.image


def _nearness(file: wire.GroupFile) -> tuple[int, int, bytes]:
    return _RANKS[file.verdict], file.distance, file.path


def _best_of(content: Content) -> Content:
    """Say of the files of a content what they are to the first of them."""
    first, *others = content
    return [
        structs.replace(first, verdict="best", distance=0, turn="none"),
        *(structs.replace(each, verdict="same_file", distance=0, turn="none") for each in others),
    ]


def _copies(
    contents: Iterable[Content], hits: Mapping[bytes, wire.Hit], undated: Container[Content]
) -> Content:
    """Return the files of those contents that were found, the surest and nearest first."""
    found: Content = []
    for content in contents:
        hit = next((hits[file.path] for file in content if file.path in hits), None)
        # What changed since it was listed is another content.
        if hit is None or hit.image != content[0].image or hit.verdict not in _RANKS:
            continue
        if hit.verdict == "copy" and content in undated:
            continue  # as it is of the best one
        found += [
            structs.replace(file, verdict=hit.verdict, distance=hit.distance, turn=hit.turn)
            for file in content
        ]
    return sorted(found, key=_nearness)

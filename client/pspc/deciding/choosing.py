"""Pages of groups → whole groups, and those of them that somebody asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import structs

from pspd.rpc import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Verdict = Literal["same_file", "same_pixels", "copy"]

VERDICTS: tuple[Verdict, ...] = ("same_file", "same_pixels", "copy")
"""The surest first."""


def whole_groups(pages: Iterable[wire.DuplicatesReply]) -> Iterator[list[wire.GroupFile]]:
    """Yield the files of each group, those that go on on another page together."""
    files: list[wire.GroupFile] = []
    for page in pages:
        for group in page.groups:
            if not group.first and files:
                yield files
                files = []
            files = files + group.files
    if files:
        yield files


class Choice:
    """Takes of groups what is asked for, and counts what was left out as no copy.

    Args:
        limit: The weakest verdict to the best file; `same_file` to any file.
        roots: Folders of which more than one must have a file; None where that does not matter.
        parts: Returns the files of a group that are copies, as groups of their own: without other
            shots and halves of one. None where those are asked for as well.
    """

    def __init__(
        self,
        limit: Verdict,
        roots: Sequence[bytes] | None = None,
        parts: Callable[[Sequence[wire.GroupFile]], list[list[wire.GroupFile]]] | None = None,
    ) -> None:
        self._limit = limit
        self._roots = roots
        # With the same bytes nothing is another shot.
        self._parts = None if limit == "same_file" else parts
        self.left_out = 0
        """Files that would be asked for if they were copies."""
        self._more_groups = 0
        """Than the daemon counts, as far as they were looked at."""
        self._more_waste = 0

    def pages(self, pages: Iterable[wire.DuplicatesReply]) -> Iterator[wire.DuplicatesReply]:
        """Yield the pages with what is asked for; each group is whole, and some pages are empty.

        What they say of all groups is right once all were looked at.
        """
        pending: wire.Group | None = None
        for page in pages:
            groups: list[wire.Group] = []
            for group in page.groups:
                if group.first and pending is not None:
                    files = [*pending.files, *group.files]
                    pending = structs.replace(pending, files=files, total=len(files))
                    continue
                if pending is not None:
                    groups += self.groups(pending)
                pending = group
            if page.next is None and pending is not None:
                groups += self.groups(pending)
            yield structs.replace(
                page,
                groups=groups,
                total=page.total + self._more_groups,
                waste=page.waste + self._more_waste,
            )

    def groups(self, group: wire.Group) -> list[wire.Group]:
        """Return what is asked for of a whole group: groups without what is left out."""
        whole = self._asked_for(group)
        if self._parts is None:
            return whole
        parts = self._parts(group.files)
        if parts == [group.files]:
            return whole
        made = [_made(part) for part in parts]
        self._more_groups += len(made) - 1
        self._more_waste += sum(each.waste for each in made) - group.waste
        asked_for = [each for part in made for each in self._asked_for(part)]
        self.left_out += _count(whole) - _count(asked_for)
        return asked_for

    def _asked_for(self, group: wire.Group) -> list[wire.Group]:
        if self._roots is not None and not is_across(group.files, self._roots):
            return []
        if self._limit == "copy":
            return [group]
        if self._limit == "same_file":
            # Not of the best one alone: its copies may lie there twice as well.
            parts = _same_files(group.files)
        else:
            wanted = {"best", *VERDICTS[: VERDICTS.index(self._limit) + 1]}
            parts = [[file for file in group.files if file.verdict in wanted]]
        return [_made(part) for part in parts if len(part) > 1]


def _made(files: list[wire.GroupFile]) -> wire.Group:
    return wire.Group(files, sum(file.size for file in files[1:]), len(files), 0)


def _count(groups: Iterable[wire.Group]) -> int:
    return sum(len(group.files) for group in groups)


def is_across(files: Sequence[wire.GroupFile], roots: Sequence[bytes]) -> bool:
    """Say whether files lie below more than one of some folders, which end with a slash."""
    return len({root for file in files for root in roots if file.path.startswith(root)}) > 1


def _same_files(files: Sequence[wire.GroupFile]) -> list[list[wire.GroupFile]]:
    """Put together what has the same bytes, each time the first as the best."""
    by_image: dict[str, list[wire.GroupFile]] = {}
    for file in files:
        same = by_image.setdefault(file.image, [])
        verdict: Literal["best", "same_file"] = "same_file" if same else "best"
        same.append(structs.replace(file, verdict=verdict, distance=0, turn="none"))
    return list(by_image.values())

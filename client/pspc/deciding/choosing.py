"""Pages of groups → whole groups, and those of them that somebody asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import structs

from pspd.rpc import wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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


def chosen(
    pages: Iterable[wire.DuplicatesReply], limit: Verdict, roots: Sequence[bytes] | None
) -> Iterator[wire.DuplicatesReply]:
    """Yield the pages with those groups and files alone that are asked for; some may be empty.

    Args:
        pages: As they come. A group that goes on on another page is put together first.
        limit: The weakest verdict to the best file; `same_file` to any file.
        roots: Folders of which more than one must have a file; None where that does not matter.
    """
    pending: list[wire.GroupFile] = []
    for page in pages:
        groups: list[wire.Group] = []
        for group in page.groups:
            if not group.first and pending:
                groups += _made(pending, limit, roots)
                pending = []
            pending = pending + group.files
        if page.next is None and pending:
            groups += _made(pending, limit, roots)
        yield structs.replace(page, groups=groups)


def is_across(files: Sequence[wire.GroupFile], roots: Sequence[bytes]) -> bool:
    """Say whether files lie below more than one of some folders, which end with a slash."""
    return len({root for file in files for root in roots if file.path.startswith(root)}) > 1


def _made(
    files: Sequence[wire.GroupFile], limit: Verdict, roots: Sequence[bytes] | None
) -> list[wire.Group]:
    """Make what is asked for of one group."""
    if roots is not None and not is_across(files, roots):
        return []
    if limit == "same_file":
        # Not of the best one alone: its copies may lie there twice as well.
        parts = _same_files(files)
    else:
        wanted = {"best", *VERDICTS[: VERDICTS.index(limit) + 1]}
        parts = [[file for file in files if file.verdict in wanted]]
    return [
        wire.Group(part, sum(file.size for file in part[1:]), len(part), 0)
        for part in parts
        if len(part) > 1
    ]


def _same_files(files: Sequence[wire.GroupFile]) -> list[list[wire.GroupFile]]:
    """Put together what has the same bytes, each time the first as the best."""
    by_image: dict[str, list[wire.GroupFile]] = {}
    for file in files:
        same = by_image.setdefault(file.image, [])
        verdict: Literal["best", "same_file"] = "same_file" if same else "best"
        same.append(structs.replace(file, verdict=verdict, distance=0, turn="none"))
    return list(by_image.values())

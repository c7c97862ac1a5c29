"""Finds the files below a folder, as the daemon would: links are not followed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def files_below(
    folder: bytes, on_error: Callable[[bytes, OSError], None], *, hidden: bool = False
) -> Iterator[bytes]:
    """Yield the regular files below a folder, always in the same order.

    Args:
        folder: Where to look.
        on_error: Called with each directory that cannot be listed, or what cannot be told from one.
        hidden: Whether names that begin with a dot are looked at.
    """
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            on_error(here, error)
            continue
        inner: list[bytes] = []
        for entry in entries:
            if entry.name.startswith(b".") and not hidden:
                continue
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                is_file = entry.is_file(follow_symlinks=False)
            except OSError as error:  # where the listing does not say, and nobody may look
                on_error(entry.path, error)
                continue
            if is_folder:
                inner.append(entry.path)
            elif is_file:
                yield entry.path
        waiting += reversed(inner)

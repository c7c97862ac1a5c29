"""Which of several copies to keep: rules, one after the other, until one of them decides."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pspc.deciding.metadata import has_metadata
from pspc.errors import UsageError
from pspd.rpc.wire import KEEP_RULES, PATH_RULE, quoted, rule_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pspd.rpc import wire

LOSSLESS = frozenset({"BMP", "DIB", "PCX", "PNG", "PPM", "SGI", "TGA", "TIFF"})
"""As `pspd.core.groups.LOSSLESS_FORMATS`: formats that keep every pixel as it was."""

Key = Callable[["wire.GroupFile"], float]
"""The larger, the better."""


class Rule(NamedTuple):
    """One rule, by the word that people write."""

    word: str
    key: Key


class Choice(NamedTuple):
    """Which file to keep, and why."""

    file: wire.GroupFile
    rule: str
    """The one that decided; `path` where none did, and the first in order of paths is kept."""


def _modified(file: wire.GroupFile) -> float:
    try:
        return float(os.lstat(file.path).st_mtime_ns)
    except OSError:
        return float("inf")


_RULES: dict[str, Key] = {
    "pixels": lambda file: file.width * file.height,
    "metadata": lambda file: has_metadata(file.path),
    "lossless": lambda file: file.format in LOSSLESS,
    "bytes": lambda file: file.size,
    "oldest": lambda file: -_modified(file),
    "newest": lambda file: _modified(file) if _modified(file) != float("inf") else -1.0,
}


def rules(text: str) -> list[Rule]:
    """Read rules as people write them: `lossless, pixels, path:/photos/**, oldest`.

    Raises:
        UsageError: There is no such rule.
    """
    try:
        words = rule_words(text)
    except ValueError as error:
        known = ", ".join((*KEEP_RULES, "path:GLOB"))
        raise UsageError(f"there is no rule {quoted(str(error))}; there are {known}") from error
    return [
        Rule(word, _RULES[word] if word in _RULES else _matches(word.removeprefix(PATH_RULE)))
        for word in words
    ]


def choose(files: Sequence[wire.GroupFile], by: Sequence[Rule]) -> Choice:
    """Choose the file to keep.

    Args:
        files: One at least.
        by: The rules, the most important first. A rule is asked of those alone that are still
            equal, for some of them read files.
    """
    left = list(files)
    for rule in by:
        if len(left) == 1:
            break
        keys = [rule.key(file) for file in left]
        best = max(keys)
        before, left = left, [file for file, key in zip(left, keys, strict=True) if key == best]
        if len(left) == 1 and len(before) > 1:
            return Choice(left[0], rule.word)
    return Choice(min(left, key=lambda file: file.path), "path")


def _matches(pattern: str) -> Key:
    """Make a key of a glob: `*` and `?` within a name, `**` over folders as well."""
    expanded = os.path.expanduser(pattern)
    # fnmatch's * goes over slashes, as ** does here; for a choice between copies that is enough.
    encoded = os.fsencode(expanded.replace("**", "*"))
    return lambda file: fnmatch.fnmatchcase(file.path, encoded)

"""A watch root's globs and a path below it in, whether it belongs out."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass

from pspd.core.model import WatchRoot


@dataclass(frozen=True, slots=True)
class PathFilter:
    """Which files and directories of a root are looked at.

    A glob without a slash is matched with the name alone ("*.jpg", "cache"), one with a slash with
    the whole path below the root ("raw/*", "*/thumbnails/*"); `*` also matches slashes. Case
    counts. An excluded directory is not entered.
    """

    hidden: bool
    include: re.Pattern[str] | None
    exclude: re.Pattern[str] | None

    @classmethod
    def of(cls, root: WatchRoot) -> PathFilter:
        """Make the filter of a root."""
        return cls(root.hidden, _compile(root.include), _compile(root.exclude))

    @property
    def has_globs(self) -> bool:
        """Whether more than the first character of a name says what belongs."""
        return self.include is not None or self.exclude is not None

    def has_file(self, directory: str, name: str) -> bool:
        """Say whether the file `name` in `directory` (relative to the root, "" for it) belongs."""
        if not self.has_directory(directory, name):
            return False
        return self.include is None or _matches(self.include, directory, name)

    def has_directory(self, directory: str, name: str) -> bool:
        """Say whether the directory `name` in `directory` is entered."""
        if name.startswith(".") and not self.hidden:
            return False
        return self.exclude is None or not _matches(self.exclude, directory, name)


def _compile(globs: tuple[str, ...]) -> re.Pattern[str] | None:
    if not globs:
        return None
    # A name is tried as "name", a path as "/path": so each glob applies to its kind only.
    return re.compile("|".join(map(_translated, globs)), re.DOTALL)


def _translated(glob: str) -> str:
    if "/" in glob.rstrip("/"):
        return fnmatch.translate("/" + glob.strip("/"))
    # "?" and "[!a]" would match the slash that a path begins with.
    return "(?!/)" + fnmatch.translate(glob.rstrip("/"))


def _matches(pattern: re.Pattern[str], directory: str, name: str) -> bool:
    path = f"/{directory}/{name}" if directory else f"/{name}"
    return pattern.match(name) is not None or pattern.match(path) is not None

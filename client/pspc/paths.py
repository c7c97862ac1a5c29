"""Paths as people give them → as the daemon wants them: absolute, and bytes."""

from __future__ import annotations

import os

from pspc.errors import PathError
from pspd.rpc.wire import quoted


def absolute(path: str | bytes | os.PathLike[str]) -> bytes:
    """Return an absolute path.

    Raises:
        PathError: It is empty, or relative to a folder that is gone.
    """
    given = os.fsencode(path)
    if not given:
        raise PathError("an empty name is no folder")
    try:
        return os.path.abspath(given)
    except FileNotFoundError as error:
        raise PathError(
            f"{quoted(given)} leads nowhere: the current folder was deleted; go to another one"
        ) from error

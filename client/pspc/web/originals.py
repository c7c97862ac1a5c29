"""An indexed picture's bytes, from one of the files that the daemon says have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.digests import new_digest
from pspc.errors import SourceError
from pspc.sources import read_path

if TYPE_CHECKING:
    from pspc.connection import Connection

_SMALL = 16
"""Pixels of the drawing that comes with the paths, and is not wanted."""


def original(connection: Connection, image: str) -> bytes:
    """Return the bytes of an indexed picture, for a worker.

    Raises:
        DaemonError: `bad_request`, when the index has no such picture.
        SourceError: No file has these bytes any more.
    """
    for path in connection.picture(image, _SMALL).paths:
        try:
            data = read_path(path)
        except SourceError:
            continue
        if new_digest(data).hexdigest() == image:
            return data
    raise SourceError("none of the picture's files can be read as it was indexed")

"""The last queries' bytes, by their digest: to be searched with again, and compared."""

from __future__ import annotations

from http import HTTPStatus

from pspc.web.refusals import refused

MOST_QUERIES = 8
MOST_BYTES = 256 << 20


class Queries:
    """Keeps the last queries; for one thread."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def keep(self, image: str, data: bytes) -> None:
        """Keep a query; the oldest ones go."""
        self._kept.pop(image, None)
        self._kept[image] = data
        while len(self._kept) > MOST_QUERIES or self._bytes() > MOST_BYTES:
            del self._kept[next(iter(self._kept))]

    def find(self, image: str) -> bytes | None:
        """Return a query's bytes; None when they are not kept."""
        data = self._kept.pop(image, None)
        if data is not None:
            self._kept[image] = data  # the last one now
        return data

    def get(self, image: str) -> bytes:
        """Return a query's bytes.

        Raises:
            RefusedError: They are not kept any more.
        """
        data = self.find(image)
        if data is None:
            raise refused(
                HTTPStatus.NOT_FOUND, "query", "this query is not kept any more; search anew"
            )
        return data

    def _bytes(self) -> int:
        return sum(map(len, self._kept.values()))

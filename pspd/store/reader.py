"""What the store knows, asked inside one read transaction: one moment, whatever is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from pspd.core.model import (
    Counts,
    DirectoryId,
    Features,
    FileKey,
    FileRecord,
    ImageId,
    ImageNumber,
    ImageRecord,
    PixelDigest,
    QuarantineEntry,
    RootId,
    StampFields,
)
from pspd.store import codec, column_reading, columns, image_codec, keys, shapes
from pspd.store.places import Places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pspd.search.index import Rows
    from pspd.store.column_reading import Columns


class Reader(Places):
    """Every question to the store; valid only while its transaction is open."""

    _cells: columns.CellReader | None = None

    # --- files

    def file(self, key: FileKey) -> FileRecord | None:
        """Return a file's record."""
        body = self.get("files", keys.file_key(key))
        return None if body is None else codec.decode_file(body)[0]

    def has_entries(self, directory_id: DirectoryId) -> bool:
        """Say whether anything is known in a directory."""
        prefix = keys.number_key(directory_id)
        return any(True for name in ("children", "files") for _ in self.items(name, prefix))

    def files_in(self, directory_id: DirectoryId) -> dict[FileKey, FileRecord]:
        """Return the records of all files in a directory, not below it."""
        found = {}
        for key, body in self.items("files", keys.number_key(directory_id)):
            record, cut_name = codec.decode_file(body)
            found[keys.file_from_key(key, cut_name)] = record
        return found

    def stamps_in(self, directory_id: DirectoryId) -> dict[str, tuple[StampFields, bool]]:
        """Return the stamps of all files in a directory, by name, and whether each is racy."""
        items = self.items("files", keys.number_key(directory_id))
        return codec.decode_stamps(items, keys.name_from_key)

    def queued(self, after: int, limit: int) -> list[tuple[int, FileKey]]:
        """Return files to read, in order, with a sequence above `after`."""
        return [(sequence, key) for sequence, key, _ in self.queued_with_sizes(after, limit)]

    def queued_with_sizes(self, after: int, limit: int) -> list[tuple[int, FileKey, int]]:
        """Return the same, and how many bytes each had when it was seen."""
        found: list[tuple[int, FileKey, int]] = []
        for key, raw in self.items("pending", b"", start=keys.number_key(after + 1)):
            body = self.get("files", raw)
            record, cut_name = (None, b"") if body is None else codec.decode_file(body)
            size = 0 if record is None else record.stamp.size
            found.append((keys.number_from_key(key), keys.file_from_key(raw, cut_name), size))
            if len(found) == limit:
                break
        return found

    def failures(
        self, after: bytes | None, limit: int
    ) -> tuple[list[tuple[str, str, str]], bytes | None]:
        """Return a page of (path, reason, message), and where the next page begins."""
        page: list[tuple[str, str, str]] = []
        for key, body in self.items("failures", b"", start=after or b""):
            if key == after:
                continue
            reason, message, cut_name = codec.decode_failure(body)
            path = self.file_path(keys.file_from_key(key, cut_name))
            if path is not None:
                page.append((path, reason, message))
            if len(page) == limit:
                return page, key
        return page, None

    def failed_files(
        self, after: bytes | None, limit: int
    ) -> tuple[list[tuple[FileKey, str]], bytes | None]:
        """Return a page of (file, reason), and where the next page begins."""
        page: list[tuple[FileKey, str]] = []
        for key, body in self.items("failures", start=after or b""):
            if key == after:
                continue
            reason, _, cut_name = codec.decode_failure(body)
            page.append((keys.file_from_key(key, cut_name), reason))
            if len(page) == limit:
                return page, key
        return page, None

    def quarantined(self, image_id: ImageId) -> QuarantineEntry | None:
        """Return what a content did to workers, if it cost any."""
        body = self.get("quarantine", image_id)
        return None if body is None else codec.decode_quarantine(body)

    def quarantine(self) -> list[tuple[ImageId, QuarantineEntry]]:
        """Return all contents that cost workers; few ever do."""
        return [
            (ImageId(key), codec.decode_quarantine(body)) for key, body in self.items("quarantine")
        ]

    # --- images

    def number_of(self, image_id: ImageId) -> ImageNumber | None:
        """Return the number of the image with this content.

        A digest that leads to no image, or to one of another content, is as none: the next file
        with the content is given an image anew.
        """
        for key, _ in self.items("digests", keys.digest_prefix(image_id)):
            image = self.image(keys.image_from_digest_key(key))
            if image is not None and image.image_id == image_id:
                return image.number
        return None

    def image(self, number: ImageNumber) -> ImageRecord | None:
        """Return an image's record."""
        body = self.get("images", keys.number_key(number))
        return None if body is None else image_codec.decode_image(number, body)

    def links(self, number: ImageNumber) -> list[FileKey]:
        """Return the files that have this content.

        A link to a file that says otherwise, or is not there, is not followed: a search would
        answer with it.
        """
        found = []
        for key, _ in self.items("links", keys.number_key(number)):
            raw = keys.file_of_link(key)
            body = self.get("files", raw)
            record, cut_name = (None, b"") if body is None else codec.decode_file(body)
            if record is not None and record.image == number:
                found.append(keys.file_from_key(raw, cut_name))
        return found

    def has_links(self, number: ImageNumber) -> bool:
        """Say whether any file has this content."""
        return any(True for _ in self.items("links", keys.number_key(number)))

    def quality(self, number: ImageNumber) -> int:
        """Return the quality in an image's row of the columns; `NO_ROW` when there is none."""
        return columns.read_quality(self._transaction, self._databases["columns"], number)

    def agrees(self, number: ImageNumber, features: Features) -> bool:
        """Say whether all that is stored of an image is what these features give."""
        stored = self.get("images", keys.number_key(number))
        is_same_record = stored == image_codec.encode_image(columns.record_of(number, features))
        return is_same_record and self.cells(number) == columns.row_of(features).cells()

    def cells(self, number: ImageNumber) -> Mapping[shapes.Column, bytes]:
        """Return an image's row of the columns."""
        if self._cells is None:
            self._cells = columns.CellReader(self._transaction, self._databases["columns"])
        return self._cells.cells(number)

    def pixels(self, number: ImageNumber) -> PixelDigest | None:
        """Return an image's pixel digest, if it was ever computed."""
        body = self.get("pixels", keys.number_key(number))
        return None if body is None else image_codec.decode_pixels(body)

    def rows(self) -> Rows:
        """Return what the index holds of every image."""
        return self.columns().rows()

    def row_parts(self) -> Iterator[Rows]:
        """Yield the same in parts, in the order of their numbers; all take 57 bytes each."""
        database = self._databases["columns"]
        for first, part in column_reading.read_parts(self._transaction, database):
            yield part.rows(first)

    def columns(self) -> Columns:
        """Return the rows of every image, with the 256-bit hashes."""
        return column_reading.read_columns(self._transaction, self._databases["columns"])

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers, ascending, of the images that have a row: a byte each is read."""
        qualities = column_reading.read_qualities(self._transaction, self._databases["columns"])
        return np.flatnonzero(qualities != shapes.NO_ROW)

    def outdated(self, after: int, version: int, limit: int) -> list[ImageNumber]:
        """Return images above number `after` whose features have another version."""
        found: list[ImageNumber] = []
        for key, body in self.items("images", b"", start=keys.number_key(after + 1)):
            if image_codec.image_version(body) != version:
                found.append(ImageNumber(keys.number_from_key(key)))
                if len(found) == limit:
                    break
        return found

    def count_outdated(self, version: int) -> int:
        """Count the images whose features have another version."""
        bodies = (body for _, body in self.items("images"))
        return sum(image_codec.image_version(body) != version for body in bodies)

    # --- counters

    def counts(self) -> dict[RootId, Counts]:
        """Return the counters of every root."""
        return {
            keys.root_from_key(key): codec.decode_counts(body)
            for key, body in self.items("counters")
        }

    def meta(self, name: str) -> int:
        """Return a number of `meta`; 0 when it was never set."""
        body = self.get("meta", name.encode())
        return 0 if body is None else codec.decode_number(body)

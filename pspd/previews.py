"""Pictures as people look at them: small, upright, a JPEG of their pixels.

    content digest ─▶ kept? ─▶ its record, its files ─▶ a worker: view, tags ─▶ JPEG ─▶ kept
    bytes of a query ────────────────────────────────▶ a worker: view, tags ─▶ JPEG

What is shown was decoded in a worker's sandbox and encoded here from bare pixels, so that nothing
of a stranger's file reaches whoever shows it: no script in an SVG, no position in its EXIF.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from PIL import Image

from pspd.indexed_pictures import known_picture, see
from pspd.kept_pictures import KeptPictures
from pspd.workers.messages import Order

if TYPE_CHECKING:
    from pspd.core.model import ImageId, ImageRecord
    from pspd.core.view import View
    from pspd.image_reading import ImageReader
    from pspd.query_reading import QueryReader
    from pspd.store.store import Store

MOST_KEPT_BYTES: Final = 32 << 20
"""Of small pictures that are kept: some 2,500 thumbnails, what a long list shows in a minute."""

MOST_PATHS: Final = 1000
"""Files of one content that are named."""

_LARGEST_KEPT: Final = 1 << 18
"""Bytes of one that is kept: a list has many small ones, and is gone through twice."""

_QUALITY: Final = 85

Tags = tuple[tuple[str, str], ...]


class Shown(NamedTuple):
    """A picture to look at."""

    content: bytes
    """A JPEG file."""
    width: int
    """Of the whole upright picture; likewise the height."""
    height: int
    tags: Tags


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture to look at, and what is known of its file."""

    shown: Shown
    size: int
    """Bytes of the file."""
    format: str
    image_id: ImageId
    frames: int
    channels: int
    orientation: int
    paths: tuple[str, ...] = ()


class Previews:
    """Shows pictures, to any thread.

    Args:
        store: Knows the indexed ones.
        images: Reads those.
        queries: Reads those that are not.
    """

    def __init__(self, store: Store, images: ImageReader, queries: QueryReader) -> None:
        self._store = store
        self._images = images
        self._queries = queries
        self._kept: KeptPictures[_What, Shown] = KeptPictures(MOST_KEPT_BYTES)

    def of_image(self, image_id: ImageId, longest: int, *, wants_tags: bool) -> Preview:
        """Show an indexed picture.

        Args:
            image_id: Its content digest.
            longest: Pixels of its longer side, at most.
            wants_tags: Whether what its EXIF says matters.

        Raises:
            RequestError: There is none with this content, or none of its files can be read.
        """
        with self._store.read() as reader:
            record = known_picture(reader, image_id)
            # Of thousands of files one may be shown and not all be named.
            keys = sorted(reader.links(record.number))[:MOST_PATHS]
            paths = tuple(path for key in keys if (path := reader.file_path(key)) is not None)
        shown = self._shown(record, longest, wants_tags=wants_tags)
        return Preview(
            shown,
            record.size,
            record.format,
            image_id,
            record.frames,
            record.channels,
            record.orientation,
            tuple(sorted(paths)),
        )

    def of_query(self, image: bytes, longest: int, *, wants_tags: bool) -> Preview:
        """Show a picture that need not be indexed.

        Args:
            image: The bytes of its file.
            longest: As for `of_image`.
            wants_tags: Likewise.

        Raises:
            FileFailure: It cannot be read as a picture.
        """
        features = self._queries.read(image, None, wants_turns=False).features
        view, tags = self._queries.look(image, longest, wants_tags=wants_tags)
        return Preview(
            Shown(_jpeg(view), view.full_width, view.full_height, tags),
            features.size,
            features.format,
            features.image_id,
            features.frames,
            features.channels,
            features.orientation,
        )

    def _shown(self, record: ImageRecord, longest: int, *, wants_tags: bool) -> Shown:
        what = _What(record.image_id, longest, wants_tags)
        kept = self._kept.get(what)
        if kept is not None:
            return kept
        order = Order(features=False, view=longest, tags=wants_tags)
        view, tags = see(self._images, record, order)
        shown = Shown(_jpeg(view), view.full_width, view.full_height, tags)
        if not wants_tags and len(shown.content) <= _LARGEST_KEPT:
            self._kept.put(what, shown)
        return shown


class _What(NamedTuple):
    image_id: ImageId
    longest: int
    has_tags: bool


def _jpeg(view: View) -> bytes:
    file = io.BytesIO()
    image = Image.frombytes("RGB", (view.width, view.height), view.pixels)
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()

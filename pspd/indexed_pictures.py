"""Pictures of the index that somebody asks to see, by their content: never by a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pspd.errors import RequestError

if TYPE_CHECKING:
    from pspd.core.model import ImageId, ImageRecord
    from pspd.core.view import View
    from pspd.image_reading import ImageReader
    from pspd.store.reader import Reader
    from pspd.workers.messages import Order


class Seen(NamedTuple):
    """What a worker saw."""

    view: View
    tags: tuple[tuple[str, str], ...]


def known_picture(reader: Reader, image_id: ImageId) -> ImageRecord:
    """Return what is known of a content.

    Raises:
        RequestError: No indexed picture has it.
    """
    number = reader.number_of(image_id)
    record = None if number is None else reader.image(number)
    if record is None:
        raise RequestError("bad_request", "no indexed picture has this content")
    return record


def see(images: ImageReader, record: ImageRecord, order: Order) -> Seen:
    """Have a worker look at a picture again.

    Raises:
        NoWorker: None can be had.
        RequestError: None of its files has this content any more, or can be read.
    """
    outcome = images.read(record.number, record.image_id, order)
    if outcome is None or outcome.view is None:
        raise RequestError("bad_request", "none of the picture's files can be read any more")
    return Seen(outcome.view, outcome.tags)

"""The worker process: open descriptors of untrusted files in, what was made of them out.

    python -P -m pspd.workers.process SOCKET

started by `pspd.workers.handle` with the descriptor of one end of a socket pair, over which it
speaks as `pspd.workers.messages` says. It ends when the other end is gone, so that no worker
outlives its daemon. (`PR_SET_PDEATHSIG` would be of no use: it fires when the thread that started
the worker ends, and that is any of the indexer's.)
"""

from __future__ import annotations

import codecs
import contextlib
import gc
import importlib
import io
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import msgspec
from msgspec.structs import replace
from PIL import Image, UnidentifiedImageError

from pspd.core.model import FailureReason, Features, ImageId, Limits, TurnedHashes
from pspd.core.view import View
from pspd.errors import FileFailure
from pspd.features import rust_png, still_webp
from pspd.features.decode import OpenPicture
from pspd.features.details import detail_of
from pspd.features.extract import extract, extract_query, image_id_of
from pspd.features.extras import import_reader
from pspd.features.formats import EXTRAS
from pspd.features.inner_pictures import InnerHashes, hashed_parts
from pspd.features.tags import tags_of
from pspd.features.views import cropped, pixels_of, view_of
from pspd.verify.pixels import pixel_digest
from pspd.workers.channel import Channel, ChannelClosedError
from pspd.workers.file_reading import read_whole
from pspd.workers.messages import (
    ONLY_PIXELS,
    Digest,
    Done,
    Failed,
    Job,
    Order,
    Proceed,
    Ready,
    Setup,
)
from pspd.workers.replies import printable
from pspd.workers.sandbox import enter_sandbox, take_name, yield_to_others

_EVER = math.inf
_ALARM_GRACE_SECONDS = 5.0
"""How much later than its parent's deadline a worker ends itself, if there is no parent."""
_PLUGINS = (
    *("JpegImagePlugin", "MpoImagePlugin", "PngImagePlugin", "WebPImagePlugin", "GifImagePlugin"),
    *("BmpImagePlugin", "TiffImagePlugin", "AvifImagePlugin", "ImageColor"),
)
"""Pillow's readers of `BASE_FORMATS`, and what they import in the middle of their work."""
INNER_SIDE = 640
"""Pixels of the longer side in which inner pictures are looked for."""
_CODECS = ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be")
"""Of the texts in metadata; Python looks for a codec's module upon its first use."""

_proceeding = msgspec.msgpack.Decoder(Proceed)


def main() -> None:
    """Prepare, say so, and read files until the other end is gone."""
    # The terminal's Ctrl-C and systemd's TERM to the whole group mean the daemon, which ends its
    # workers when it has put away what they were doing.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    work(Channel(socket.socket(fileno=int(sys.argv[1]))), prepare_decoders)


def work(channel: Channel, prepare: Callable[[], None]) -> None:
    """Be a worker until the other end is gone.

    Args:
        channel: To whoever gives it files.
        prepare: Loads the decoders, where that is still to be done.
    """
    with contextlib.suppress(ChannelClosedError):
        setup = channel.receive(msgspec.msgpack.Decoder(Setup), deadline=_EVER)
        take_name()
        yield_to_others(setup.nice)
        prepare()
        protection = enter_sandbox(setup.limits)
        channel.send(Ready(protection), deadline=_EVER)
        serve(channel, setup.limits)


def prepare_decoders() -> None:
    """Load all that decoding needs, so that nothing has to be opened in the sandbox.

    Pictures are read, because numpy takes 34 MB of buffers and imports modules upon first use; the
    limit on memory is for files alone, and the first search shall be as fast as the next. Of
    Pillow's 43 plugins those are loaded that are on the list of formats, and not the one that
    starts Ghostscript.
    """
    for plugin in _PLUGINS:
        importlib.import_module(f"PIL.{plugin}")
    for codec in _CODECS:
        codecs.lookup(codec)
    for name in EXTRAS:
        # A file that needs a missing one says so.
        with contextlib.suppress(FileFailure):
            import_reader(name)
    rust_png.module()
    still_webp.decoder()
    # In colour: its mean is what OpenBLAS takes a buffer for, and without one it ends the process.
    picture = Image.linear_gradient("L").convert("RGB")
    # Quick decoders are for usual PNG alone, not tiny ones, which this would be if compressed.
    for name in ("PNG", "JPEG", "WEBP"):
        file = io.BytesIO()
        picture.save(file, name, compress_level=0)
        extract_query(file.getvalue(), Limits())
        pixel_digest(file.getvalue(), Limits())
    # What was imported stays: it is not looked through for cycles in the middle of a picture.
    gc.freeze()


def serve(channel: Channel, limits: Limits) -> None:
    """Read one file after the other, until the other end is gone."""
    jobs = msgspec.msgpack.Decoder(Job)
    while True:
        job, descriptor = channel.receive_with_descriptor(jobs, deadline=_EVER)
        try:
            reply = reply_to(channel, job, descriptor, limits)
        finally:
            # Before the reply: whoever gets it may want to unmount the drive.
            os.close(descriptor)
        channel.send(reply, deadline=_EVER)


def reply_to(channel: Channel, job: Job, descriptor: int, limits: Limits) -> Done | Failed:
    """Do a job; whatever is wrong with the file becomes the reply.

    Raises:
        ChannelClosedError: the other end is gone.
    """
    try:
        with _limited_time(limits):
            data = read_whole(descriptor, job.size, limits.max_bytes)
            image_id = image_id_of(data)
        if job.asks_first and not _is_wanted(channel, image_id):
            return Done(image_id)
        order = job.order
        if order.part is not None:
            with _limited_time(limits):
                data = cropped(data, limits, order.part)
                image_id = image_id_of(data)
        loaded: list[OpenPicture] = []
        if job.shows_first:
            with _limited_time(limits):
                features = replace(order, pixels=False)
                shown = _decode(data, image_id, features, limits, loaded, keeps=True)
            channel.send(shown, deadline=_EVER)
            if not _may_proceed(channel):
                return Done(image_id)
            order = ONLY_PIXELS
        with _limited_time(limits):
            return _decode(data, image_id, order, limits, loaded)
    except ChannelClosedError:
        raise
    except FileFailure as failure:
        is_spent = may_have_harmed(failure)
        return _failed(FailureReason(failure.reason), str(failure), is_spent=is_spent)
    except MemoryError:
        text = f"reading it needs more memory than {limits.max_memory >> 20} MiB"
        return _failed(FailureReason.OUT_OF_MEMORY, text, is_spent=True)
    except BaseException as error:  # noqa: BLE001 - the edge: mutated files raise nearly anything
        text = f"the decoder failed: {type(error).__name__}: {error}"
        return _failed(FailureReason.BROKEN, text, is_spent=True)


def may_have_harmed(failure: FileFailure) -> bool:
    """Say whether a decoder stopped half-way, and may have been left in a bad state.

    Refused by a limit, ended too soon, and not recognised at all happen in every folder, and leave
    nothing behind; a folder full of them should not cost a process each.
    """
    if failure.reason == FailureReason.OUT_OF_MEMORY:
        return True
    is_unidentified = isinstance(failure.__cause__, UnidentifiedImageError)
    return failure.reason == FailureReason.BROKEN and not is_unidentified


def _is_wanted(channel: Channel, image_id: ImageId) -> bool:
    channel.send(Digest(image_id), deadline=_EVER)
    return _may_proceed(channel)


def _may_proceed(channel: Channel) -> bool:
    return channel.receive(_proceeding, deadline=_EVER).is_wanted


def _decode(  # noqa: PLR0913 - a picture, what is wanted of it, and what may be wanted next
    data: bytes,
    image_id: ImageId,
    order: Order,
    limits: Limits,
    loaded: list[OpenPicture],
    *,
    keeps: bool = False,
) -> Done:
    """Decode what is ordered; what `loaded` has is not decoded again, and it gets what was."""
    features: Features | None = None
    turns: tuple[TurnedHashes, ...] = ()
    if order.turns:
        features, turns = extract_query(data, limits, image_id, keep=loaded.append)
    elif order.features:
        keep = loaded.append if order.pixels or keeps else None
        features = extract(data, limits, image_id, keep=keep)
    pixels = pixel_digest(data, limits, *loaded) if order.pixels else None
    view = _view(data, order, limits) if order.view else None
    inner: tuple[InnerHashes, ...] = ()
    if order.inner:
        inner = hashed_parts(pixels_of(view or view_of(data, limits, INNER_SIDE)))
    tags = tags_of(data, limits) if order.tags else ()
    return Done(image_id, features, turns, pixels, view, inner, tags)


def _view(data: bytes, order: Order, limits: Limits) -> View:
    if order.within is not None:
        return detail_of(data, limits, order.within, order.view)
    return view_of(data, limits, order.view)


def _failed(reason: FailureReason, message: str, *, is_spent: bool) -> Failed:
    return Failed(reason, printable(message), is_spent)


@contextlib.contextmanager
def _limited_time(limits: Limits) -> Iterator[None]:
    """Let SIGALRM end this process if the body takes too long.

    It comes later than the parent's deadline: it matters when the parent is gone.
    """
    signal.setitimer(signal.ITIMER_REAL, limits.max_seconds + _ALARM_GRACE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()

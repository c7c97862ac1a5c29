"""The process of an encoder: pixels in, descriptors out, by a model that may do anything.

    python -P -m pspd.learned.encoder_process SOCKET

started by `pspd.learned.encoder`. A model's file comes from strangers, and is parsed by much code
that is not ours: so it is read, loaded and run in the sandbox of a worker, which opens no path and
reaches no network. It ends when the other end is gone, or asked nothing for long.
"""

from __future__ import annotations

import gc
import hashlib
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import msgspec
import numpy as np

from pspd.core.model import Limits
from pspd.errors import EncodingFailed, ModelMissing, ModelUnusable
from pspd.learned.catalogue import Interface
from pspd.learned.messages import Encoded, Failed, Picture, Ready, Refused, Setup
from pspd.learned.onnx_encoder import OnnxEncoder
from pspd.learned.preprocessing import Pixels, model_input
from pspd.learned.runtime import import_runtime
from pspd.workers.channel import Channel, ChannelClosedError, NonsenseError
from pspd.workers.sandbox import enter_sandbox, take_name, yield_to_others

NAME: Final = "pspd-encoder"
"""In lists of processes."""

_UNCONFINED: Final = (
    "the encoder cannot be confined ({}); to let it run all the same, set "
    'workers.sandbox = "prefer"'
)
_EVER: Final = math.inf
_PART_BYTES: Final = 1 << 24


def main() -> None:
    """Load the model, say so, and encode until there is nothing more to do."""
    # Of the terminal and of systemd, which mean the daemon.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    # The other end is gone; or it was asked nothing for so long that its memory is better freed.
    with suppress(ChannelClosedError, TimeoutError):
        work(channel)


def work(channel: Channel) -> None:
    """Be an encoder until the other end is gone, or silent for long.

    Raises:
        ChannelClosedError: the other end is gone.
        TimeoutError: it asked nothing for as long as was agreed.
    """
    setup, descriptor = channel.receive_with_descriptor(
        msgspec.msgpack.Decoder(Setup), deadline=_EVER
    )
    take_name(NAME)
    yield_to_others(setup.nice)
    with _limited_time(setup.load_seconds):
        reply, encoder = load(setup, descriptor)
    channel.send(reply, deadline=_EVER)
    if encoder is not None:
        # What was imported stays: it is not looked through for cycles in the middle of a batch.
        gc.freeze()
        serve(channel, encoder, setup)


def load(setup: Setup, descriptor: int) -> tuple[Ready | Refused, OnnxEncoder | None]:
    """Enter the sandbox and load the model there; whatever is wrong with it becomes the reply."""
    try:
        prepare(setup.interface)
        protection = enter_sandbox(Limits(max_memory=setup.max_memory))
        if setup.needs_sandbox and not protection.is_full:
            return Refused("failed", _UNCONFINED.format(protection.missing)), None
        model = read_model(descriptor, setup.size, setup.sha256)
        encoder = OnnxEncoder(model, setup.interface, threads=setup.threads)
    except ModelMissing as error:
        return Refused("missing", str(error)), None
    except ModelUnusable as error:
        return Refused("unusable", str(error)), None
    except EncodingFailed as error:
        return Refused("failed", str(error)), None
    except MemoryError:
        return Refused("failed", "not enough memory to load it; a smaller model needs less"), None
    except Exception as error:  # noqa: BLE001 - the edge: standard error is closed by now
        return Refused("failed", f"this should not happen: {type(error).__name__}: {error}"), None
    finally:
        os.close(descriptor)
    return Ready(encoder.dimension, protection), encoder


def prepare(interface: Interface) -> None:
    """Load all that encoding needs, so that nothing has to be opened in the sandbox.

    Raises:
        ModelMissing: ONNX Runtime is not installed.
    """
    import_runtime()
    # Pillow and numpy import modules upon first use.
    values = model_input([np.zeros((2, 2, 3), np.uint8)], interface.preprocessing)
    np.linalg.norm(np.concatenate([values, values]).astype(np.float64).reshape(2, -1), axis=1)


def read_model(descriptor: int, size: int, sha256: str) -> bytes:
    """Read a model's file, and see that it is the right one: what is loaded is what was checked.

    Raises:
        ModelUnusable: it is another file, or cannot be read.
    """
    parts: list[bytes] = []
    at = 0
    try:
        while at < size and (part := os.pread(descriptor, min(_PART_BYTES, size - at), at)):
            parts.append(part)
            at += len(part)
    except OSError as error:
        raise ModelUnusable(f"its file cannot be read: {error.strerror}") from error
    model = b"".join(parts)
    found = hashlib.sha256(model).hexdigest()
    if found != sha256:
        raise ModelUnusable(
            f"its file is not the one that is expected: its SHA-256 is {found}, not {sha256}; "
            "remove the model and add it again"
        )
    return model


def serve(channel: Channel, encoder: OnnxEncoder, setup: Setup) -> None:
    """Encode one batch after the other.

    Raises:
        ChannelClosedError: the other end is gone.
        TimeoutError: it asked nothing for so long.
    """
    decoder = msgspec.msgpack.Decoder(Picture)
    batch: list[Pixels] = []
    while True:
        deadline = _EVER if batch else time.monotonic() + setup.idle_seconds
        picture = channel.receive(decoder, deadline=deadline)
        batch.append(_pixels(picture))
        if picture.is_last:
            with _limited_time(setup.batch_seconds):
                reply = _encoded(encoder, batch)
            channel.send(reply, deadline=_EVER)
            batch = []


def _pixels(picture: Picture) -> Pixels:
    if len(picture.pixels) != 3 * picture.height * picture.width or not picture.pixels:
        raise NonsenseError("a picture of another size than it says")
    return np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 3)


def _encoded(encoder: OnnxEncoder, batch: list[Pixels]) -> Encoded | Failed:
    try:
        return Encoded(encoder.encode(batch).astype("<f4", copy=False).tobytes())
    except EncodingFailed as error:
        return Failed(str(error))
    except MemoryError:
        return Failed("not enough memory for the pictures; fewer or smaller ones need less")
    except Exception as error:  # noqa: BLE001 - the edge: nobody else could tell
        return Failed(f"this should not happen: {type(error).__name__}: {error}")


@contextmanager
def _limited_time(seconds: float) -> Iterator[None]:
    """Let SIGALRM end this process if the body takes far too long.

    Whoever waits for it ends it before, but may be gone itself.
    """
    signal.setitimer(signal.ITIMER_REAL, 2 * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()

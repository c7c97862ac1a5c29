"""A worker process that does what the file it is given tells it to, good or bad.

Started by the pool under test in place of the real one; the first word of a file is the deed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import signal
import socket
import sys
from collections.abc import Callable

import msgspec

from pspd.core.model import FailureReason, Features, ImageId, Turn, TurnedHashes
from pspd.features.extract import FEATURES_VERSION
from pspd.workers.channel import Channel, ChannelClosedError
from pspd.workers.messages import Digest, Done, Failed, Job, Proceed, Ready, Setup

EVER = math.inf


def honest(data: bytes) -> Done:
    image_id = ImageId(hashlib.blake2b(data, digest_size=32).digest())
    features = Features(
        version=FEATURES_VERSION,
        image_id=image_id,
        format="PNG",
        width=3,
        height=2,
        channels=3,
        size=len(data),
        frames=1,
        orientation=1,
        mean=(1.0, 2.0, 3.0),
        quality=50,
        phash64=bytes(8),
        phash256=bytes(32),
    )
    return Done(image_id, features)


def frame(message: Done) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(4, "big") + body


def lie(data: bytes, **changes: object) -> Done:
    """Return an honest answer but for some of the features."""
    done = honest(data)
    assert done.features is not None
    return msgspec.structs.replace(
        done,
        features=dataclasses.replace(done.features, **changes),  # type: ignore[arg-type]
    )


LIES: dict[bytes, Callable[[bytes], Done | Failed]] = {
    b"good": honest,
    b"broken": lambda _: Failed(FailureReason.BROKEN, "one\nline \x1b[31m" + "x" * 999, False),
    b"spent": lambda _: Failed(FailureReason.OUT_OF_MEMORY, "no more", True),
    b"nan": lambda data: lie(data, mean=(1.0, math.nan, 3.0)),
    b"bright": lambda data: lie(data, mean=(1.0, 2.0, 256.0)),
    b"wide": lambda data: lie(data, width=1 << 20),
    b"large": lambda data: lie(data, width=60_000, height=60_000),
    b"flat": lambda data: lie(data, quality=-1),
    b"short": lambda data: lie(data, phash64=bytes(7)),
    b"turned": lambda data: lie(data, orientation=9),
    b"escape": lambda data: lie(data, format="\x1b[31m"),
    b"stranger": lambda data: lie(data, image_id=bytes(32)),
    b"idle": lambda data: Done(honest(data).image_id),
    b"cut": lambda data: msgspec.structs.replace(honest(data), image_id=ImageId(b"")),
}


def misbehave(deed: bytes, connection: socket.socket) -> None:
    if deed == b"exit":
        os._exit(7)
    elif deed == b"hang":
        signal.pause()
    elif deed == b"spin":
        while True:
            pass
    elif deed == b"mute":
        connection.shutdown(socket.SHUT_RDWR)
        os._exit(0)
    elif deed == b"garbage":
        connection.sendall(b"\x00\x00\x00\x05\xc1\xff\xff\xff\xff")
    elif deed == b"oversize":
        connection.sendall(b"\xff\xff\xff\xff")
    elif deed == b"trickle":
        connection.sendall(b"\x00\x00\x00\x09\x00")
        signal.pause()
    elif deed == b"unasked":
        connection.sendall(b"\x00\x00\x00\x01\x80" * 2)
    else:
        os.kill(os.getpid(), getattr(signal, deed.decode("ascii")))


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[-1]))
    channel = Channel(connection)
    channel.receive(msgspec.msgpack.Decoder(Setup), deadline=EVER)
    channel.send(Ready(), deadline=EVER)
    while True:
        try:
            job, descriptor = channel.receive_with_descriptor(
                msgspec.msgpack.Decoder(Job), deadline=EVER
            )
        except ChannelClosedError:
            return
        data = os.pread(descriptor, 1 << 16, 0)
        os.close(descriptor)
        words = iter(data.split())
        deed = next(words)
        if deed == b"asked":
            deed = next(words)
            if job.asks_first:
                channel.send(Digest(honest(data).image_id), deadline=EVER)
                if not channel.receive(msgspec.msgpack.Decoder(Proceed), deadline=EVER).is_wanted:
                    channel.send(Done(honest(data).image_id), deadline=EVER)
                    continue
        if deed == b"shown":
            deed = next(words)
            turns = (TurnedHashes(Turn.NONE, bytes(8), bytes(32)),) if job.order.turns else ()
            channel.send(msgspec.structs.replace(honest(data), turns=turns), deadline=EVER)
            channel.receive(msgspec.msgpack.Decoder(Proceed), deadline=EVER)
        if deed == b"twice":
            connection.sendall(frame(honest(data)) + frame(honest(b"another file")))
        elif deed in LIES:
            channel.send(LIES[deed](data), deadline=EVER)
        else:
            misbehave(deed, connection)


if __name__ == "__main__":
    main()

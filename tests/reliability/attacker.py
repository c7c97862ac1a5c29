"""Clients that mean harm, as a process: `python -m tests.reliability.attacker KIND PATH NUMBER`.

Prints a line when its attack begins; those that hold something print another once they do, and wait
for the end of their standard input.
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import zmq

from pspd.rpc import wire

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
_SOCKET_TYPE = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
READY = b"\x04" + bytes([len(_SOCKET_TYPE)]) + _SOCKET_TYPE
PART_BYTES = 1 << 19
WINDOW = 50


def connect(path: str) -> socket.socket:
    """Connect with a plain socket."""
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(path)
    raw.settimeout(5)
    return raw


def dealer(path: str) -> zmq.Socket[bytes]:
    """Connect as a client does."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    made = context.socket(zmq.DEALER)
    made.setsockopt(zmq.LINGER, 0)
    made.setsockopt(zmq.SNDTIMEO, 2000)
    made.set_hwm(0)
    made.connect(wire.socket_address(path))
    return made


def mutant(chance: random.Random) -> list[bytes]:
    """Return the frames of a request that is none."""
    kinds: list[wire.Request] = [wire.StatusRequest(), wire.SearchRequest(), wire.Hello("x")]
    frame = bytearray(wire.encode_request(chance.choice(kinds), id=1, deadline_ms=100))
    for _ in range(chance.randrange(1, 8)):
        frame[chance.randrange(len(frame))] = chance.randrange(256)
    frames = [bytes(frame[: chance.randrange(len(frame) + 1)])]
    frames += [chance.randbytes(chance.randrange(40)) for _ in range(chance.choice((0, 0, 1, 3)))]
    return frames


def send_frames(path: str, number: int) -> None:
    """Send malformed messages, and read what is said to each."""
    chance = random.Random(number)
    client = dealer(path)
    for _ in range(0, number, WINDOW):
        for _ in range(WINDOW):
            client.send_multipart(mutant(chance))
        for _ in range(WINDOW):
            if not client.poll(10_000):
                sys.exit("a message was not answered")
            client.recv()


def open_sessions(path: str, number: int) -> None:
    """Connect, and talk nonsense instead of ZMTP, or something like it."""
    chance = random.Random(number)
    seeds = (
        GREETING,
        GREETING + READY,
        GREETING + READY + b"\x00\x05hello",
        GREETING + b"\x04\x05\x04PING",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\xff",
    )
    for _ in range(number):
        data = bytearray(chance.choice(seeds) + chance.randbytes(chance.choice((0, 3, 50))))
        for _ in range(chance.choice((0, 1, 8))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with suppress(OSError), connect(path) as raw:
            raw.sendall(data)


def hold_connections(path: str, number: int) -> None:
    """Open connections and keep them."""
    held = []
    for _ in range(number):
        with suppress(OSError):
            raw = connect(path)
            held.append(raw)
            raw.sendall(GREETING + READY)
    tell(f"{len(held)} held")
    sys.stdin.read()


def send_endlessly(path: str, number: int) -> None:
    """Send one message of so many bytes, in parts that never end, until nobody takes them."""
    raw = connect(path)
    with suppress(OSError):
        raw.sendall(GREETING + READY)
        part = b"\x03" + struct.pack(">Q", PART_BYTES) + bytes(PART_BYTES)
        for _ in range(0, number, PART_BYTES):
            raw.sendall(part)


def announce(path: str, number: int) -> None:
    """Announce frames far larger than memory, and send a little of each."""
    for size in (1 << 62, (1 << 64) - 1, 1 << 40, 1 << 30) * number:
        with suppress(OSError), connect(path) as raw:
            raw.sendall(GREETING + READY + b"\x02" + struct.pack(">Q", size) + bytes(1 << 16))


def leave_unread(path: str, number: int) -> None:
    """Ask, and never read a reply."""
    client = dealer(path)
    for _ in range(number):
        client.send(wire.encode_request(wire.StatusRequest(), id=1, deadline_ms=1000))
    tell(f"{number} asked")
    sys.stdin.read()


def flood(path: str, number: int) -> None:
    """Ask as fast as it can over many connections, reading all replies, for so many seconds."""
    clients = [dealer(path) for _ in range(8)]
    request = wire.encode_request(wire.StatusRequest(), id=1, deadline_ms=1000)
    end = time.monotonic() + number
    while time.monotonic() < end:
        for client in clients:
            for _ in range(WINDOW):
                client.send(request)
        for client in clients:
            while client.poll(1):
                client.recv()


def tell(line: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


KINDS: Mapping[str, Callable[[str, int], None]] = {
    "frames": send_frames,
    "sessions": open_sessions,
    "connections": hold_connections,
    "multipart": send_endlessly,
    "announce": announce,
    "unread": leave_unread,
    "flood": flood,
}


def main() -> None:
    """Attack."""
    kind, path, number = sys.argv[1:]
    tell("begun")
    KINDS[kind](path, int(number))


if __name__ == "__main__":
    main()

"""What each parser may do with any bytes at all; each target fails by an exception."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import msgspec

from pspc.deciding import metadata
from pspd import config
from pspd.config.rendering import render
from pspd.core.model import DirectoryId, ImageNumber, Limits, RootId
from pspd.errors import ConfigError, FileFailure, StoreDamaged
from pspd.features import formats, headers, jpeg_markers, progressive
from pspd.features.segments import check_segments
from pspd.rpc import wire
from pspd.store import codec, descriptor_codec, image_codec, keys
from pspd.workers.channel import NonsenseError
from pspd.workers.messages import Digest, Done, Failed, Order, Ready
from pspd.workers.replies import checked_outcome
from tests.client.deciding.groups import exif
from tests.features.samples import encode, png_claiming, scene, tiff, with_orientation
from tests.rpc import samples

CORPUS = Path(__file__).with_name("corpus")

MAX_BYTES = 4096
"""Of one input: enough for every header, and small enough to try thousands a second."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser and what holds of it."""

    check: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    """Good inputs to begin with."""


def check_request(data: bytes) -> None:
    """A request is decoded to what encodes to the same meaning, or refused with a code."""
    try:
        envelope, request = wire.decode_request(data)
    except wire.WireError as error:
        _check_refusal(error)
        return
    again = wire.encode_request(request, id=envelope.id, deadline_ms=envelope.deadline_ms)
    assert wire.decode_request(again)[1] == request


def check_reply(data: bytes) -> None:
    """Likewise a reply."""
    try:
        number, reply = wire.decode_reply(data)
    except wire.WireError as error:
        _check_refusal(error)
        return
    again = wire.encode_reply(reply, id=number)
    # Bytes, not values: a float that is no number equals nothing.
    assert wire.encode_reply(wire.decode_reply(again)[1], id=number) == again


def check_event(data: bytes) -> None:
    """Likewise an event."""
    try:
        event = wire.decode_event(data)
    except wire.WireError as error:
        _check_refusal(error)
        return
    again = wire.encode_event(event)
    assert wire.encode_event(wire.decode_event(again[1])) == again


def _check_refusal(error: wire.WireError) -> None:
    assert error.code in get_args(wire.ErrorCode)
    reply = wire.ErrorReply(error.code, str(error))
    assert wire.decode_reply(wire.encode_reply(reply, id=error.id)) == (error.id, reply)


_worker_replies = msgspec.msgpack.Decoder(Ready | Digest | Done | Failed)
_ORDERS = (Order(), Order(turns=True), Order(pixels=True), Order(features=False))


def check_worker(data: bytes) -> None:
    """What a worker that was taken over may say: nonsense, or values within the limits."""
    try:
        reply = _worker_replies.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # What `Channel` turns into a NonsenseError.
        return
    if isinstance(reply, Done):
        for order in _ORDERS:
            try:
                outcome = checked_outcome(reply, order, Limits(), None)
            except NonsenseError:
                continue
            assert len(outcome.image_id) == 32
            if outcome.features is not None:
                assert outcome.features.format.isascii()
                assert outcome.features.width <= Limits().max_side


_BODIES: tuple[tuple[Callable[[bytes], object], Callable[..., bytes]], ...] = (
    (codec.decode_number, codec.encode_number),
    (lambda body: codec.decode_file(body)[0], codec.encode_file),
    (lambda body: codec.decode_directory(DirectoryId(7), body), codec.encode_directory),
    (lambda body: image_codec.decode_image(ImageNumber(7), body), image_codec.encode_image),
    (image_codec.decode_pixels, image_codec.encode_pixels),
    (codec.decode_counts, codec.encode_counts),
    (codec.decode_failure, lambda failure: codec.encode_failure(*failure)),
    (lambda body: codec.decode_root(RootId(7), body), codec.encode_root),
    (codec.decode_quarantine, codec.encode_quarantine),
    (descriptor_codec.decode_record, descriptor_codec.encode_record),
    (
        lambda body: descriptor_codec.decode_gap(bytes(8 + keys.NUMBER_BYTES), body).end,
        codec.encode_number,
    ),
    # A shorter key is refused by its length.
    (
        lambda raw: keys.file_from_key(
            raw[: keys.NUMBER_BYTES + keys.LONGEST_NAME].ljust(keys.NUMBER_BYTES, b"?")
        ),
        keys.file_key,
    ),
)


def check_codec(data: bytes) -> None:
    """The first byte chooses a record; what is read of the rest is written so that it reads equal.

    That the body is what was once written is for the checksum to tell; a body of another layout is
    refused as damaged.
    """
    decode, encode_again = _BODIES[data[0] % len(_BODIES)] if data else _BODIES[0]
    try:
        record = decode(data[1:])
    except StoreDamaged:
        return
    # As text: a mean that is no number equals nothing.
    assert repr(decode(encode_again(record))) == repr(record)


_FORMATS = sorted(formats.BASE_FORMATS | formats.EXTRAS.keys())


def check_headers(data: bytes) -> None:
    """Headers are read in any bytes as any format, to numbers that make sense."""
    name = formats.sniff(data)
    reason = None
    try:
        assert formats.require_readable(data) == name
    except FileFailure as failure:
        reason = failure.reason
    assert (reason == "not_a_picture") == (name is None)
    for each in _FORMATS:
        size = headers.declared_size(each, data)
        assert size is None or min(size) >= 0
        assert headers.is_cut(each, data) in {True, False}
    if name is not None:
        # Within the limits, or refused: nothing else.
        with suppress(FileFailure):
            check_segments(name, data, Limits())
        assert 1 <= headers.count_frames(each, data, 3) <= max(headers.MAX_PAGES, len(data))
    assert headers.is_plain_jxl(data) in {True, False}


def check_jpeg(data: bytes) -> None:
    """The markers of a JPEG are counted in any bytes, and never further than wanted; what is left
    of a progressive one is smaller, but for the scans that are empty.
    """
    data = b"\xff\xd8" + data
    seen = jpeg_markers.read_markers(data)
    assert 0 <= seen.scans <= seen.segments <= len(data)
    assert 0 <= seen.metadata_bytes <= len(data)
    assert seen.is_whole
    thin = progressive.without_detail(data, 8)
    if thin is not None:
        assert jpeg_markers.read_markers(thin).has_end
        assert seen.has_end
        assert seen.scans > 0
        assert len(thin) < len(data) + MAX_BYTES
    few = jpeg_markers.read_markers(data, most_scans=2, most_segments=3)
    assert few.segments == min(seen.segments, few.segments) <= 4
    assert few.scans <= 3


def check_config(data: bytes) -> None:
    """A configuration is loaded to what prints to its equal, or refused in printable lines."""
    with tempfile.NamedTemporaryFile(dir=_scratch()) as file:
        try:
            loaded = _loaded(file.name, data)
        except ConfigError as error:
            lines = str(error).split("\n")
            assert all(wire.printable(line) == line for line in lines), lines
            return
        assert _loaded(file.name, render(loaded).encode()) == loaded


def _loaded(name: str, data: bytes) -> config.Config:
    path = Path(name)
    path.write_bytes(data)
    return config.load({"HOME": "/home/somebody", "PSP_HOME": "/srv/psp"}, path)


def _scratch() -> str | None:
    """Memory, where there is such a folder: a disk would be the slowest part of the hunt."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def check_text(data: bytes) -> None:
    """Any text is made fit to show, once and for all."""
    shown = wire.printable(data)
    assert all(char.isprintable() or char in "\u3000\u00a0" for char in shown)
    assert wire.printable(shown) == shown
    wire.printable(shown).encode()
    wire.printable(data.decode("latin-1")).encode()


def check_shot(data: bytes) -> None:
    """What a picture's file tells of its time is digits, whatever its offsets say."""
    assert all(not each or each.isdigit() for each in metadata.fractions(data))


def _request_seeds() -> Iterable[bytes]:
    return (wire.encode_request(each, id=7, deadline_ms=1000) for each in samples.REQUESTS)


def _reply_seeds() -> Iterable[bytes]:
    return (wire.encode_reply(each, id=7) for each in samples.REPLIES)


def _event_seeds() -> Iterable[bytes]:
    return (wire.encode_event(each)[1] for each in samples.EVENTS)


def _worker_seeds() -> Iterable[bytes]:
    from pspd.features.extract import extract_query  # noqa: PLC0415 - no target needs it
    from pspd.verify.pixels import pixel_digest  # noqa: PLC0415

    data = encode(scene(40, 30))
    features, turns = extract_query(data, Limits())
    pixels = pixel_digest(data, Limits())
    yield msgspec.msgpack.encode(Done(features.image_id, features, turns, pixels))
    yield msgspec.msgpack.encode(Done(features.image_id, features))
    yield msgspec.msgpack.encode(Done(features.image_id))


def _codec_seeds() -> Iterable[bytes]:
    import tests.store.test_golden as golden  # noqa: PLC0415 - brings pytest

    # In the order of `_BODIES`.
    bodies = (
        codec.encode_number(5),
        codec.encode_file(golden.FILE),
        codec.encode_directory(golden.DIRECTORY),
        image_codec.encode_image(golden.IMAGE),
        bytes(34),
        bytes(32),
        codec.encode_failure("broken", "no sense", b"name"),
        b"\x96\xc4\x02/x\x91\xa1a\x90\xc2\xc2\x07",
        codec.encode_quarantine(golden.QUARANTINE),
        descriptor_codec.encode_record(golden.MODEL_RECORD),
        codec.encode_number(2**40),
        bytes(keys.NUMBER_BYTES) + b"name",
    )
    return (bytes([number]) + body for number, body in enumerate(bodies))


def _header_seeds() -> Iterable[bytes]:
    pixels = scene(24, 16)
    for each in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        yield encode(pixels, each)
    yield encode(pixels, "JPEG", progressive=True, exif=with_orientation(6))
    yield encode(pixels, "WEBP", lossless=True)
    yield png_claiming(70_000, 70_000)
    yield tiff(pixels.astype("u2"))
    for magic, _ in formats._MAGIC:
        yield magic + bytes(40)
    yield b"II+\x00\x08\x00\x00\x00\x10" + bytes(24)
    yield b"\x00\x00\x00\x20ftypmif1\x00\x00\x00\x00avifheiccrx msf1"
    yield b"\xff\xd8" + b"\xff\xda\x00\x02\x00" * 120 + b"\xff\xd9"


def _config_seeds() -> Iterable[bytes]:
    printed = render(config.load({"PSP_HOME": "/srv/psp"}))
    yield "\n".join(line for line in printed.splitlines() if not line.startswith("#")).encode()
    yield b"[paths]\nstate = '/x'\n[workers]\ncount = 0x10\n[unknown]\nkey = [[1], {a = 1.5}]\n"


def _text_seeds() -> Iterable[bytes]:
    yield "caf\u00e9 \u202e\u200b\x1b[31m\n\t".encode() + b"\xff\xed\xb3\xa9"


def _jpeg_seeds() -> Iterable[bytes]:
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 1}):
        yield encode(scene(32, 24), "JPEG", comment=b"text", **options)[2:]


def _shot_seeds() -> Iterable[bytes]:
    for order, fraction in (("<", "507"), (">", "507123")):
        yield exif("10:00:01", fraction, endian=order).tobytes()


TARGETS: Mapping[str, Target] = {
    "request": Target(check_request, _request_seeds),
    "reply": Target(check_reply, _reply_seeds),
    "event": Target(check_event, _event_seeds),
    "worker": Target(check_worker, _worker_seeds),
    "codec": Target(check_codec, _codec_seeds),
    "headers": Target(check_headers, _header_seeds),
    "config": Target(check_config, _config_seeds),
    "text": Target(check_text, _text_seeds),
    "jpeg": Target(check_jpeg, _jpeg_seeds),
    "shot": Target(check_shot, _shot_seeds),
}

"""What the daemon and its fronts say to each other: over the link, and over the front's pipes.

The front binds the link, a pair of DEALERs on a private socket, and the daemon connects to it.

    front → daemon    ticket, origin, envelope[, image]     a request
                      "", "listeners", "0" or "1"           whether anybody listens to events
    daemon → front    ticket, reply                         the reply, one for each request
                      "", topic, event                      an event, for all that listen
                      "", "quit"                            end, after all that was sent before

Settings go to the front's standard input as one line; that it has bound, and that it lives, comes
from its standard output, a line each. The daemon's end of the input is all that keeps it alive.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from pspd.rpc.endpoints import Endpoint

CONTROL: Final = b""
"""In place of a ticket: the message is about no request."""

QUIT: Final = b"quit"
LISTENERS: Final = b"listeners"

ALIVE_SECONDS: Final = 2.0
"""How often a front says that it lives."""


class Settings(msgspec.Struct, frozen=True):
    """What a front has to know."""

    link: str
    """Address of the link, `ipc://` and an absolute path."""
    requests: str
    """Address at which clients ask; `ipc://…`, or `tcp://…` with keys."""
    events: str = ""
    """Address at which events are published; empty for none."""
    keys: str = ""
    """Folder of the keys; without it nothing but ipc is bound."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "logfmt", "journal"] = "auto"


class Report(msgspec.Struct, frozen=True):
    """What a front says of itself."""

    endpoints: list[Endpoint] = []
    """Where it has bound what clients look for."""
    problem: str = ""
    """Why it cannot; it ends then."""


def encode(value: Settings | Report) -> bytes:
    """Return a line."""
    return msgspec.json.encode(value) + b"\n"


def decode_settings(line: bytes) -> Settings:
    """Read what the daemon sent."""
    return msgspec.json.decode(line, type=Settings)


def decode_report(line: bytes) -> Report:
    """Read what a front sent.

    Raises:
        ValueError: it is no report.
    """
    try:
        return msgspec.json.decode(line, type=Report)
    except msgspec.MsgspecError as error:
        raise ValueError(f"no report: {error}") from error

"""The daemon's claim to its folders and sockets, made before its heavy imports.

A daemon that is not alone learns it in a fraction of the time; and the processes that will hold the
sockets, and the one that looks at the store, are at work while this one imports.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pspd.config import Config
from pspd.host import make_private
from pspd.lock import only_daemon
from pspd.noticeboard import NoticeBoard
from pspd.rpc import link, wire
from pspd.rpc.front_keeper import FrontKeeper
from pspd.store import first_look
from pspd.store.preflight import Look


@dataclass(frozen=True, slots=True)
class Claim:
    """What the daemon has before it is built."""

    board: NoticeBoard
    fronts: Sequence[FrontKeeper]
    """Started; they bind when the server does."""
    look: Look | None
    """At the store, where there is one."""


@contextmanager
def claimed(config: Config) -> Iterator[Claim]:
    """Be the only daemon for as long as this lasts.

    Raises:
        AlreadyRunning: Another daemon has the store or the sockets.
        AddressError: A folder cannot be made, or is open to others.
        StoreError: A folder cannot be written.
    """
    os.umask(0o077)
    with ExitStack() as stack:
        # The store and the sockets may lie apart, and each must be this daemon's alone.
        for folder in sorted({config.paths.state, config.paths.runtime}):
            make_private(folder)
            stack.enter_context(only_daemon(folder))
        board = NoticeBoard()
        fronts = [FrontKeeper(name, each, board) for name, each in _settings(config)]
        for front in fronts:
            stack.callback(front.close)
            front.start()
        look = first_look.begin(config.paths.state)
        if look is not None:
            stack.callback(look.close)
        yield Claim(board, fronts, look)


def _settings(config: Config) -> Iterator[tuple[str, link.Settings]]:
    def address(name: str) -> str:
        return wire.socket_address(os.fspath(config.paths.runtime / name))

    if config.remote.listen is not None:
        # A front of its own: what strangers do to it is nothing to the local one. It comes first: a
        # client that starts the daemon takes the local socket for the sign that all is well.
        yield (
            "remote",
            link.Settings(
                link=address("pspd-remote.sock"),
                requests=config.remote.listen,
                keys=os.fspath(config.paths.keys),
                log_level=config.log.level,
                log_format=config.log.format,
            ),
        )
    yield (
        "front",
        link.Settings(
            link=address("pspd-front.sock"),
            requests=address(wire.SOCKET_NAME),
            events=address(wire.EVENTS_SOCKET_NAME),
            log_level=config.log.level,
            log_format=config.log.format,
        ),
    )

"""Lets those in whose key the daemon knows: CURVE, and the answers that ZAP asks for.

CURVE alone lets every key in; with `ZAP_ENFORCE_DOMAIN` nobody comes in unless this answers. It is
ZeroMQ's RFC 27 in one request and one reply. `zmq.auth` is left aside: its handler brings asyncio
and a thread, whose silent end would shut everybody out, and lets in who brings no key at all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import zmq
from zmq.utils import z85

from pspd.log import get_logger
from pspd.rpc.key_store import KeyStore

_log = get_logger(__name__)

_DOMAIN: Final = b"psp"
_VERSION: Final = b"1.0"
_REQUEST_FRAMES: Final = 7
"""Version, id, domain, address, routing id, mechanism, and CURVE's one credential."""


class Doorkeeper:
    """Answers who may come in; for the thread that has the guarded socket."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], folder: str) -> None:
        """Begin to answer; `folder` is that of the keys.

        Raises:
            KeyFileError: the daemon has no keys of its own.
        """
        self._keys = KeyStore(Path(folder))
        self._public, self._secret = self._keys.server_pair()
        self.socket = context.socket(zmq.REP)
        """To be polled; readable when somebody asks."""
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind("inproc://zeromq.zap.01")

    def guard(self, socket: zmq.Socket[bytes]) -> None:
        """Have whoever connects to `socket`, once it is bound, prove a key that is known."""
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, self._public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, self._secret)
        socket.setsockopt(zmq.ZAP_DOMAIN, _DOMAIN)
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)

    def answer(self) -> None:
        """Say yes or no to the one who asks."""
        frames = self.socket.recv_multipart()
        user = self._user_of(frames)
        if not user:
            address = b"".join(frames[3:4])
            _log.warning("a client without a known key was refused", address=address)
        status = [b"200", b"OK"] if user else [b"400", b"the key is not known"]
        number = frames[1] if len(frames) > 1 else b""
        self.socket.send_multipart([_VERSION, number, *status, user, b""])

    def name_of(self, user: str) -> str:
        """Return the name of a client that was let in; empty when its key was removed since.

        libzmq asks once for each connection, so whoever is in would stay for ever.

        Raises:
            OSError: the key cannot be looked at now.
        """
        name, _, public = user.rpartition(" ")
        try:
            return name if self._keys.has_client(name, public.encode()) else ""
        except OSError as error:
            _log.warning("a key cannot be looked at", name=name, error=error)
            raise

    def close(self) -> None:
        """Stop answering: nobody comes in any more."""
        self.socket.close()

    def _user_of(self, frames: list[bytes]) -> bytes:
        """Return the client's name and key; empty for one that may not come in."""
        if len(frames) != _REQUEST_FRAMES or frames[2] != _DOMAIN or frames[5] != b"CURVE":
            return b""
        public = z85.encode(frames[6])
        # Read anew each time: a key that was added or removed counts at once.
        names = (name for name, known in self._keys.clients() if known == public)
        try:
            name = next(names, "")
        except OSError as error:
            _log.warning("not all keys can be looked at", error=error)
            return b""
        return f"{name} ".encode() + public if name else b""

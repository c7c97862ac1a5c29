"""The daemon's folder of keys: its own pair, and the public keys of the clients it lets in.

    keys/server.key          server pair, 0600
    keys/clients/NAME.key    public key of one client, 0600; removing the file shuts it out

`zmq.auth.create_certificates` writes secret keys for all to read, so the files are written here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import zmq

from pspd.errors import KeyFileError
from pspd.rpc.wire import parse_keys, quoted, render_keys

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SUFFIX: Final = ".key"
_LARGEST_FILE: Final = 4096

_REMOVED: Final = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)
"""Somebody did this to a key; every other error says nothing of it."""


class KeyStore:
    """Reads and writes the keys below one folder; nothing is kept in memory."""

    def __init__(self, folder: Path) -> None:
        self._server = folder / f"server{_SUFFIX}"
        self._clients = folder / "clients"

    def server_pair(self) -> tuple[bytes, bytes]:
        """Return the daemon's public and secret key.

        Raises:
            KeyFileError: there is none yet, or it cannot be trusted.
        """
        try:
            _refuse_open_to_others(self._server)
            public, secret = _read(self._server, ("public", "secret"))
        except FileNotFoundError as error:
            raise KeyFileError(
                "there are no keys yet, and without them nothing listens on tcp; "
                "make some with: pspd keys add NAME"
            ) from error
        except OSError as error:
            reason = f"{quoted(str(self._server))} cannot be read: {error.strerror}"
            raise KeyFileError(reason) from error
        return public, secret

    def clients(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and public key of each client that is let in; what is no key is left out.

        Raises:
            OSError: not all of them can be looked at; those that can have come before.
        """
        try:
            names = sorted(os.listdir(self._clients))
        except _REMOVED:
            return
        failure: OSError | None = None
        for name in names:
            if name.endswith(_SUFFIX):
                try:
                    (public,) = _read(self._clients / name, ("public",))
                except (*_REMOVED, KeyFileError):
                    continue
                except OSError as error:
                    failure = error
                    continue
                yield name.removesuffix(_SUFFIX), public
        if failure is not None:
            raise failure

    def has_client(self, name: str, public: bytes) -> bool:
        """Say whether the client of this name, one of `clients`, is still let in with this key.

        Raises:
            OSError: its key cannot be looked at now, for want of descriptors for instance.
        """
        try:
            return public in _read(self._clients / f"{name}{_SUFFIX}", ("public",))
        except (*_REMOVED, KeyFileError):
            return False

    def add_client(self, name: str, file: Path) -> None:
        """Let a client in: its keys are written to `file`, for it to take away.

        Raises:
            KeyFileError: the name is none or taken, or a file exists or cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise KeyFileError(f"a name has letters, digits, dots and dashes: {quoted(name)}")
        for folder in (*reversed(self._clients.parents), self._clients):
            folder.mkdir(mode=0o700, exist_ok=True)  # `parents=True` would follow the umask.
        if not self._server.exists():
            public, secret = zmq.curve_keypair()
            text = render_keys(
                "The daemon's own keys. Keep them secret.", {"public": public, "secret": secret}
            )
            _write(self._server, text)
        server, _ = self.server_pair()
        public, secret = zmq.curve_keypair()
        allowed = self._clients / f"{name}{_SUFFIX}"
        _write(allowed, render_keys("This client is let in.", {"public": public}))
        comment = f"Keys of the client {name}. Keep them secret: whoever has them can search."
        try:
            _write(
                file, render_keys(comment, {"server": server, "public": public, "secret": secret})
            )
        except KeyFileError:
            allowed.unlink()
            raise

    def remove_client(self, name: str) -> None:
        """Shut a client out; what it asks on a connection that it has is refused.

        Raises:
            KeyFileError: no client has this name.
        """
        if not _NAME.fullmatch(name) or not (self._clients / f"{name}{_SUFFIX}").exists():
            raise KeyFileError(f"no client is called {quoted(name)}; see pspd keys list")
        (self._clients / f"{name}{_SUFFIX}").unlink()


def _read(file: Path, names: tuple[str, ...]) -> list[bytes]:
    with file.open("rb") as opened:
        text = opened.read(_LARGEST_FILE).decode("ascii", "replace")
    try:
        return parse_keys(text, names)
    except ValueError as error:
        raise KeyFileError(f"{quoted(str(file))} cannot be used: {error}") from error


def _write(file: Path, text: str) -> None:
    """Write a file that only the user can read, whatever the umask, and that was not there."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise KeyFileError(
            f"{quoted(str(file))} is there already; it is left alone, choose another name"
        ) from error
    except OSError as error:
        raise KeyFileError(f"{quoted(str(file))} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(text)


def _refuse_open_to_others(file: Path) -> None:
    status = file.stat()
    if status.st_mode & 0o077 or status.st_uid != os.getuid():
        raise KeyFileError(
            f"{quoted(str(file))} can be read by others; make new keys, or: "
            f"chmod 600 {quoted(str(file))}"
        )

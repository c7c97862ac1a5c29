"""Tells the service manager that the daemon is ready, alive or stopping: sd_notify(3), in Python.

Without $NOTIFY_SOCKET, that is outside systemd, every call does nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from pspd.log import get_logger

log = get_logger(__name__)

MICROSECONDS = 1_000_000


class ServiceNotifier:
    """Sends states to the service manager; a message that cannot be sent is only logged."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        address = environ.get("NOTIFY_SOCKET", "")
        # sd_notify(3): a leading @ stands for the NUL of the abstract namespace.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._untold = ""
        """What the manager has to know and could not be told yet; else it would end the daemon."""

    def ready(self) -> None:
        """Say that requests are answered from now on, and again with `alive` if need be."""
        self._untold = f"READY=1\nMAINPID={os.getpid()}"
        self._tell()

    def stopping(self) -> None:
        """Say that the daemon is shutting down."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Say that the daemon still does its work; due every `liveness_interval`."""
        self._tell()
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Say in one line what the daemon does; `systemctl status` shows it."""
        self._send(f"STATUS={' '.join(text.split())}")

    def liveness_interval(self) -> float | None:
        """Return seconds between two calls of `alive`, or None when nobody waits for them.

        Half of what the manager allows, as sd_watchdog_enabled(3) recommends.
        """
        process = self._environ.get("WATCHDOG_PID")
        if process and process != str(os.getpid()):
            return None
        allowed = self._environ.get("WATCHDOG_USEC", "")
        if not (allowed.isascii() and allowed.isdigit()) or not int(allowed):
            return None
        return int(allowed) / MICROSECONDS / 2

    def _tell(self) -> None:
        if self._untold and self._send(self._untold):
            self._untold = ""

    def _send(self, message: str) -> bool:
        """Send a message; returns whether nothing more need be done about it."""
        if not self._address:
            return True
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # A manager that does not read must not stop the daemon.
                sender.setblocking(False)
                sender.sendto(os.fsencode(message), self._address)
        except OSError as error:
            log.warning("service manager not told", reason=error.strerror or error)
            return False
        return True

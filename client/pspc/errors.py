"""Every error the client raises on purpose; `str()` is one sentence for a person.

PspcError
├── DaemonError          the daemon answered with an error; it has the wire's code
├── Unreachable          the daemon cannot be spoken to
│   └── NotRunning       nobody listens at the socket
├── SourceError          a query image cannot be read
└── SetupError           something of this machine is missing (systemd, a clipboard program)
"""

from __future__ import annotations


class PspcError(Exception):
    """Something a person can act on."""


class DaemonError(PspcError):
    """The daemon answered with an error."""

    def __init__(self, code: str, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        """A value of `pspd.rpc.wire.ErrorCode`, or one that a later daemon knows."""
        self.reason = reason
        """For `bad_query`, why the image cannot be read, as in `pspc failures`."""


class Unreachable(PspcError):
    """The daemon cannot be spoken to: it is silent, too slow, or not ours."""


class NotRunning(Unreachable):
    """Nobody listens at the socket."""


class SourceError(PspcError):
    """A query image cannot be read; the sentence does not repeat its name."""


class SetupError(PspcError):
    """Something of this machine is missing; the sentence says what to install."""

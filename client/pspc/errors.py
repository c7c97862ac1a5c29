"""Every error the client raises on purpose; `str()` is one sentence for a person.

PspcError
├── UsageError           the command line cannot be understood
├── PathError            a path that names nothing, so that it cannot be sent
├── OutputError          the output cannot be written
├── DaemonError          the daemon answered with an error; it has the wire's code
├── IndexingStalled      the daemon has a problem and gets nothing done
├── Unreachable          the daemon cannot be spoken to
│   ├── NotRunning       nobody listens at the socket
│   ├── TooSlow          it did not answer in time
│   └── StartFailed      it ended as soon as it was started
├── SourceError          a query image cannot be read
└── SetupError           something of this machine is missing (systemd, a clipboard program)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class PspcError(Exception):
    """Something a person can act on."""

    def report(self) -> Sequence[str]:
        """Return the lines a terminal shows: the sentence, and what belongs below it."""
        return (str(self),)


class UsageError(PspcError):
    """The command line cannot be understood; the sentence says where help is."""


class PathError(PspcError):
    """A path that names nothing."""


class OutputError(PspcError):
    """The output cannot be written: the disk is full, or the terminal went away."""


class DaemonError(PspcError):
    """The daemon answered with an error."""

    def __init__(self, code: str, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        """A value of `pspd.rpc.wire.ErrorCode`, or one that a later daemon knows."""
        self.reason = reason
        """For `bad_query`, why the image cannot be read, as in `pspc failures`."""


class IndexingStalled(PspcError):
    """The daemon has a problem and gets nothing done; the sentence is the daemon's."""


class Unreachable(PspcError):
    """The daemon cannot be spoken to: it is silent, too slow, or not ours."""


class NotRunning(Unreachable):
    """Nobody listens at the socket."""


class TooSlow(Unreachable):
    """The daemon did not answer in time."""


class StartFailed(Unreachable):
    """The daemon ended as soon as it was started; it said why."""

    def __init__(self, said: Sequence[str]) -> None:
        self.said = said
        """The lines it wrote, at least one."""
        super().__init__(f"pspd does not start: {' '.join(line.strip() for line in said)}")

    def report(self) -> Sequence[str]:
        """Return all the lines; a single one stands beside the reason."""
        return (str(self),) if len(self.said) == 1 else ("pspd does not start:", *self.said)


class SourceError(PspcError):
    """A query image cannot be read; one that `Connection.search` raises names the file."""


class SetupError(PspcError):
    """Something of this machine is missing; the sentence says what to install."""

"""Every error PSP raises on purpose, as one tree; each has a code, a sentence and an exit status.

PspError
├── ConfigError          the configuration has mistakes; all of them are in the message
├── AlreadyRunning       another daemon holds this store
├── AddressError         the socket's address cannot be used
│   └── KeyFileError     a key is missing or may be known to others
├── StoreError           the store cannot be opened or trusted
│   ├── StoreTooNew      written by a newer version; left untouched
│   ├── StoreDamaged      a value or a page is not what was written; it is never answered from
│   └── StoreUnusable     nothing this program may do makes a store of it; a person has to
├── StartBrokenOff       the daemon was asked to stop while it started
├── PartDied             a thread of the daemon died; it has to be started anew
├── SocketGone           nobody can reach the daemon any more; its successor can be
├── NoWorker             no worker process can be had, or the pool is closed
├── RootError            a watch root cannot be added or removed
├── ModelError           a model for learned descriptors cannot be used
│   ├── ModelMissing     it, or what runs it, is not installed
│   └── ModelUnusable    its file is not what it should be
├── EncodingFailed       pictures could not be encoded; others, or later, perhaps
│   └── EncodingLate     not by the deadline
├── MissingExtra         an optional package is not installed; the message names the extra
├── RequestError         a request cannot be served; its code goes over the wire
└── FileFailure          one file cannot be indexed or searched with; a result, not a crash

Foreign exceptions become one of these at the border where they appear. This module imports
nothing heavy: it is read by the daemon's command line before anything else.
"""

from __future__ import annotations

from typing import ClassVar


class PspError(Exception):
    """Something a person can act on; `str()` is one sentence that says what to do next."""

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 2


class ConfigError(PspError):
    """The configuration has mistakes; the message lists all of them."""

    code = "config"
    exit_status = 78  # EX_CONFIG of sysexits(3): systemd must not restart upon it


class AlreadyRunning(PspError):
    """Another daemon holds this store."""

    code = "already_running"
    exit_status = 75  # EX_TEMPFAIL of sysexits(3)


class AddressError(PspError):
    """The socket's address cannot be used (too long, not ours, a stranger's file)."""

    code = "address"
    exit_status = 78


class KeyFileError(AddressError):
    """A key for tcp is missing, cannot be written, or may be known to others."""

    code = "key"


class StoreError(PspError):
    """The store cannot be opened, or a value in it is damaged."""

    code = "store"


class StoreTooNew(StoreError):
    """The store was written by a newer version of PSP and is left untouched."""

    code = "store_too_new"
    exit_status = 78


class StoreDamaged(StoreError):
    """Something in the store is not what was written there."""


class StoreUnusable(StoreError):
    """The store cannot be used until a person did something; starting again would not help."""

    exit_status = 78


class StartBrokenOff(PspError):
    """The daemon was asked to stop before it had started; nothing was changed."""

    code = "start_broken_off"
    exit_status = 0


class PartDied(PspError):
    """A thread of the daemon died of an error that nobody expected."""

    code = "part_died"
    exit_status = 70  # EX_SOFTWARE of sysexits(3): systemd restarts upon it


class SocketGone(PspError):
    """The daemon's sockets were removed or replaced."""

    code = "socket_gone"
    exit_status = 69  # EX_UNAVAILABLE of sysexits(3): systemd restarts upon it


class NoWorker(PspError, RuntimeError):
    """No worker process can be had: the pool is closed, or processes cannot be started."""

    code = "no_worker"
    exit_status = 71  # EX_OSERR of sysexits(3)


class RootError(PspError):
    """A watch root cannot be added or removed."""

    code = "root"


class ModelError(PspError):
    """A model for learned descriptors cannot be added, removed or used."""

    code = "model"


class ModelMissing(ModelError):
    """There is no such model, it was not added yet, or what runs models is not installed."""


class ModelUnusable(ModelError):
    """The file of a model is damaged, is not the one that was added, or computes something else."""


class EncodingFailed(PspError):
    """Pictures could not be encoded; nothing is wrong with their files."""

    code = "model"


class EncodingLate(EncodingFailed):
    """Pictures were not encoded by the deadline; the encoder goes on."""


class MissingExtra(PspError):
    """An optional package is not installed; the message says how to install it."""

    code = "missing_extra"


class RequestError(PspError):
    """A request cannot be served; `reason` is one of the wire's error codes."""

    code = "request"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """An error code of `pspd.rpc.wire.ErrorCode`."""


class FileFailure(PspError):
    """One file cannot be read as a picture; recorded with its reason, never a crash."""

    code = "file"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """A value of `pspd.core.model.FailureReason`."""

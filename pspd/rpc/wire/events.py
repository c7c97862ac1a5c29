"""What the daemon publishes, unasked."""

from __future__ import annotations

from typing import Literal

from pspd.rpc.wire.requests import Message


class ProgressEvent(Message, frozen=True, tag="progress"):
    """How far indexing is; sent at most a few times a second."""

    indexed: int
    pending: int
    failed: int
    rate: float


class ChangeEvent(Message, frozen=True, tag="change"):
    """A file was indexed, failed, moved or went away."""

    kind: Literal["indexed", "failed", "moved", "removed"]
    path: bytes
    old_path: bytes | None = None


Event = ProgressEvent | ChangeEvent

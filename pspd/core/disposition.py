"""What becomes of a file in the end: six words, one of which holds for every file at any time."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pspd.core.model import FailureReason


class Disposition(StrEnum):
    """How a file stands; all but the first two are failures."""

    INDEXED = "indexed"
    """It can be found."""
    PENDING = "pending"
    """It waits to be read, or to be read again."""
    UNSUPPORTED = "unsupported"
    """It is nothing that this installation reads; another one may."""
    TOO_BIG = "too_big"
    """It costs more than the configured limits allow."""
    BROKEN = "broken"
    """It cannot be read, and no limit or installation is to blame."""
    QUARANTINED = "quarantined"
    """It cost workers their lives, and is left alone until the decoder is another one."""


_OF_REASON: Final[Mapping[FailureReason, Disposition]] = {
    FailureReason.NOT_A_PICTURE: Disposition.UNSUPPORTED,
    FailureReason.UNSUPPORTED: Disposition.UNSUPPORTED,
    FailureReason.MISSING_EXTRA: Disposition.UNSUPPORTED,
    FailureReason.NOT_A_FILE: Disposition.UNSUPPORTED,
    FailureReason.TOO_BIG: Disposition.TOO_BIG,
    FailureReason.OUT_OF_MEMORY: Disposition.TOO_BIG,
    FailureReason.TRUNCATED: Disposition.BROKEN,
    FailureReason.BROKEN: Disposition.BROKEN,
    FailureReason.UNREADABLE: Disposition.BROKEN,
    FailureReason.TIMEOUT: Disposition.QUARANTINED,
    FailureReason.CRASHED: Disposition.QUARANTINED,
}


def disposition_of(reason: FailureReason) -> Disposition:
    """Return what a failure amounts to."""
    return _OF_REASON[reason]

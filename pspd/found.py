"""What a search is asked for and what it finds, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pspd.core.model import Features, ImageRecord, Turn, Verdict
    from pspd.core.proof import Proof
    from pspd.core.view import Box

Mode = Literal["both", "original", "similar"]

Effort = Literal["fast", "full"]
"""`fast`: hashes only; `full`: learned descriptors and proofs too, where there are any."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one search is to find."""

    mode: Mode = "both"
    """Which verdicts are wanted."""
    distance: int | None = None
    """Largest 256-bit distance, in place of the calibrated threshold."""
    part: Box | None = None
    """What of the upright image is the query, in its pixels; None for all of it."""
    effort: Effort = "full"
    wants_alike: bool = False
    """Whether what only resembles the query is wanted too."""
    seconds: float | None = None
    """What descriptors and proofs may take; None for what is configured."""


@dataclass(frozen=True, slots=True)
class Recognized:
    """One image that the query was found to be, and how."""

    image: ImageRecord
    verdict: Verdict
    distance: int
    """Of the 256-bit hashes, after the turn."""
    turn: Turn
    likeness: float | None = None
    """Cosine of the learned descriptors; None when they were not compared."""
    proof: Proof | None = None
    """How it lies on the query; None when that was not looked for, or not found."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One file that holds a matching image."""

    path: str
    found: Recognized


@dataclass(frozen=True, slots=True)
class Found:
    """What one search found."""

    query: Features
    hits: tuple[Hit, ...]
    """Strongest verdict first, then nearest, then by path."""
    unverified: int
    """Candidates whose pixels should have been compared and could not be in time."""
    cut: tuple[str, ...] = ()
    """What was left out for want of time, as clauses."""

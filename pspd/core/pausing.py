"""What work in the background calls between two of its steps, so that others can go first."""

from __future__ import annotations

from collections.abc import Callable

Pause = Callable[[], None]
"""Returns when it may go on; to be called often, and without a lock that others may need."""


def unhindered() -> None:
    """Wait for nobody."""

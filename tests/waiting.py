"""Waiting for what another thread or process will do, by looking again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds after which a condition is believed never to hold."""


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> float | None:
    """Wait for a condition; returns how long it took, None when it never held."""
    begun = time.monotonic()
    pause = threading.Event()
    while not condition():
        if time.monotonic() - begun > seconds:
            return None
        pause.wait(0.005)
    return time.monotonic() - begun


def expect(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait for a condition; it is an error when it never holds."""
    assert until(condition, seconds) is not None, "it never came"

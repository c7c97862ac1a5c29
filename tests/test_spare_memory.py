"""Memory that was freed goes back to the system, once there is enough of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_MEGABYTES = 64

_CHILD = f"""
from pspd import spare_memory
spare_memory.LOOK_SECONDS = 0.0
spare = spare_memory.SpareMemory()
spare.give_back()
# Small pieces, of which the last stays: glibc cannot give back what lies below it by itself.
pieces = [bytearray(10_000) for _ in range({_MEGABYTES} * 100)]
last = pieces[-1]
full = spare_memory.own_bytes()
del pieces
given = spare.give_back()
print(full - spare_memory.own_bytes(), given, spare.give_back())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do so by themselves")
def test_what_was_freed_is_given_back_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True, timeout=60
    )
    shrunk, given, again = map(int, done.stdout.split())
    assert shrunk > 0.9 * _MEGABYTES * 1_000_000
    assert abs(given - shrunk) < 1 << 20
    assert again == 0

"""What the tests of the sockets share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rpc.peers import short_directory


@pytest.fixture
def directory() -> Iterator[Path]:
    """A private directory whose name leaves room for a socket's."""
    with short_directory() as path:
        yield path

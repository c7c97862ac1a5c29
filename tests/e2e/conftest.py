"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.home import Home


@pytest.fixture
def home() -> Iterator[Home]:
    """A PSP_HOME of its own, without a daemon yet."""
    home = Home()
    yield home
    home.close()

"""What holds for every test: a property is judged by its answer, never by the time it took."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.e2e.home import Home

# Both would have a busy machine fail a test, and neither says anything of the code under test: a
# hang is `timeout`'s to find (pyproject.toml).
settings.register_profile("psp", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("psp")


@pytest.fixture
def home() -> Iterator[Home]:
    """A PSP_HOME of its own, without a daemon yet."""
    home = Home()
    yield home
    home.close()

"""What holds for every test: a property is judged by its answer, never by the time it took."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Both would have a busy machine fail a test, and neither says anything of the code under test: a
# hang is `timeout`'s to find (pyproject.toml).
settings.register_profile("psp", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("psp")

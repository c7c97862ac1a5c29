"""G5: random operations under load leave no difference between the store and the tree."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.churn import Churn
from tests.reliability.conftest import Report
from tests.reliability.goals import Size, too_few
from tests.watcher.bench import watching

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")

ROUND = 500
"""Operations between two comparisons."""

SECONDS = 180.0
"""The nightly run stops after so long; the figure says how far it came."""


@pytest.fixture
def load() -> Iterator[None]:
    """Two processes that do nothing but keep the processor busy."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    yield
    for burner in burners:
        burner.kill()
        burner.wait()


@pytest.mark.goal("G5")
@pytest.mark.usefixtures("load")
def test_no_random_operation_makes_the_store_differ(
    goal: Report, size: Size, tmp_path: Path
) -> None:
    operations = size.of(4_000, 200_000, 1_000_000)
    seeds = size.of(2, 100, 100)
    until = time.monotonic() + (SECONDS if size is Size.NIGHTLY else 10 * 3600)
    done, differences, blind, seeds_done = 0, 0, 0, 0
    slowest = 0.0
    for seed in range(seeds):
        if time.monotonic() > until:
            break
        with watching(tmp_path / str(seed)) as bench:
            outside = tmp_path / f"outside{seed}"
            outside.mkdir()
            churn = Churn(bench.top, outside, seed)
            while churn.count < operations // seeds:
                churn.run(ROUND)
                took = bench.settles()
                differences += took is None
                slowest = max(slowest, took or 0.0)
            probes = churn.probe()
            bench.settles()
            known = bench.stamps()
            blind += sum(os.path.relpath(each, bench.top) not in known for each in probes)
            done += churn.count
        seeds_done += 1
    text = (
        f"{done:,} operations, {seeds_done} seeds, under load: {differences} differences, "
        f"{blind} blind folders, settled in {slowest:.1f} s at most"
    )
    is_well = not differences and not blind
    few = too_few(size, done, 1_000_000)
    goal.figure(text, reached=is_well and not few, why=few if is_well else "")

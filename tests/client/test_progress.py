"""The figures of a progress bar."""

from __future__ import annotations

import pytest

from pspc.progress import Estimate, Progress, progress_bar, progress_line


def test_the_rate_is_that_of_the_last_seconds() -> None:
    estimate = Estimate()
    assert estimate.rate == 0
    estimate.add(0.0, 0)
    assert estimate.seconds_left(10) is None
    estimate.add(1.0, 1000)
    estimate.add(11.0, 2000)
    assert estimate.rate == 100
    assert estimate.seconds_left(50) == 0.5


def test_the_line_has_count_rate_and_remaining_time() -> None:
    estimate = Estimate()
    estimate.add(0.0, 0)
    estimate.add(2.0, 1200)
    progress = Progress(done=1200, pending=4800, is_scanning=False)
    assert progress_line(progress, estimate) == "1,200 of 6,000 files  600/s  ETA 0:08"
    bar = progress_bar(progress, estimate, 79)
    assert bar.startswith("[####--------------------]  20%  1,200 of")


def test_during_the_scan_nobody_knows_the_end() -> None:
    progress = Progress(done=0, pending=0, is_scanning=True)
    assert progress_line(progress, Estimate()) == "0 of 0+ files"
    assert "0%" in progress_bar(progress, Estimate(), 79)


@pytest.mark.parametrize("columns", [10, 39, 50, 60, 79])
def test_the_bar_never_wraps(columns: int) -> None:
    estimate = Estimate()
    estimate.add(0.0, 0)
    estimate.add(2.0, 123_456)
    progress = Progress(done=123_456, pending=1_000_000, is_scanning=False)
    bar = progress_bar(progress, estimate, columns)
    assert len(bar) <= columns
    assert bar.startswith("[") == (columns > 60)
    assert "11%" in bar

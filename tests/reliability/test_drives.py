"""G6 and G7: nothing is blind in silence, and no drive that goes away takes a record with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.reliability.blindness import CAUSES, TOLD_SECONDS
from tests.reliability.conftest import Report
from tests.reliability.goals import Size
from tests.reliability.namespace import can_mount, run_scenario


@pytest.mark.goal("G6")
def test_every_cause_of_blindness_is_told_and_polled(goal: Report, tmp_path: Path) -> None:
    if not can_mount():
        goal.cannot_run("needs user and mount namespaces")
    causes = [cause for cause in CAUSES if cause != "permission"]
    with ThreadPoolExecutor() as pool:
        parts = [
            pool.submit(run_scenario, "blindness", str(tmp_path), *part)
            for part in (causes[::3], causes[1::3], causes[2::3])
        ]
        # Root reads everything; in a user namespace without a mapping nobody is root.
        last = pool.submit(run_scenario, "blindness", str(tmp_path), "permission", options="-U")
        outcomes = {cause: each for part in (*parts, last) for cause, each in part.result().items()}
    assert set(outcomes) == set(CAUSES)
    silent = [cause for cause, each in outcomes.items() if each["told"] is None]
    blind = [cause for cause, each in outcomes.items() if each["covered"] is None]
    told = max(each["told"] or 0.0 for each in outcomes.values())
    text = f"{len(outcomes)} causes: {len(silent)} silent, {len(blind)} blind, told in {told:.1f} s"
    goal.figure(text, reached=not silent and not blind and told <= TOLD_SECONDS)


@pytest.mark.goal("G7")
def test_drives_that_come_and_go_cost_nothing(goal: Report, size: Size, tmp_path: Path) -> None:
    if not can_mount():
        goal.cannot_run("needs user and mount namespaces")
    cycles = size.of(12, 100, 1000)
    found = run_scenario("drives", str(tmp_path), str(cycles))
    text = (
        f"{cycles} cycles of the same, another and an empty drive: {found['deleted']} records "
        f"deleted by mistake, {found['decoded']} needless decodes, {found['untold']} not told"
    )
    goal.figure(text, reached=not any(found.values()))

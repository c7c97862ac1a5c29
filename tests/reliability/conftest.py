"""The size of a run, the figures that tests report, and the table at the end."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.reliability.goals import GOALS, Figure, Size
from tests.reliability.table import lines_of

_FIGURES = pytest.StashKey[list[Figure]]()
_LONGEST = {Size.COMMIT: 120, Size.NIGHTLY: 3600, Size.RELEASE: 12 * 3600}
"""Seconds a single test may take."""


class Report:
    """Takes the figures of one test."""

    def __init__(
        self, goal: str, test: str, figures: list[Figure], tell: Callable[[str], None]
    ) -> None:
        self._goal = goal
        self._test = test
        self._figures = figures
        self._tell = tell

    def progress(self, text: str) -> None:
        """Tell a person who waits how far a long test is; nothing in the commit size."""
        self._tell(f"{self._goal} {text}")

    def figure(self, text: str, *, reached: bool, why: str = "") -> None:
        """Tell what was measured; a figure that falls short fails the test, unless `why` says why.

        Args:
            text: The figure, such as "1,000 kills: 0 lost, 0 corrupt".
            reached: Whether it is what the goal asks for at this size.
            why: Why a goal is known not to be reached: the test then stands as an expected failure.
        """
        self._figures.append(Figure(self._goal, self._test, text, reached, why))
        if not reached:
            if why:
                pytest.xfail(f"{self._goal}: {text}; {why}")
            pytest.fail(f"{self._goal} is not reached: {text}")

    def cannot_run(self, why: str) -> None:
        """Say that this machine lacks what the test needs, and skip it."""
        self._figures.append(Figure(self._goal, self._test, "not run", reached=False, why=why))
        pytest.skip(why)


@pytest.fixture(scope="session")
def size() -> Size:
    """How much is to be done."""
    return Size.chosen()


@pytest.fixture
def goal(request: pytest.FixtureRequest) -> Iterator[Report]:
    """Where a test tells its figure; one that tells none is broken."""
    marker = request.node.get_closest_marker("goal")
    assert marker is not None, "a test that takes `goal` says which: @pytest.mark.goal('G1')"
    (name,) = marker.args
    assert name in GOALS, f"{name} is no goal"
    figures = request.config.stash[_FIGURES]
    before = len(figures)
    yield Report(name, request.node.name, figures, functools.partial(_tell, request.config))
    call = getattr(request.node, "call_failed", True)
    assert call or len(figures) > before, "the test told no figure"


def _tell(config: pytest.Config, text: str) -> None:
    """Write a line to the terminal, past what captures a test's output."""
    if Size.chosen() is Size.COMMIT:
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    terminal = config.pluginmanager.getplugin("terminalreporter")
    with capture.global_and_fixture_disabled():
        terminal.write_line(f"{time.strftime('%H:%M:%S')} {text}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    if call.when == "call":
        item.call_failed = call.excinfo is not None  # type: ignore[attr-defined]
        marker = item.get_closest_marker("goal")
        skipped = pytest.skip.Exception, pytest.xfail.Exception, pytest.fail.Exception
        if (
            marker is not None
            and call.excinfo is not None
            and not call.excinfo.errisinstance(skipped)
        ):
            first_line = str(call.excinfo.value).partition("\n")[0][:200]
            figure = Figure(marker.args[0], item.name, "failed", reached=False, why=first_line)
            item.config.stash[_FIGURES].append(figure)
    yield


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_LONGEST[Size.chosen()]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    figures = terminalreporter.config.stash[_FIGURES]
    if not figures:
        return
    size = Size.chosen()
    terminalreporter.section(f"reliability, {size.name.lower()} size")
    for line in lines_of(figures):
        terminalreporter.write_line(line)
    if size is not Size.COMMIT:
        path = terminalreporter.config.rootpath / f"reliability-{size.name.lower()}.json"
        path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")

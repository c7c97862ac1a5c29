"""G10: pictures with a few bytes changed, by the thousand."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from pspc import Connection
from pspd.core.model import FailureReason
from tests.e2e.home import Home
from tests.pictures import shared_pictures
from tests.reliability.conftest import Report
from tests.reliability.goals import Size
from tests.reliability.hostile.classes import INDEXED, good
from tests.reliability.hostile.mutation import Mutants
from tests.reliability.hostile.sources import made, real
from tests.reliability.hostile.trials import Outcome, try_all
from tests.reliability.hostile.watching import (
    children_of,
    deaths,
    summary,
    watch_indexing,
    wrong_dispositions,
)

_SEED = 20
_FILES_A_FOLDER = 1000
_NIGHTLY = 50_000
"""Mutants that a real daemon reads in a night, in some 2 minutes: a quarter of them stops a decoder
half-way and so costs a worker, which is forked in 16 ms."""
_TRIED = 1_500
_DISPOSITIONS = frozenset({INDEXED, *FailureReason}) - {
    FailureReason.UNREADABLE,
    FailureReason.NOT_A_FILE,
}
_REPRODUCERS = Path("reliability-reproducers")
"""What killed a worker or did what is not documented, for a person to look at; git ignores it."""


@pytest.mark.goal("G10")
def test_mutants_have_documented_outcomes_only(goal: Report, size: Size) -> None:
    """Read by the code of a worker, in processes like it, so that nothing but decoding is timed."""
    count = size.of(2_000, 1_000_000, 10_000_000)
    seconds = size.of(60, 400, 6 * 3600)
    outcome = try_all(_SEED, count, lanes=os.cpu_count() or 1, seconds=seconds)
    mutants = Mutants(made(), _SEED)
    for number, what in outcome.findings.items():
        mutant = mutants[number]
        _keep(f"made-{_SEED}-{number}{mutant.suffix}", mutant.data, what)
    goal.figure(
        f"{outcome.tried:,} mutants of {len(made())} pictures: {outcome.indexed:,} read, "
        f"{outcome.failed:,} refused with a reason, {len(outcome.findings)} other outcomes"
        f"{_first(outcome)}; slowest {outcome.longest:.1f} s, most memory {outcome.peak_memory} "
        f"MiB{_stalled(outcome)}",
        reached=not outcome.findings and outcome.tried == count,
        why=""
        if outcome.findings or outcome.tried == count
        else f"no more of {count:,} could be tried in {seconds:,} s",
    )


def _first(outcome: Outcome) -> str:
    texts = [f"{number}: {what}" for number, what in sorted(outcome.findings.items())[:3]]
    return f" ({'; '.join(texts)})" if texts else ""


def _stalled(outcome: Outcome) -> str:
    return f"; stalled once, over what others read: {'; '.join(outcome.stalls)}" * bool(
        outcome.stalls
    )


@pytest.mark.goal("G10")
def test_the_daemon_lives_on_real_hostile_files_and_mutants(
    goal: Report, size: Size, home: Home
) -> None:
    pictures = shared_pictures()
    if pictures is None:
        goal.cannot_run("there is no folder of real pictures")
        return
    mutants = Mutants(real(pictures, every=size.of(24, 1, 1)), _SEED)
    folder = home.pictures()
    right = _copied(pictures / "hostile", folder / "hostile", every=size.of(12, 1, 1))
    right |= _written(mutants, folder, size.of(100, _NIGHTLY, 200_000))
    with Connection(home.path, start=True) as connection:
        pid = connection.status().pid
        connection.add(folder)
        seen = watch_indexing(home, connection, good("JPEG", 1, 320, 240))
        wrong = wrong_dispositions(connection, right)
        killers = deaths(connection)
        assert connection.status().pid == pid
        for path, entry in killers.items():
            name = os.path.basename(os.fsdecode(path))
            _keep(name, Path(os.fsdecode(path)).read_bytes(), f"{entry.reason}: {entry.message}")
    goal.figure(
        f"{len(right):,} real hostile files and mutants in {seen.seconds:.0f} s: the daemon lives, "
        f"{len(wrong)} without a disposition{summary(wrong)}, {len(killers)} workers ended, most "
        f"memory of one {seen.peak_memory} MiB, a search by hashes meanwhile takes "
        f"{seen.ratio:.1f} times as long as when idle ({len(seen.searches):,} searches)",
        reached=not wrong and seen.answers_in_time and not seen.why_late,
        why=seen.why_late if not wrong and seen.answers_in_time else "",
    )


def _copied(source: Path, folder: Path, *, every: int) -> dict[bytes, frozenset[str]]:
    """Copy real hostile files; returns the dispositions that any of them may have."""
    right = {}
    files = sorted(path for path in source.rglob("*") if path.is_file())
    for path in files[::every]:
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        if not any(part.startswith(".") for part in target.relative_to(folder).parts):
            right[bytes(target)] = _DISPOSITIONS
    return right


def _written(mutants: Mutants, folder: Path, count: int) -> Mapping[bytes, frozenset[str]]:
    """Write mutants, each under a name by which it can be made again."""
    right = {}
    for number in range(count):
        mutant = mutants[number]
        place = folder / f"{number // _FILES_A_FOLDER:04}"
        place.mkdir(exist_ok=True)
        path = place / f"real-{_SEED}-{number}{mutant.suffix}"
        path.write_bytes(mutant.data)
        right[bytes(path)] = _DISPOSITIONS
    return right


def _keep(name: str, data: bytes, what: str) -> None:
    _REPRODUCERS.mkdir(exist_ok=True)
    (_REPRODUCERS / name).write_bytes(data)
    (_REPRODUCERS / f"{name}.txt").write_text(f"{what}\n")


def test_a_mutant_is_made_again_from_its_seed_and_number() -> None:
    first, again = Mutants(made(), 3), Mutants(made(), 3)
    assert [first[number] for number in range(300)] == [again[number] for number in range(300)]
    assert first[7] != Mutants(made(), 4)[7]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_mutant_that_ends_its_process_is_found_and_the_rest_goes_on() -> None:
    """As a decoder's segmentation fault would: the signal comes from here."""
    outcome = _signalled(signal.SIGSEGV, hang_seconds=60)
    assert list(outcome.findings.values()) == [f"ended the process with {-signal.SIGSEGV}"]
    assert outcome.tried == _TRIED


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_stalls_is_told_from_a_mutant_that_hangs() -> None:
    outcome = _signalled(signal.SIGSTOP, hang_seconds=5)
    assert outcome.findings == {}
    (stall,) = outcome.stalls
    assert "it hangs (T" in stall
    assert outcome.tried == _TRIED


def _signalled(number: signal.Signals, *, hang_seconds: float) -> Outcome:
    """Send a process that tries mutants a signal; return what became of all of them."""
    outcomes: list[Outcome] = []
    trying = threading.Thread(
        target=lambda: outcomes.append(
            try_all(_SEED, _TRIED, lanes=1, seconds=60, hang_seconds=hang_seconds)
        )
    )
    before = set(children_of(os.getpid()))
    trying.start()
    while not (trials := [pid for pid in set(children_of(os.getpid())) - before if _reads(pid)]):
        assert trying.is_alive()
    os.kill(trials[0], number)
    trying.join()
    (outcome,) = outcomes
    return outcome


def _reads(pid: int) -> bool:
    """Tell whether a trial is so far that it has put its standard error away."""
    try:
        return os.readlink(f"/proc/{pid}/fd/2") == os.devnull
    except OSError:
        return False


def test_mutants_differ_from_what_they_are_made_of() -> None:
    sources = {data for _, data in made()}
    mutants = Mutants(made(), 3)
    assert sum(mutants[number].data not in sources for number in range(300)) > 280

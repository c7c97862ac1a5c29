"""What the store promises: nothing acknowledged is lost, nothing damaged is believed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from tests.reliability import shim
from tests.reliability.conftest import Report
from tests.reliability.goals import Size, too_few
from tests.reliability.power import Disk
from tests.reliability.store_child import FILES_A_BATCH, Nursery
from tests.store import damage
from tests.store.older import make_format_1

T = TypeVar("T")

BATCHES = 40
"""Batches that are under way in the power cuts' journal."""

MOST_BATCHES = 100
"""After so many batches the killed writer begins with a new store."""

HANDS = 2
"""Cases that are judged at once: most of a case is waiting for processes."""

SLOWEST_START = 10.0
"""Seconds."""

STORED = 60
"""Batches of the store that is damaged: 240 pictures."""


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


def kill_while_writing(nursery: Nursery, folder: Path, first: int, most: int) -> int:
    """Kill a writer after `most` acknowledgements; returns the last batch that it acknowledged."""
    pid = last = -1
    acknowledged = 0
    for words in nursery.run("write", str(folder), first):
        if words[0] == "pid":
            pid = words[1]
        elif words[0] == "ack":
            last = words[1]
            acknowledged += 1
            if acknowledged == most:
                os.kill(pid, signal.SIGKILL)
        elif words[0] == "gone":
            assert words[1] == -signal.SIGKILL
    return last


@pytest.mark.goal("G1")
def test_a_killed_writer_loses_nothing_that_it_acknowledged(
    goal: Report, size: Size, nursery: Nursery, tmp_path: Path
) -> None:
    kills = size.of(50, 1000, 10_000)
    rng = random.Random(1)
    folder = tmp_path / "store"
    lost = wrong = acknowledged = 0
    last = -1
    for number in range(kills):
        if last > MOST_BATCHES:  # looking takes as long as there are files
            shutil.rmtree(folder)
            last = -1
        before, last = last, kill_while_writing(nursery, folder, last + 1, rng.randrange(1, 6))
        acknowledged += last - before
        seen = nursery.ask("look", str(folder), last)
        lost += len(seen["lost"])
        wrong += seen["indexed"] != seen["counted"] or seen["indexed"] % FILES_A_BATCH
        if number % 10 == 9:
            wrong += len(nursery.ask("check", str(folder)))
    done = f"{kills:,} kills of the store's writer, {acknowledged:,} batches acknowledged"
    text = f"{done}: {lost} lost, {wrong} wrong"
    goal.figure(text, reached=lost == wrong == 0)


@pytest.mark.goal("G2")
def test_a_power_cut_leaves_a_store_that_opens_with_all_that_was_acknowledged(
    goal: Report, size: Size, tmp_path: Path
) -> None:
    library = shim.build()
    if library is None:
        goal.cannot_run("no C compiler, or not Linux")
        return
    wanted = size.of(250, 10_000, 100_000)
    environ = shim.environ(library, {"JOURNAL": tmp_path / "journal", "PATHS": "/data.mdb:/ledger"})
    recorded = Nursery(environ)
    recorded.ask("write_some", str(tmp_path / "origin"), BATCHES, str(tmp_path / "ledger"))
    recorded.close()
    cuts = power_cuts(tmp_path / "journal", wanted, random.Random(2))
    results = judged(after_a_power_cut, cuts, tmp_path)
    made = results.total()
    text = f"{made:,} power cuts: " + ", ".join(f"{n:,} {what}" for what, n in results.items())
    goal.figure(text, reached=results["fine"] + results[TORN_BIRTH] == made >= wanted)


def judged(
    judge: Callable[[Nursery, Path, T], Iterable[str]], cases: Iterator[T], place: Path
) -> Counter[str]:
    """Judge all cases, two at a time, each in a folder that is empty at first; count what is said.

    What is said may be of other things than cases.
    """
    said: Counter[str] = Counter()
    turn = threading.Lock()

    def hand(folder: Path) -> None:
        folder.mkdir()
        nursery = Nursery()
        try:
            while True:
                with turn:
                    case = next(cases, None)
                if case is None:
                    return
                words = judge(nursery, folder, case)
                with turn:
                    said.update(words)
        finally:
            nursery.close()

    with ThreadPoolExecutor(HANDS) as executor:
        hands = [executor.submit(hand, place / f"hand{number}") for number in range(HANDS)]
    for each in hands:
        each.result()
    return said


def after_a_power_cut(nursery: Nursery, place: Path, cut: tuple[bytes, int]) -> list[str]:
    """Say what is left of a store in one image."""
    image, acknowledged = cut
    folder = place / "image"
    folder.mkdir(exist_ok=True)
    (folder / "lock.mdb").unlink(missing_ok=True)
    (folder / "data.mdb").write_bytes(image)
    seen = nursery.ask("look", str(folder), acknowledged)
    if not isinstance(seen, dict):
        return [after_a_torn_birth(nursery, folder, acknowledged)]
    if seen["lost"]:
        return ["acknowledged and lost"]
    return ["fine" if seen["indexed"] == seen["counted"] else "damaged"]


TORN_BIRTH = "torn while the file was made, and made anew by the daemon's start"


def after_a_torn_birth(nursery: Nursery, folder: Path, acknowledged: int) -> str:
    """Say what becomes of an image that is no store: before the first commit it may be none yet."""
    state = folder.with_name("born")
    shutil.copytree(folder, state / "store")
    answer = nursery.ask("start", str(state), 0)
    shutil.rmtree(state)
    is_well = isinstance(answer, dict) and not answer["left"] and acknowledged == -1
    return TORN_BIRTH if is_well else f"not opened: {answer}"


def power_cuts(journal: Path, wanted: int, rng: random.Random) -> Iterator[tuple[bytes, int]]:
    """Yield images of the data file, each with the last batch acknowledged before it."""
    records = list(shim.read_journal(journal))
    ledger = {r.file for r in records if r.kind is shim.Kind.OPEN and r.data.endswith(b"/ledger")}
    moments = [
        at for at, record in enumerate(records)
        if record.kind is not shim.Kind.OPEN and record.file not in ledger
    ]  # fmt: skip
    each, rest = divmod(wanted, len(moments))
    extra = set(rng.sample(moments, rest))
    disk, acknowledged = Disk(), -1
    for at, record in enumerate(records):
        if record.kind is shim.Kind.OPEN:
            continue
        if record.file in ledger:
            acknowledged = int.from_bytes(record.data, "little")
            continue
        images = disk.images(rng, record)
        for _ in range(each + (at in extra)):
            yield next(images), acknowledged
        disk.take(record)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A state directory with a store, closed in order, in which hardly any page is free."""
    from pspd.store.opening import Options, open_store  # noqa: PLC0415
    from tests.reliability.store_child import root_of, store_batch  # noqa: PLC0415

    state = tmp_path / "stored"
    state.mkdir()
    opened = open_store(state, Options(1 << 26))
    root = root_of(opened.store)
    for number in range(STORED):
        store_batch(opened.store, root, number)
    compact = tmp_path / "compact"
    compact.mkdir()
    opened.store.copy(compact)
    opened.close()
    (compact / "data.mdb").replace(state / "store" / "data.mdb")
    return state


@pytest.mark.goal("G16")
def test_no_damage_is_answered_from_and_every_one_is_found(
    goal: Report, size: Size, stored: Path, tmp_path: Path
) -> None:
    damages = size.of(42, 1200, 10_000)
    count = STORED * FILES_A_BATCH
    truth = {str(c): [f"/pictures/{c:08}.png"] for c in range(count)}
    starts: list[float] = []
    kinds = list(damage.KINDS)

    def after_a_start(nursery: Nursery, place: Path, seed: int) -> list[str]:
        state = place / "state"
        shutil.copytree(stored, state)
        damage.damage(state / "store" / "data.mdb", kinds[seed % len(kinds)], seed)
        begun = time.monotonic()
        answer = nursery.ask("start", str(state), count)
        starts.append(time.monotonic() - begun)
        shutil.rmtree(state)
        if not isinstance(answer, dict):
            return ["not started"]
        found = answer["found"]
        seen = {
            "wrong answers": any(truth[c] != paths for c, paths in found.items()),
            "missed": found != truth and not answer["told"],
            "not mended": bool(answer["left"]) or answer["roots"] != ["/pictures"],
            "told": bool(answer["told"]),
        }
        return [what for what, is_so in seen.items() if is_so]

    results = judged(after_a_start, iter(range(damages)), tmp_path)
    assert len(starts) == damages
    few = too_few(size, damages, 10_000)
    faults = {w: results[w] for w in ("wrong answers", "missed", "not mended", "not started")}
    figures = ", ".join(f"{number} {what}" for what, number in faults.items())
    text = (
        f"{damages:,} damaged stores, {results['told']:,} of them where something is stored: "
        f"{figures}; slowest start {max(starts):.1f} s"
    )
    is_well = not any(faults.values()) and max(starts) <= SLOWEST_START
    goal.figure(text, reached=is_well and not few, why=few if is_well else "")


@pytest.mark.goal("G21")
def test_a_kill_inside_a_migration_loses_nothing(
    goal: Report, size: Size, nursery: Nursery, tmp_path: Path
) -> None:
    kills = size.of(20, 200, 2000)
    origin = tmp_path / "origin"
    last = kill_while_writing(nursery, origin, 0, 10)
    assert last >= 9
    # The killed writer may have seen files that it did not index any more.
    files = nursery.ask("look", str(origin), last)["known"] + FILES_A_BATCH
    make_format_1(origin)
    ticks = sum(words[0] == "tick" for words in nursery.run("migrate", str(copied(origin))))
    assert ticks > files // 2
    rng = random.Random(3)
    lost = halves = 0
    folder = tmp_path / "store"
    for _ in range(kills):
        shutil.copytree(origin, folder)
        kill_at(nursery, folder, rng.randrange(1, ticks + 2))
        halves += format_of(nursery, folder) not in {(1, files), (2, files)}
        nursery.ask("migrate", str(folder))
        lost += format_of(nursery, folder) != (2, files)
        lost += len(nursery.ask("check", str(folder)))
        lost += len(nursery.ask("look", str(folder), last)["lost"])
        shutil.rmtree(folder)
    text = f"{kills:,} kills inside a migration of {files} files: {lost} lost, {halves} half done"
    goal.figure(text, reached=lost == halves == 0)


def format_of(nursery: Nursery, folder: Path) -> tuple[int, int]:
    """Return a store's format and how many files it has."""
    told = nursery.run("format_of", str(folder))
    [(version, files)] = [(words[1], words[2]) for words in told if words[0] == "format"]
    return version, files


def copied(folder: Path) -> Path:
    """Return a copy of a store, beside it."""
    return Path(shutil.copytree(folder, folder.with_name("copied")))


def kill_at(nursery: Nursery, folder: Path, tick: int) -> None:
    pid = ticks = 0
    for words in nursery.run("migrate", str(folder)):
        if words[0] == "pid":
            pid = words[1]
        ticks += words[0] in {"tick", "lifted"}
        if ticks == tick and words[0] != "gone":
            # After the last tick it may have ended by itself, before this reads of it.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

"""A root that is paused: nothing below it is looked at, whatever hints, asks or waits."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pspd.core.model import WatchRoot
from pspd.store import batch
from pspd.watcher.inotify_notifier import InotifyNotifier
from pspd.watcher.notify import Hint, NoNotifier, Notifier
from pspd.watcher.watchdog_notifier import WatchdogNotifier
from tests.waiting import expect, until
from tests.watcher.bench import OPTIONS, Bench, watching
from tests.watcher.test_coverage import Refusing
from tests.watcher.test_scan import write

MANY = 150
"""Files of a root whose loss is suspicious."""


NAMES = ["inotify", "watchdog", "none"]


@pytest.fixture(params=[InotifyNotifier, WatchdogNotifier, NoNotifier], ids=NAMES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with watching(tmp_path, request.param) as bench:
        yield bench


def change(bench: Bench) -> None:
    """Add, change, move and remove something."""
    write(bench.top / "d/new")
    write(bench.top / "other/below/new")
    (bench.top / "d/changed").write_text("another text")
    (bench.top / "d/gone").unlink()
    (bench.top / "d/moved").rename(bench.top / "moved")


def roots_of(bench: Bench) -> list[WatchRoot]:
    with bench.store.read() as reader:
        return reader.roots()


def fill(bench: Bench) -> None:
    for name in ("changed", "gone", "moved", "stays"):
        write(bench.top / "d" / name)
    bench.sync()
    bench.index_all()


def test_what_changes_while_it_is_paused_is_found_when_it_goes_on(bench: Bench) -> None:
    fill(bench)
    before = bench.stamps()
    bench.pause()
    bench.sync()
    change(bench)
    bench.sync()
    assert bench.stamps() == before
    assert bench.paused == 1

    bench.resume()
    bench.sync()
    assert bench.is_exact()
    assert bench.returned == 1
    write(bench.top / "d/later")
    bench.sync()
    assert bench.is_exact()


def test_it_stays_paused_over_a_restart(bench: Bench) -> None:
    fill(bench)
    before = bench.stamps()
    bench.pause()
    bench.watcher.close()
    change(bench)
    bench.watcher = bench.new_watcher()
    bench.start()
    assert bench.stamps() == before
    (state,) = bench.watcher.roots()
    assert state.root.paused

    bench.resume()
    bench.sync()
    assert bench.is_exact()


def test_pausing_and_resuming_twice_changes_nothing(bench: Bench) -> None:
    fill(bench)
    bench.pause()
    bench.pause()
    change(bench)
    bench.resume()
    bench.resume()
    bench.sync()
    assert bench.is_exact()


def test_no_deletion_is_believed_while_it_is_paused(bench: Bench) -> None:
    fill(bench)
    before = bench.stamps()
    bench.pause()
    shutil.rmtree(bench.top / "d")
    bench.watcher.look_at(str(bench.top / "d"))
    bench.sync()
    assert bench.stamps() == before

    bench.resume()
    bench.sync()
    assert bench.stamps() == {}


@pytest.fixture
def hinted(tmp_path: Path) -> Iterator[Bench]:
    with watching(tmp_path) as bench:
        yield bench


def test_hints_about_it_are_not_followed_and_no_more_are_asked_for(hinted: Bench) -> None:
    fill(hinted)
    before = hinted.stamps()
    notifier = hinted.last_notifier
    assert isinstance(notifier, InotifyNotifier)
    assert notifier.count == 3
    hinted.pause()
    expect(lambda: notifier.count == 1)  # PSP's own, for signs of life
    change(hinted)
    for name in ("d", "d/new", "other", "moved"):
        hinted.watcher._take_hint(Hint(str(hinted.top / name)))
    expect(lambda: hinted.watcher._box.next_due() is None)
    hinted.sync()
    assert hinted.stamps() == before

    hinted.resume()
    assert hinted.settles() is not None
    write(hinted.top / "other/below/without a scan")
    assert hinted.settles() is not None


def test_a_scan_ends_in_the_middle_and_nobody_waits_for_its_rest(tmp_path: Path) -> None:
    with watching(tmp_path) as bench:
        for number in range(50):
            write(bench.top / f"{number:02}" / "file")
        bits = 0

        def pause_at_the_tenth() -> None:
            nonlocal bits
            bits += 1
            if bits == 10:
                bench.pause()

        bench.between = pause_at_the_tenth
        scan = bench.watcher.scan_all()
        scan.result(timeout=60)
        bench.between = lambda: None
        assert len(bench.stamps()) < 50
        bench.sync()
        assert len(bench.stamps()) < 50

        bench.resume()
        bench.sync()
        assert bench.is_exact()


def test_it_goes_on_while_it_is_still_being_left(hinted: Bench) -> None:
    for number in range(50):
        write(hinted.top / f"{number:02}" / "file")
    hinted.sync()
    bits = 0

    def resume_at_the_tenth() -> None:
        nonlocal bits
        bits += 1
        if bits == 10:
            hinted.resume()

    hinted.between = resume_at_the_tenth
    hinted.pause()
    expect(lambda: not hinted.root.paused)
    hinted.between = lambda: None
    hinted.sync()
    for number in range(50):
        write(hinted.top / f"{number:02}" / "new")
    assert hinted.settles() is not None


def test_one_that_is_away_is_paused_and_away_again_when_it_goes_on(
    hinted: Bench, tmp_path: Path
) -> None:
    fill(hinted)
    hinted.top.rename(tmp_path / "elsewhere")
    hinted.sync()
    assert hinted.notices("unavailable")
    hinted.pause()
    expect(lambda: not hinted.notices("unavailable"))
    (state,) = hinted.watcher.roots()
    assert not state.is_unavailable

    hinted.resume()
    hinted.sync()
    assert hinted.notices("unavailable")
    assert len(hinted.stamps()) == 4
    (tmp_path / "elsewhere").rename(hinted.top)
    hinted.sync()
    assert hinted.is_exact()


def test_one_that_goes_away_while_it_is_paused_is_not_missed(hinted: Bench, tmp_path: Path) -> None:
    fill(hinted)
    hinted.pause()
    hinted.top.rename(tmp_path / "elsewhere")
    hinted.sync()
    assert not hinted.notices("unavailable")
    (tmp_path / "elsewhere").rename(hinted.top)
    hinted.resume()
    hinted.sync()
    assert hinted.is_exact()


def test_a_loss_that_was_suspicious_is_so_again_when_it_goes_on(tmp_path: Path) -> None:
    with watching(tmp_path, NoNotifier, replace(OPTIONS, confirm_seconds=0.0)) as bench:
        for number in range(MANY):
            write(bench.top / "d" / str(number))
        bench.sync()
        bench.index_all()
        bench.pause()
        shutil.rmtree(bench.top / "d")
        bench.sync()
        bench.sync()
        assert len(bench.stamps()) == MANY, "a second look is no look at a paused root"
        assert not bench.notices("seem to be gone")

        bench.resume()
        assert bench.settles() is not None


def test_what_no_hint_comes_from_is_not_polled_and_not_told(tmp_path: Path) -> None:
    options = replace(OPTIONS, blind_poll_seconds=0.01, blind_poll_longest_seconds=0.02)
    factory: Callable[[], Notifier] = Refusing
    with watching(tmp_path, factory, options) as bench:
        write(bench.top / "d/file")
        assert bench.settles() is not None
        expect(lambda: bool(bench.notices("polled")))
        bench.pause()
        expect(lambda: not bench.notices("polled"))
        before = bench.stamps()
        write(bench.top / "d/new")
        bench.sync()
        assert bench.stamps() == before

        bench.resume()
        bench.sync()
        assert bench.is_exact()
        write(bench.top / "d/polled")
        assert until(bench.is_exact) is not None


def test_one_that_is_paused_can_be_removed(hinted: Bench) -> None:
    fill(hinted)
    hinted.pause()
    going = replace(hinted.root, removing=True, paused=False)
    hinted.store.apply([batch.PutRoot(going)])
    hinted.watcher.remove(going)

    expect(lambda: not roots_of(hinted))
    assert hinted.stamps() == {}
    assert hinted.watcher.roots() == []

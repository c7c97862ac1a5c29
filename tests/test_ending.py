"""The end of the daemon: who is told when, and what becomes of a part that hangs."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from pspd import ending
from pspd.ending import Ending
from pspd.host import seconds_left
from tests.waiting import PATIENCE

HANGING = """
import os, signal, threading
from pspd import ending, host
ending.GUARD_SECONDS = 0.05
stop = host.StopSignal()
host.prepare_process(stop)
ending.guard_end(stop, lambda: 7)
os.kill(os.getpid(), signal.{name})
lock = threading.Lock()
lock.acquire()
lock.acquire()
"""


def test_every_part_is_told_before_the_first_is_closed() -> None:
    seen: list[tuple[str, float]] = []
    with Ending(clock=lambda: 100.0) as end:
        for number, name in enumerate(("store", "server", "watcher")):
            end.add(
                name,
                lambda deadline, name=name: seen.append((f"{name} closed", deadline)),  # type: ignore[misc]
                seconds=4.0 - number,
                tell=lambda name=name: seen.append((f"{name} told", 0.0)),  # type: ignore[misc]
            )
    assert seen == [
        ("watcher told", 0.0),
        ("server told", 0.0),
        ("store told", 0.0),
        ("watcher closed", 102.0),
        ("server closed", 103.0),
        ("store closed", 104.0),
    ]


def test_parts_that_all_hang_take_as_long_as_the_longest_and_not_their_sum() -> None:
    def hang(deadline: float) -> None:
        threading.Event().wait(seconds_left(deadline))

    begun = time.monotonic()
    with Ending() as end:
        for _ in range(20):
            end.add("part", hang, seconds=0.2)
    assert 0.2 <= time.monotonic() - begun < 2.0


def test_a_part_that_fails_to_end_keeps_no_other_from_it() -> None:
    closed: list[str] = []

    def fail(_deadline: float) -> None:
        raise OSError("the disk is gone")

    def end_all() -> None:
        with Ending() as end:
            end.add("store", lambda _: closed.append("store"), seconds=1.0)
            end.add("server", fail, seconds=1.0)
            end.add("watcher", lambda _: closed.append("watcher"), seconds=1.0)

    with pytest.raises(OSError, match="the disk is gone"):
        end_all()
    assert closed == ["watcher", "store"]


def test_an_end_that_took_long_says_for_what(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]

    def take(seconds: float) -> None:
        now[0] += seconds

    with Ending(clock=lambda: now[0]) as end:
        end.add("store", lambda _: take(0.01), seconds=4.0)
        end.add("watcher", lambda _: take(2.5), seconds=2.0)
    (record,) = caplog.records
    assert vars(record)["psp_fields"] == {"seconds": 2.51, "parts": "watcher 2.50"}


def test_moments_follow_each_other_within_the_promise() -> None:
    moments = [
        ending.HANDS_SECONDS,
        ending.BATCH_SECONDS,
        ending.SERVER_SECONDS,
        ending.WORKERS_SECONDS,
        ending.STORE_SECONDS,
        ending.GUARD_SECONDS,
        ending.PROMISED_SECONDS,
    ]
    assert moments == sorted(set(moments))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_process_whose_main_thread_hangs_is_ended_all_the_same(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGING.format(name=name)],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 7, done.stderr

"""Waiting for the daemon: progress on a terminal, and an end when it cannot go on."""

from __future__ import annotations

from concurrent.futures import Future

import msgspec
import pytest

from pspc import waiting
from pspc.errors import IndexingStalled
from pspc.waiting import LONGEST_PAUSE, SHORTEST_PAUSE, STALL_SECONDS, Pauses, Stall
from pspd.rpc import wire
from tests.client.conftest import SEARCH_REPLY, Run
from tests.rpc import samples
from tests.rpc.peers import Answer, Call, TableHandler

(STATUS,) = [reply for reply in samples.REPLIES if isinstance(reply, wire.StatusReply)]
BUSY = msgspec.structs.replace(STATUS, pending=10, problem="the disk is full")


def test_a_problem_without_progress_ends_the_wait_after_a_while() -> None:
    stall = Stall()
    stall.check(0.0, 5, "the disk is full")
    stall.check(STALL_SECONDS - 0.1, 5, "the disk is full")
    with pytest.raises(IndexingStalled, match=r"^the disk is full$"):
        stall.check(STALL_SECONDS, 5, "the disk is full")


def test_progress_or_the_end_of_the_problem_lets_the_wait_go_on() -> None:
    stall = Stall()
    stall.check(0.0, 5, "the disk is full")
    stall.check(STALL_SECONDS, 6, "the disk is full")
    stall.check(2 * STALL_SECONDS - 1, 6, "")
    stall.check(3 * STALL_SECONDS - 2, 6, "the disk is full")


def test_pauses_grow_with_the_wait_from_the_shortest_to_the_longest() -> None:
    pauses = Pauses(100.0)
    now, waits = 100.0, []
    while now < 110.0:
        waits.append(pauses.next(now))
        now += waits[-1]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (SHORTEST_PAUSE, LONGEST_PAUSE)
    assert SHORTEST_PAUSE < pauses.next(101.0) < LONGEST_PAUSE


def test_a_pause_adds_at_most_a_small_share_to_the_wait() -> None:
    for waited in (0.4, 1.0, 3.0, 60.0):
        assert Pauses(0.0).next(waited) <= waited / 16


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("arguments", [("sync",), ("search", "--wait")])
def test_a_sync_shows_progress_on_a_terminal_and_nothing_in_a_pipe(
    daemon: TableHandler, run: Run, image: str, arguments: tuple[str, ...], *, is_terminal: bool
) -> None:
    reply: Future[wire.Reply] = Future()

    def status(_call: Call) -> Answer:
        # The second look comes after the first was shown.
        if sum(isinstance(call.request, wire.StatusRequest) for call in daemon.calls) == 2:
            reply.set_result(wire.SyncReply(SEARCH_REPLY.freshness))
        return STATUS

    daemon.on(wire.SyncRequest, reply)
    daemon.on(wire.StatusRequest, status)
    names = [image] if "search" in arguments else []
    result = run(*arguments, *names, is_terminal=is_terminal)
    assert result.status == 0
    if is_terminal:
        assert "] 100%  1,203 of 1,203 files" in result.errors
        assert result.errors.endswith("\r\x1b[K")
    else:
        assert result.errors == ""


@pytest.mark.parametrize("arguments", [("sync",), ("add", "/x", "--wait")])
def test_a_daemon_that_cannot_go_on_ends_the_wait_with_its_sentence(
    daemon: TableHandler, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr(waiting, "STALL_SECONDS", 0.0)
    daemon.on(wire.SyncRequest, Future())
    pending = msgspec.structs.replace(samples.ROOT, pending=10)
    daemon.on(wire.StatusRequest, msgspec.structs.replace(BUSY, roots=[pending]))
    result = run(*arguments)
    assert (result.status, result.errors) == (2, "pspc: the disk is full\n")

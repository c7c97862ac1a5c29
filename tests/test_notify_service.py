"""sd_notify, received by a real datagram socket."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pspd.notify_service import ServiceNotifier


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    """What systemd does: a datagram socket that waits for states."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(5)
        yield receiver


def test_every_state_arrives_as_systemd_reads_it(tmp_path: Path, manager: socket.socket) -> None:
    address = str(tmp_path / "notify")
    manager.bind(address)
    notifier = ServiceNotifier({"NOTIFY_SOCKET": address})
    notifier.ready()
    notifier.status("indexing\n3 of 5")
    notifier.alive()
    notifier.stopping()
    assert [manager.recv(4096) for _ in range(4)] == [
        f"READY=1\nMAINPID={os.getpid()}".encode(),
        b"STATUS=indexing 3 of 5",
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the abstract namespace")
def test_an_abstract_socket_is_reached(manager: socket.socket) -> None:
    name = f"psp-test-notify-{os.getpid()}"
    manager.bind(f"\0{name}")
    ServiceNotifier({"NOTIFY_SOCKET": f"@{name}"}).alive()
    assert manager.recv(4096) == b"WATCHDOG=1"


def test_outside_systemd_nothing_happens() -> None:
    notifier = ServiceNotifier({})
    notifier.ready()
    assert notifier.liveness_interval() is None


def test_a_manager_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    ServiceNotifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


def test_readiness_that_could_not_be_told_is_told_later(
    tmp_path: Path, manager: socket.socket
) -> None:
    address = str(tmp_path / "notify")
    notifier = ServiceNotifier({"NOTIFY_SOCKET": address})
    notifier.ready()
    manager.bind(address)
    notifier.alive()
    notifier.alive()
    assert [manager.recv(4096).split(b"\n")[0] for _ in range(3)] == [
        b"READY=1",
        b"WATCHDOG=1",
        b"WATCHDOG=1",
    ]


def test_a_manager_that_does_not_read_stops_nothing(tmp_path: Path, manager: socket.socket) -> None:
    address = str(tmp_path / "notify")
    manager.bind(address)
    notifier = ServiceNotifier({"NOTIFY_SOCKET": address})
    # net.unix.max_dgram_qlen is 512 at most by default; a blocking send would hang here.
    for _ in range(2000):
        notifier.alive()


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
    ],
)
def test_the_liveness_interval_is_half_of_what_the_manager_allows(
    environ: dict[str, str], interval: float | None
) -> None:
    assert ServiceNotifier(environ).liveness_interval() == interval

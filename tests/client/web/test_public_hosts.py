"""What of the internet a picture is fetched from, for a page: nothing that is near."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from pspc.errors import SourceError
from pspc.web.public_hosts import AddressInfo, connect, is_port_of_the_web, is_public

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946",
          "64:ff9b::5db8:d822"]  # fmt: skip

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.216.34", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1", "2002:5db8:d822::1",
    "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_near_is_not_public_whatever_it_is_wrapped_in(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("port", "is_fine"),
    [(80, True), (443, True), (8080, True), (1024, True), (22, False), (25, False), (631, False),
     (1023, False), (0, False)],
)  # fmt: skip
def test_ports_of_other_services_are_none_of_the_web(port: int, *, is_fine: bool) -> None:
    assert is_port_of_the_web(port) == is_fine


class Names:
    """Leads names to addresses, to others at each look-up."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, _host: str, port: int, **_options: Any) -> list[AddressInfo]:
        self.asked += 1
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                0,
                "",
                (address, port),
            )
            for address in self.answers.pop(0)
        ]


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"], ["::1"]],
)
def test_a_name_of_which_one_address_is_near_is_refused(addresses: list[str]) -> None:
    with pytest.raises(SourceError, match="private network"):
        connect(("name.example", 80), 1.0, resolve=Names(addresses))


def test_a_name_is_looked_up_once() -> None:
    """What it leads to at a second look-up is of no matter: there is none."""
    names = Names(["127.0.0.1"], ["93.184.216.34"])
    with pytest.raises(SourceError):
        connect(("rebinding.example", 80), 1.0, resolve=names)
    assert names.asked == 1


def test_a_name_that_leads_nowhere_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="nowhere"):
        connect(("nowhere.example", 80), 1.0, resolve=Names([]))


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "localhost", "0", "[::1]"])
def test_other_ways_to_write_this_machine_are_refused(host: str) -> None:
    with pytest.raises((SourceError, OSError)):
        connect((host, 80), 1.0)


@pytest.mark.parametrize("address", ["64:ff9b:1::a00:1", "::ffff:0:a00:1"])
def test_what_a_translator_of_this_network_may_lead_to_is_not_public(address: str) -> None:
    assert not is_public(address)

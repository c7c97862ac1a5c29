"""Another user of this machine: no cookie and no key of ours is of use to one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import httpx
import pytest

from pspc.web.peers import Peer, owner_in, written
from tests.client.web.running import Gateway, status_of

NOBODY = 65534

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20BF 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1
   1: 0100007F:D431 0100007F:20BF 01 00000000:00000000 00:00000000 00000000  1001        0 2
   2: 0100007F:D432 0100007F:20BF 06 00000000:00000000 00:00000000 00000000     0        0 0
   3: torn
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the table is one of a little-endian machine")
def test_an_owner_is_read_from_the_kernels_table() -> None:
    here = written(("127.0.0.1", 8383), 4)
    assert here == "0100007F:20BF"
    assert owner_in(TABLE, written(("127.0.0.1", 0xD431), 4), here) == 1001
    assert owner_in(TABLE, written(("127.0.0.1", 0xD432), 4), here) == -1
    assert owner_in(TABLE, written(("127.0.0.1", 0xD433), 4), here) is None
    assert written(("::1", 80), 6) == "00000000000000000000000001000000:0050"
    assert written(("127.0.0.1", 80), 6) == "0000000000000000FFFF00000100007F:0050"


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="only Linux tells")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_our_own_connections_are_no_strangers(family: socket.AddressFamily) -> None:
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server, socket.create_connection(server.getsockname()[:2]) as client:
        there, here = client.getsockname()[:2], client.getpeername()[:2]
        assert not Peer(there, here).is_stranger
    assert not Peer(("192.0.2.1", 1), here).is_stranger
    assert not Peer(None, here).is_stranger


AS_NOBODY = """
import os, socket, sys
os.setuid(int(sys.argv[1]))
line = socket.socket()
line.connect(("127.0.0.1", int(sys.argv[2])))
line.sendall(sys.stdin.buffer.read())
while part := line.recv(65536):
    sys.stdout.buffer.write(part)
"""

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


def _as_nobody(gateway: Gateway, path: str, *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{gateway.port}", "Connection: close"]
    lines += ["Content-Type: application/json", "Content-Length: 0", *headers, "", ""]
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(NOBODY), str(gateway.port)],
        input="\r\n".join(lines).encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@needs_root
def test_a_stolen_cookie_is_of_no_use_to_another_user(lonely: Gateway) -> None:
    with lonely.browser() as browser:
        cookie = f"Cookie: psp={browser.cookies['psp']}"
        token = f"X-PSP-Token: {browser.headers['X-PSP-Token']}"
        assert status_of(_as_nobody(lonely, "/", cookie)) == 401
        assert status_of(_as_nobody(lonely, "/api/v1/status", cookie, token)) == 401
        assert (
            status_of(_as_nobody(lonely, "/api/v1/acts/undo", cookie, token, method="POST")) == 401
        )
        assert browser.get("/").status_code == 200


@needs_root
def test_a_key_that_was_seen_is_of_no_use_to_another_user(lonely: Gateway) -> None:
    address = f"/?key={lonely.new_key()}"
    assert status_of(_as_nobody(lonely, address)) == 401
    with httpx.Client(base_url=lonely.base) as browser:
        assert browser.get(address).status_code == 303


@needs_root
def test_who_was_given_the_permanent_token_may_use_it(lonely: Gateway) -> None:
    token = f"X-PSP-Token: {lonely.token}"
    assert status_of(_as_nobody(lonely, "/api/v1/status", token)) == 503

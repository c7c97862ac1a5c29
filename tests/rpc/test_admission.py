"""The bookkeeping of requests in flight."""

from __future__ import annotations

import zmq

from pspd.rpc.admission import (
    MAX_IMAGE_BYTES,
    MAX_REQUESTS,
    MAX_REQUESTS_PER_PEER,
    Admission,
    InFlight,
)


def _request(peer: bytes = b"a", expires: float = 10.0, image: bytes | None = None) -> InFlight:
    return InFlight(peer, 1, expires, zmq.Frame(image) if image is not None else None)


def test_a_peer_has_its_share_and_gets_it_back() -> None:
    admission = Admission()
    tickets = [admission.add(_request()) for _ in range(MAX_REQUESTS_PER_PEER)]
    assert "this client" in admission.refusal(b"a", 0)
    assert not admission.refusal(b"b", 0)
    admission.remove(tickets[0])
    assert not admission.refusal(b"a", 0)


def test_all_peers_together_have_a_limit() -> None:
    admission = Admission()
    for number in range(MAX_REQUESTS):
        admission.add(_request(peer=str(number).encode()))
    assert "the daemon" in admission.refusal(b"new", 0)
    assert len(admission) == MAX_REQUESTS


def test_images_have_a_limit_and_are_let_go() -> None:
    admission = Admission()
    request = _request(image=b"12345")
    ticket = admission.add(request)
    assert not admission.refusal(b"b", MAX_IMAGE_BYTES - 5)
    assert "images" in admission.refusal(b"b", MAX_IMAGE_BYTES - 4)
    assert not admission.refusal(b"b", 0)
    admission.remove(ticket)
    assert request.image is None
    assert not admission.refusal(b"b", MAX_IMAGE_BYTES)


def test_a_ticket_is_good_once() -> None:
    admission = Admission()
    ticket = admission.add(_request())
    assert admission.remove(ticket) is not None
    assert admission.remove(ticket) is None


def test_requests_expire_in_time() -> None:
    admission = Admission()
    assert admission.next_expiry() is None
    early, late = _request(expires=1.0), _request(expires=2.0)
    admission.add(late)
    admission.add(early)
    assert admission.next_expiry() == 1.0
    assert list(admission.remove_expired(1.0)) == [early]
    assert list(admission.remove_expired(1.5)) == []
    assert list(admission.remove_all()) == [late]

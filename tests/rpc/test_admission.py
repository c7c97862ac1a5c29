"""The bookkeeping of the front, of the daemon's unanswered requests, and whose turn it is."""

from __future__ import annotations

import itertools
import threading
from typing import Any, cast

import zmq
from hypothesis import given
from hypothesis import strategies as st

from pspd.rpc.admission import (
    MAX_IMAGE_BYTES,
    MAX_REQUESTS,
    MAX_REQUESTS_PER_CLIENT,
    SPARE_IMAGE_BYTES,
    Admission,
    Admitted,
)
from pspd.rpc.fair_queue import FairQueue
from pspd.rpc.in_flight import InFlight, Unanswered


def _request(origin: bytes = b"a", image_bytes: int = 0, peer: bytes = b"p") -> Admitted:
    return Admitted(peer, origin, image_bytes)


def test_a_client_has_its_share_over_all_its_connections_and_gets_it_back() -> None:
    admission = Admission()
    tickets = [
        admission.add(_request(peer=bytes([number]))) for number in range(MAX_REQUESTS_PER_CLIENT)
    ]
    assert "this client" in admission.refusal(b"a", 0)
    assert not admission.refusal(b"b", 0)
    admission.remove(tickets[0])
    assert not admission.refusal(b"a", 0)


def test_all_clients_together_have_a_limit() -> None:
    admission = Admission()
    for number in range(MAX_REQUESTS):
        admission.add(_request(origin=str(number).encode()))
    assert "the daemon" in admission.refusal(b"new", 0)
    assert len(admission) == MAX_REQUESTS


def test_images_have_a_limit_and_are_let_go() -> None:
    admission = Admission()
    ticket = admission.add(_request(image_bytes=5))
    assert not admission.refusal(b"b", MAX_IMAGE_BYTES - 5)
    assert "images" in admission.refusal(b"b", MAX_IMAGE_BYTES - 4)
    assert not admission.refusal(b"b", 0)
    admission.remove(ticket)
    assert not admission.refusal(b"b", MAX_IMAGE_BYTES)


def test_many_floods_leave_a_first_request_to_everybody_else() -> None:
    admission = Admission()
    for number in range(10 * MAX_REQUESTS):
        origin = b"flood" + bytes([number % 50])
        if not admission.refusal(origin, 0):
            admission.add(_request(origin=origin))
    for number in range(10):
        honest = str(number).encode()
        assert not admission.refusal(honest, 0)
        admission.add(_request(origin=honest))


def test_large_images_of_others_leave_room_for_a_usual_one() -> None:
    admission = Admission()
    admission.add(_request(origin=b"large", image_bytes=MAX_IMAGE_BYTES))
    assert not admission.refusal(b"honest", 5 << 20)
    assert "the daemon" in admission.refusal(b"large 2", SPARE_IMAGE_BYTES)
    held = MAX_IMAGE_BYTES
    for number in range(1000):
        size = 8 << 20 >> min(number // 10, 22)
        origin = b"flood" + number.to_bytes(2)
        if not admission.refusal(origin, size):
            admission.add(_request(origin=origin, image_bytes=size))
            held += size
    assert held <= MAX_IMAGE_BYTES + SPARE_IMAGE_BYTES


def test_a_client_with_images_leaves_room_for_others() -> None:
    admission = Admission()
    admission.add(_request(image_bytes=MAX_IMAGE_BYTES // 2))
    assert "this client" in admission.refusal(b"a", 1)
    assert not admission.refusal(b"b", MAX_IMAGE_BYTES // 2)


def test_a_ticket_is_good_once_and_for_one_front() -> None:
    admission = Admission()
    ticket = admission.add(_request())
    assert Admission().remove(ticket) is None
    assert admission.remove(ticket) == _request()
    assert admission.remove(ticket) is None


def test_requests_expire_in_time() -> None:
    def request(expires: float) -> InFlight:
        return InFlight(cast(Any, None), b"t", 1, expires, zmq.Frame(b"image"))

    unanswered = Unanswered()
    assert unanswered.next_expiry() is None
    early, late = request(1.0), request(2.0)
    unanswered.add(late)
    number = unanswered.add(early)
    assert unanswered.next_expiry() == 1.0
    assert list(unanswered.remove_expired(1.0)) == [early]
    assert early.image is None
    assert unanswered.remove(number) is None
    assert list(unanswered.remove_expired(1.5)) == []
    assert list(unanswered.remove_all()) == [late]


@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=60), st.integers(1, 3))
def test_nobody_waits_for_more_than_one_job_of_each_other(
    origins: list[bytes], most_of_one: int
) -> None:
    queue: FairQueue[int] = FairQueue(most_of_one)
    for number, origin in enumerate(origins):
        queue.put(origin, number)
    order: list[bytes] = []
    last: dict[bytes, int] = {}
    for _ in origins:
        taken = queue.take()
        assert taken is not None
        origin, number = taken
        assert number > last.get(origin, -1)
        last[origin] = number
        order.append(origin)
        queue.finish(origin)
    assert sorted(order) == sorted(origins)
    for origin in set(origins):
        turns = [place for place, each in enumerate(order) if each == origin]
        gaps = [after - before for before, after in itertools.pairwise(turns)]
        assert max(gaps, default=0) <= len(set(origins))


def test_one_client_leaves_threads_to_the_others() -> None:
    queue: FairQueue[str] = FairQueue(1)
    queue.put(b"flooder", "first")
    queue.put(b"flooder", "second")
    queue.put(b"honest", "mine")
    assert [queue.take(), queue.take()] == [(b"flooder", "first"), (b"honest", "mine")]
    taken: list[object] = []
    waiting = threading.Thread(target=lambda: taken.append(queue.take()))
    waiting.start()
    queue.finish(b"flooder")
    waiting.join()
    assert taken == [(b"flooder", "second")]
    queue.close()
    assert queue.take() is None


def test_a_client_cannot_fill_the_queue_with_what_nobody_waits_for() -> None:
    queue: FairQueue[int] = FairQueue(1, most_waiting=2)
    assert [queue.put(b"flooder", number) for number in range(4)] == [True, True, False, False]
    assert queue.put(b"honest", 9)
    assert queue.take() == (b"flooder", 0)
    assert queue.put(b"flooder", 4)

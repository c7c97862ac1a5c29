"""Keys and sessions, with a clock of our own."""

from __future__ import annotations

from pspc.web.sessions import KEY_SECONDS, MOST_KEYS, MOST_SESSIONS, Sessions


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_key_opens_one_session_and_no_other() -> None:
    sessions = Sessions(Clock())
    key = sessions.new_key()
    cookie = sessions.open(key)
    assert cookie is not None
    assert len(key) == len(cookie) == 64
    session = sessions.find([cookie])
    assert session is not None
    assert session.token not in {key, cookie}
    assert sessions.open(key) is None
    assert sessions.open(cookie) is None
    assert sessions.find([key]) is None


def test_a_key_is_good_for_ten_minutes() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    early, late = sessions.new_key(), sessions.new_key()
    clock.now += KEY_SECONDS - 1
    assert sessions.open(early) is not None
    clock.now += 1
    assert sessions.open(late) is None


def test_of_many_keys_the_oldest_go() -> None:
    sessions = Sessions(Clock())
    keys = [sessions.new_key() for _ in range(MOST_KEYS + 1)]
    assert sessions.open(keys[0]) is None
    assert all(sessions.open(key) for key in keys[1:])


def test_of_many_sessions_that_goes_which_was_not_used_for_longest() -> None:
    sessions = Sessions(Clock())
    cookies = [sessions.begin() for _ in range(MOST_SESSIONS)]
    assert sessions.find([cookies[0]])
    another = sessions.begin()
    assert sessions.find([cookies[1]]) is None
    assert sessions.find([cookies[0]])
    assert sessions.find(["nonsense", "\udc80", "", another])


def test_each_session_has_a_token_of_its_own() -> None:
    sessions = Sessions(Clock())
    tokens = {sessions.find([sessions.begin()]) for _ in range(20)}
    assert len(tokens) == 20

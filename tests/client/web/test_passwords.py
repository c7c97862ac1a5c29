"""The password's file, and how often a password may be tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from pspc.errors import SetupError
from pspc.web.passwords import Attempts, is_equal, password_of
from tests.client.web.test_sessions import Clock


def _file(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "password"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("text", ["correct horse", "correct horse\n", "correct horse\r\nmore\n"])
def test_the_first_line_is_the_password(tmp_path: Path, text: str) -> None:
    assert password_of(_file(tmp_path, text)) == "correct horse"


def test_a_file_that_does_not_do_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="8 characters"):
        password_of(_file(tmp_path, "short\n"))
    with pytest.raises(SetupError, match="read by others"):
        password_of(_file(tmp_path, "correct horse", 0o644))
    with pytest.raises(SetupError, match="no file"):
        password_of(str(tmp_path / "none"))
    with pytest.raises(SetupError):
        password_of(str(tmp_path))


def test_passwords_are_compared() -> None:
    assert is_equal("pässword", "pässword")
    assert not is_equal("", "pässword")
    assert not is_equal("\udc80", "pässword")


def test_each_wrong_guess_doubles_the_wait_up_to_a_minute() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    waits = []
    for _ in range(9):
        assert attempts.seconds_to_wait("10.0.0.1") == 0.0
        attempts.note_failure("10.0.0.1")
        waits.append(attempts.seconds_to_wait("10.0.0.1"))
        clock.now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert attempts.seconds_to_wait("10.0.0.2") == 0.0
    attempts.note_success("10.0.0.1")
    assert attempts.seconds_to_wait("10.0.0.1") == 0.0


def test_wrong_guesses_are_forgotten_in_time() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(6):
        attempts.note_failure("10.0.0.1")
    clock.now += 3600
    attempts.note_failure("10.0.0.1")
    assert attempts.seconds_to_wait("10.0.0.1") == 1.0


def test_a_household_of_ipv6_is_one_address() -> None:
    attempts = Attempts(Clock())
    attempts.note_failure("2001:db8::1")
    assert attempts.seconds_to_wait("2001:db8::ffff") > 0
    assert attempts.seconds_to_wait("2001:db8:0:1::1") == 0.0


def test_no_more_addresses_are_remembered_than_there_is_room_for() -> None:
    attempts = Attempts(Clock())
    for number in range(2000):
        attempts.note_failure(f"10.0.{number // 256}.{number % 256}")
    assert len(attempts._failures) == 1000

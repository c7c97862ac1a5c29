"""Keys of files: only what was given out comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspc.web.file_keys import FileKeys, decoded, encoded
from pspc.web.refusals import RefusedError

KEYS = FileKeys()


@given(st.binary(min_size=1, max_size=300))
def test_a_path_comes_back_by_its_key(path: bytes) -> None:
    assert KEYS.path(KEYS.key(path)) == path


@given(st.binary(min_size=1, max_size=50), st.integers(0, 10_000), st.integers(1, 255))
def test_a_key_that_was_altered_is_refused(path: bytes, place: int, change: int) -> None:
    data = bytearray(decoded(KEYS.key(path)))
    data[place % len(data)] ^= change
    with pytest.raises(RefusedError):
        KEYS.path(encoded(bytes(data)))


@given(st.text(max_size=100))
def test_what_was_never_given_out_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        KEYS.path(text)


def test_a_key_of_another_gateway_is_refused() -> None:
    with pytest.raises(RefusedError):
        KEYS.path(FileKeys().key(b"/etc/passwd"))


def test_the_mark_alone_names_no_file() -> None:
    with pytest.raises(RefusedError):
        KEYS.path(encoded(KEYS._mark(b"")))

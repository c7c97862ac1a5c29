"""Text of strangers, made fit to show."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from pspd.rpc.wire import printable, quoted
from pspd.workers import replies


@given(st.one_of(st.text(), st.binary()))
def test_shown_text_has_nothing_that_cannot_be_seen_and_stays_so(text: str | bytes) -> None:
    shown = printable(text)
    assert all(char.isprintable() or char in "\u3000\u00a0" for char in shown)
    assert printable(shown) == shown
    assert shown.encode()[:0] == b""
    assert quoted(text) == f"'{shown}'"


@given(st.text().filter(str.isprintable))
def test_text_that_can_be_seen_is_shown_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(st.binary())
def test_bytes_and_their_decoded_form_are_shown_alike(name: bytes) -> None:
    assert printable(name) == printable(os.fsdecode(name))


@given(st.text(st.characters(exclude_categories=()), max_size=2000))
def test_what_a_worker_says_is_short_and_one_line(text: str) -> None:
    shown = replies.printable(text)
    assert len(shown) <= 300
    assert shown.isprintable()
    assert shown == shown.strip()

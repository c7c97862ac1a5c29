"""Text for people and for pipes."""

from __future__ import annotations

import os
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspc import render
from pspd.rpc import wire
from pspd.rpc.wire import printable
from tests.rpc import samples


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (b"/plain.jpg", "/plain.jpg"),
        ("/图片/日本\u3000語 é.jpg".encode(), "/图片/日本\u3000語 é.jpg"),
        (b"/caf\xe9.jpg", r"/caf\xe9.jpg"),
        (b"/\x1b]0;title\x07.jpg", r"/\x1b]0;title\x07.jpg"),
        ("/\u202egpj.exe".encode(), r"/\u202egpj.exe"),
        (b"/two\nlines\r\t", r"/two\nlines\r\t"),
        (b"/c1\xc2\x9b31m", r"/c1\u009b31m"),
        ("/line\u2028separator\U000e0001", None),
        (os.fsdecode(b"/caf\xe9.jpg"), r"/caf\xe9.jpg"),
    ],
)
def test_a_path_cannot_harm_a_terminal(path: bytes | str, shown: str | None) -> None:
    text = printable(path)
    if shown is not None:
        assert text == shown
    assert all(character.isprintable() or character == "\u3000" for character in text)


@given(st.binary())
def test_no_bytes_at_all_can_harm_a_terminal(path: bytes) -> None:
    text = printable(path)
    assert all(character.isprintable() or character in "\u3000\u00a0" for character in text)


@given(st.binary())
def test_the_bytes_of_a_path_can_be_had_back_from_a_field(path: bytes) -> None:
    text = render.field(path)
    assert not set(text) & set("\t\n\r\0\x1b")
    plain = {b"t": b"\t", b"n": b"\n", b"\\": b"\\"}
    back = re.sub(
        rb"\\(?:x(..)|(.))",
        lambda found: bytes.fromhex(found[1].decode()) if found[1] else plain[found[2]],
        text.encode(),
    )
    assert back == path


def test_a_search_line_has_the_documented_columns() -> None:
    line = render.search_line(samples.HIT)
    assert line == "copy\t6\trotate_90\t1920\t1080\t345678\tJPEG\t/home/ann/Pictures/caf\\xe9.jpg"
    assert len(line.split("\t")) == len(render.SEARCH_COLUMNS)


def test_a_table_aligns_its_columns() -> None:
    text = render.table(
        ("a", "long name", "path"), [("100", "x", "/p"), ("1", "yy", "")], right=(0,)
    )
    assert text.split("\n") == ["  a  long name  path", "100  x          /p", "  1  yy"]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 << 40, "5.0 TiB")]
)
def test_sizes_are_told_in_binary_units(size: int, text: str) -> None:
    assert render.human_bytes(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (247, "4:07"), (3723, "1:02:03")])
def test_durations_are_told_as_on_a_clock(seconds: float, text: str) -> None:
    assert render.human_duration(seconds) == text


def test_freshness_says_what_is_missing() -> None:
    notes = render.freshness_notes(samples.FRESHNESS)
    assert notes[0] == "37 files are still pending; results may be incomplete"
    assert "1 watch root is still being scanned" in notes[1]
    assert "/media/usb is unavailable" in notes[2]
    assert "1 candidate could not be compared" in notes[3]


def test_a_paused_root_is_named_with_the_way_on_and_not_as_one_that_is_away() -> None:
    roots = [b"/home/ann/My Pictures", b"/media/usb"]
    fresh = wire.Freshness(1, 0, 0, unavailable_roots=roots, paused_roots=roots[:1])
    away, paused = render.freshness_notes(fresh)
    assert away.startswith("/media/usb is unavailable")
    assert paused.startswith("/home/ann/My Pictures is paused; its files are answered for as")
    assert paused.endswith("to go on: pspc resume '/home/ann/My Pictures'")
    assert not render.is_complete(fresh)


def test_a_complete_index_needs_no_notes() -> None:
    fresh = wire.Freshness(indexed=1, pending=0, failed=1)
    assert render.freshness_notes(fresh) == []
    assert render.is_complete(fresh)


def test_a_field_has_no_controls_of_either_range() -> None:
    assert render.field("a\x9b2J\x85\x7f".encode()) == r"a\xc2\x9b2J\xc2\x85\x7f"


def test_a_proof_says_where_the_query_lies() -> None:
    hit = msgspec.structs.replace(samples.HIT, proof=samples.PROOF)
    assert render.place_line(samples.PROOF) == "4% of it, at 100,50,320,240; gray"
    assert render.search_table([hit]).split("\n")[-1].strip() == render.place_line(samples.PROOF)
    in_query = msgspec.structs.replace(
        samples.PROOF,
        indexed_share=1.0,
        query_share=0.25,
        query_quadrilateral=[(10.2, 20.0), (90.0, 19.6), (90.0, 60.0), (9.8, 60.0)],
        colour="",
    )
    assert render.place_line(in_query) == "25% of the query, at 10,20,80,40"


def test_a_copy_of_all_of_it_has_no_line_of_its_own() -> None:
    whole = msgspec.structs.replace(samples.PROOF, indexed_share=1.0, colour="")
    hit = msgspec.structs.replace(samples.HIT, proof=whole)
    assert render.place_line(whole) == ""
    assert len(render.search_table([hit]).split("\n")) == 2


@pytest.mark.parametrize(
    ("turned", "text"),
    [
        ({"angle": 0.2}, ""),
        ({"angle": 90.4}, "90°"),
        ({"angle": 359.8, "mirrored": True}, "mirrored"),
    ],
)
def test_a_proof_says_how_the_query_is_turned(turned: dict[str, float], text: str) -> None:
    proof = msgspec.structs.replace(samples.PROOF, **turned)
    hit = msgspec.structs.replace(samples.HIT, proof=proof)
    row = render.search_table([hit]).split("\n")[1]
    assert row.split()[2:-5] == text.split()


def test_a_search_that_was_cut_short_says_so() -> None:
    freshness = wire.Freshness(
        indexed=9, pending=0, failed=0, model="m", described=1, describable=9, cut="3 proofs"
    )
    first, second = render.freshness_notes(freshness)
    assert first.startswith("learned descriptors for 1 of 9 pictures")
    assert second == "cut short: 3 proofs; a larger --budget finds more"

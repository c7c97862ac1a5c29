"""A group without other shots: what is left are copies, and no copy by its bytes is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pspc.deciding.choosing import Choice
from pspc.deciding.metadata import Taken
from pspc.deciding.parting import MOST_QUESTIONS, Parting
from pspc.deciding.shots import Shots
from pspd.rpc import wire
from tests.client.deciding.groups import file, hit
from tests.client.deciding.test_proposing import pages

Files = Sequence[wire.GroupFile]


def nothing(_file: wire.GroupFile) -> Mapping[bytes, wire.Hit]:
    return {}


def second_of(path: bytes) -> Taken | None:
    """Read the second from a made-up name: `/17/IMG_1.jpg` was taken in second 17."""
    second = path.split(b"/")[1]
    return Taken(second, frozenset()) if second else None


def names(parts: Sequence[Files]) -> list[list[str]]:
    return [[each.path.decode() for each in part] for part in parts]


def parting(*known: tuple[wire.GroupFile, str], asked: list[bytes] | None = None) -> Parting:
    """Part by dates in names, where a search tells what is known."""

    def hits(query: wire.GroupFile) -> Mapping[bytes, wire.Hit]:
        if asked is not None:
            asked.append(query.path)
        return {each.path: hit(each, verdict) for each, verdict in known if each is not query}

    return Parting(Shots(second_of), hits)


def test_a_pair_and_a_burst_are_no_groups() -> None:
    pair = [file("//IMG_1.jpg", "best"), file("//IMG_1.CR2")]
    burst = [file("/1/a.jpg", "best"), *(file(f"/{second}/a.jpg") for second in range(2, 9))]
    for files in (pair, burst):
        assert parting().parts(files) == []
        small = file("/1/small.jpg", width=320)
        assert parting().parts([*files, small]) == [[files[0], small]]


def test_two_equal_pairs_are_two_groups() -> None:
    files = [
        file("//a/IMG_1.CR2", "best", "raw", size=9000),
        file("//b/IMG_1.CR2", "same_file", "raw", size=9000),
        file("//a/IMG_1.JPG", image="jpeg"),
        file("//b/IMG_1.JPG", image="jpeg"),
        file("//c/mine.JPG", image="jpeg"),
    ]
    raw, jpeg = parting().parts(files)
    assert names([raw, jpeg]) == [
        ["//a/IMG_1.CR2", "//b/IMG_1.CR2"],
        ["//a/IMG_1.JPG", "//b/IMG_1.JPG", "//c/mine.JPG"],
    ]
    assert [each.verdict for each in jpeg] == ["best", "same_file", "same_file"]


def test_copies_of_another_shot_are_asked_for_and_stand_with_it() -> None:
    best, other = file("/1/a.jpg", "best"), file("/2/b.jpg", size=900)
    saved = file("/2/b-saved.jpg", size=800)
    asked: list[bytes] = []
    [part] = parting((saved, "copy"), asked=asked).parts([best, other, saved])
    assert names([part]) == [["/2/b.jpg", "/2/b-saved.jpg"]]
    assert [(each.verdict, each.distance, each.turn) for each in part] == [
        ("best", 0, "none"),
        ("copy", 7, "rotate_90"),
    ]
    assert asked == [b"/2/b.jpg"]
    assert parting((saved, "alike")).parts([best, other, saved]) == []
    # It has changed since it was listed.
    assert parting((replace(saved, image="new"), "copy")).parts([best, other, saved]) == []


def test_equal_pixels_without_a_date_stand_with_the_shot_that_has_them() -> None:
    best, other, undated = file("/1/a.jpg", "best"), file("/2/b.jpg"), file("//b.png")
    files = [best, other, undated]
    assert names(parting((undated, "same_pixels")).parts(files)) == [["/2/b.jpg", "//b.png"]]
    # A copy of both shots stays where the daemon has put it.
    assert names(parting((undated, "copy")).parts(files)) == [["/1/a.jpg", "//b.png"]]


def test_nobody_is_asked_where_no_two_can_be_one_shot() -> None:
    asked: list[bytes] = []
    frames = [file("/0/a", "best"), *(file(f"/{second}/a") for second in range(1, 2000))]
    assert parting(asked=asked).parts(frames) == []
    assert asked == []
    many = [file("/0/a", "best"), *(file(f"/1/{number}") for number in range(100))]
    assert parting(asked=asked).parts(many) == []
    assert len(asked) == MOST_QUESTIONS


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[wire.GroupFile], dict[frozenset[str], str]]:
    """Draw a group, and what its contents are to one another."""
    count = draw(st.integers(2, 7))
    files: list[wire.GroupFile] = []
    for number in range(count):
        width = draw(st.sampled_from([320, 640]))
        size = draw(st.integers(1, 3))
        verdict = draw(st.sampled_from(["copy", "same_pixels"])) if number else "best"
        for copy in range(draw(st.integers(1, 2))):
            second = draw(st.sampled_from(["", "1", "2"])) if not copy else "9"
            suffix = draw(st.sampled_from(["jpg", "png", "CR2"])) if not copy else "bak"
            path = f"/{second}/{copy}/IMG_{draw(st.integers(0, 2))}-{number}.{suffix}"
            path = path.replace(f"-{number}", draw(st.sampled_from(["", f"-{number}"])))
            if any(each.path == path.encode() for each in files):
                path += f".{number}"
            told = verdict if not copy or number else "same_file"
            files.append(file(path, told, str(number), width=width, size=size))
    related = {
        frozenset((str(one), str(other))): draw(st.sampled_from(["copy", "same_pixels", "alike"]))
        for one in range(count)
        for other in range(one)
    }
    for each in files[1:]:
        if each.image != "0":
            related[frozenset(("0", each.image))] = each.verdict
    return files, related


@given(groups())
def test_whatever_a_group_is_its_parts_are_copies_and_nothing_equal_is_lost(
    drawn: tuple[list[wire.GroupFile], dict[frozenset[str], str]],
) -> None:
    files, related = drawn

    def hits(query: wire.GroupFile) -> Mapping[bytes, wire.Hit]:
        found = {}
        for each in files:
            verdict = related.get(frozenset((query.image, each.image)), "same_file")
            found[each.path] = hit(each, verdict)
        return found

    shots = Shots(second_of)
    parts = Parting(shots, hits).parts(files)
    listed = [each.path for part in parts for each in part]
    assert len(listed) == len(set(listed))
    assert set(listed) <= {each.path for each in files}
    for part in parts:
        best, *others = part
        assert (best.verdict, len(part) > 1) == ("best", True)
        for each in others:
            verdict = related.get(frozenset((best.image, each.image)), "same_file")
            assert each.verdict == verdict
            these = [one for one in files if one.image == best.image]
            those = [one for one in files if one.image == each.image]
            assert not shots.are_apart(these, those, verdict)
        # Parted once more it is what it is.
        assert Parting(shots, hits).parts(part) == [part]
    for one, other in pairwise(sorted(files, key=lambda each: each.image)):
        if one.image == other.image:
            together = [part for part in parts if {one.path, other.path} & {x.path for x in part}]
            assert len(together) == 1
            assert {one.path, other.path} <= {each.path for each in together[0]}


def test_what_a_listing_says_of_all_agrees_with_what_it_lists() -> None:
    pair = [file("//IMG_1.jpg", "best"), file("//IMG_1.CR2")]
    plain = [file("/a", "best"), file("/b", width=320)]
    listed = pages(wire.Group(pair, 1000, 2), wire.Group(plain, 1000, 2))
    listed = [replace(page, total=2, waste=2000) for page in listed]
    choice = Choice("copy", None, parting().parts)
    replies = list(choice.pages(listed))
    assert [len(reply.groups) for reply in replies] == [0, 1]
    assert (replies[-1].total, replies[-1].waste, choice.left_out) == (1, 1000, 2)
    # Of files with the same bytes none is left out, and none is looked at.
    same = Choice("same_file", None, parting().parts)
    assert [len(reply.groups) for reply in same.pages(listed)] == [0, 0]
    assert same.left_out == 0
    everything = Choice("copy")
    assert sum(len(reply.groups) for reply in everything.pages(listed)) == 2


def test_who_asks_for_less_is_told_only_of_what_that_leaves_out() -> None:
    files = [file("/1/a.jpg", "best"), file("/2/a.jpg"), file("/1/a.png", "same_pixels")]
    [page] = pages(wire.Group(files, 2000, 3))
    sure = Choice("same_pixels", None, parting().parts)
    [reply] = sure.pages([page])
    assert names([group.files for group in reply.groups]) == [["/1/a.jpg", "/1/a.png"]]
    assert sure.left_out == 0

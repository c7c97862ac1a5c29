"""Which files and directories of a root are looked at."""

from __future__ import annotations

from pspd.core.globs import PathFilter
from pspd.core.model import RootId, WatchRoot


def path_filter(
    *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = (), hidden: bool = False
) -> PathFilter:
    return PathFilter.of(WatchRoot(RootId(1), "/r", include, exclude, hidden))


def test_without_globs_everything_but_hidden_names_belongs() -> None:
    everything = path_filter()

    assert everything.has_file("a/b", "c.txt")
    assert not everything.has_file("", ".c.jpg")
    assert not everything.has_directory("", ".git")
    assert path_filter(hidden=True).has_file("", ".c.jpg")


def test_a_glob_without_a_slash_is_about_names_at_any_depth() -> None:
    only_jpg = path_filter(include=("*.jpg",))

    assert only_jpg.has_file("", "a.jpg")
    assert only_jpg.has_file("a/b", "c.jpg")
    assert not only_jpg.has_file("a.jpg", "c.png")


def test_a_glob_with_a_slash_is_about_the_path_below_the_root() -> None:
    raw = path_filter(exclude=("raw/*",))

    assert not raw.has_file("raw", "a.dng")
    assert not raw.has_file("raw/2024", "a.dng")
    assert raw.has_file("x/raw", "a.dng")


def test_an_excluded_directory_is_not_entered_and_exclusion_wins() -> None:
    cache = path_filter(include=("*",), exclude=("cache", "old/"))

    assert not cache.has_directory("a", "cache")
    assert not cache.has_directory("", "old")
    assert cache.has_directory("", "cached")


def test_includes_do_not_keep_directories_out() -> None:
    assert path_filter(include=("*.jpg",)).has_directory("", "holiday")


def test_case_newlines_and_bytes_that_are_no_text_are_matched_as_they_are() -> None:
    assert not path_filter(include=("*.jpg",)).has_file("", "a.JPG")
    assert path_filter(include=("a*",)).has_file("", "a\n\udcff.jpg")
    assert not path_filter(include=("[a-c]?.jpg",)).has_file("", "d1.jpg")


def test_a_glob_of_any_letter_is_about_letters_of_names() -> None:
    short = path_filter(exclude=("??",))
    assert short.has_file("", "a")
    assert not short.has_file("", "ab")
    assert short.has_file("ab", "abc")
    others = path_filter(exclude=("[!a]*",))
    assert others.has_file("b", "a.jpg")
    assert not others.has_file("a", "b.jpg")

"""What is kept of encoded pictures: the last ones, up to a number of bytes."""

from __future__ import annotations

from pspd.details import Detail
from pspd.kept_pictures import KeptPictures


def test_those_not_used_for_longest_go_first() -> None:
    kept: KeptPictures[str, Detail] = KeptPictures(25_000)
    details = {name: Detail(name.encode() * 9_000, 1, 1) for name in "abc"}
    kept.put("a", details["a"])
    kept.put("b", details["b"])
    assert kept.get("a") == details["a"]
    kept.put("c", details["c"])
    assert kept.get("b") is None
    assert (kept.get("a"), kept.get("c")) == (details["a"], details["c"])


def test_one_that_is_kept_again_is_counted_once() -> None:
    kept: KeptPictures[str, Detail] = KeptPictures(25_000)
    for name in ("a", "b", *"aaaaaa"):
        kept.put(name, Detail(name.encode() * 9_000, 1, 1))
    assert kept.get("b") is not None


def test_one_that_is_too_large_is_not_kept_and_costs_nothing_later() -> None:
    kept: KeptPictures[str, Detail] = KeptPictures(25_000)
    kept.put("a", Detail(bytes(30_000), 1, 1))
    assert kept.get("a") is None
    kept.put("b", Detail(bytes(20_000), 1, 1))
    assert kept.get("b") is not None

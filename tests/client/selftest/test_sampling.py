"""Pictures are drawn fairly, and what is no picture or not readable is passed over."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from random import Random

from pspc.selftest.sampling import draw


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def drawn(folder: Path, count: int, seed: int = 0) -> list[str]:
    samples = draw([os.fsencode(folder)], count, Random(seed))
    return [os.fsdecode(sample.data) for sample in samples]


def test_pictures_of_all_folders_are_drawn_once(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "b.PNG", "c/d/e.webp", "c/text.txt", "c/x.jpg.part")
    assert sorted(drawn(tmp_path, 10)) == ["a.jpg", "b.PNG", "c/d/e.webp"]


def test_hidden_names_links_and_what_is_gone_are_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", ".hidden.jpg", ".hidden/b.jpg", "empty.jpg")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "fifo.jpg")
    assert drawn(tmp_path, 10) == ["a.jpg"]
    assert drawn(tmp_path / "nowhere", 10) == []


def test_names_that_are_no_text_are_drawn(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\n.jpg"
    with open(path, "wb") as file:
        file.write(b"x")
    (sample,) = draw([os.fsencode(tmp_path)], 1, Random(0))
    assert sample.path == path


def test_the_seed_decides_the_order(tmp_path: Path) -> None:
    make(tmp_path, *(f"{number}.jpg" for number in range(50)))
    assert drawn(tmp_path, 5, seed=1) == drawn(tmp_path, 5, seed=1)
    assert drawn(tmp_path, 5, seed=1) != drawn(tmp_path, 5, seed=2)


def test_of_more_than_are_kept_each_has_the_same_chance(tmp_path: Path) -> None:
    make(tmp_path, *(f"{number}.jpg" for number in range(208)))
    counts: Counter[str] = Counter()
    for seed in range(60):
        kept = drawn(tmp_path, 1, seed)
        assert len(kept) == len(set(kept)) == 104
        counts.update(kept)
    # Half of 60 each, by a binomial distribution whose deviation is 3.9.
    assert len(counts) == 208
    assert 8 < min(counts.values()) <= max(counts.values()) < 52

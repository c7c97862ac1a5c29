"""What a person has told apart is kept, through all that happens to its file."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspd.core.model import ImageId
from pspd.distinctions import MOST_IMAGES, NAME, Distinctions, Pair
from pspd.errors import RequestError, StoreError

WHEN = "2026-12-01T10:00:00Z"


def image(number: int) -> ImageId:
    return ImageId(number.to_bytes(32))


def told(distinctions: Distinctions) -> set[Pair]:
    return {pair for pair, _ in distinctions.pairs()}


def test_each_is_told_apart_from_each_and_the_next_daemon_knows(tmp_path: Path) -> None:
    distinctions = Distinctions(tmp_path)
    assert distinctions.mark([image(3), image(1), image(2)], WHEN) == 3
    assert distinctions.mark([image(2), image(1)], "2027-01-01T00:00:00Z") == 0
    expected = {Pair(image(a), image(b)) for a, b in combinations((1, 2, 3), 2)}
    assert told(distinctions) == expected
    again = Distinctions(tmp_path)
    assert again.pairs() == distinctions.pairs()
    assert {when for _, when in again.pairs()} == {WHEN}
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def test_of_one_all_is_forgotten_and_of_two_what_is_between_them(tmp_path: Path) -> None:
    distinctions = Distinctions(tmp_path)
    distinctions.mark([image(1), image(2), image(3)], WHEN)
    assert distinctions.forget([image(1), image(3)]) == 1
    assert told(distinctions) == {Pair(image(1), image(2)), Pair(image(2), image(3))}
    assert distinctions.forget([image(9)]) == 0
    assert distinctions.forget([image(2)]) == 2
    assert told(Distinctions(tmp_path)) == set()


def test_each_change_has_another_version(tmp_path: Path) -> None:
    distinctions = Distinctions(tmp_path)
    versions = [distinctions.version]
    distinctions.mark([image(1), image(2)], WHEN)
    versions.append(distinctions.version)
    distinctions.mark([image(1), image(2)], WHEN)
    assert distinctions.version == versions[-1]
    distinctions.forget([image(1)])
    versions.append(distinctions.version)
    assert len(set(versions)) == 3


@pytest.mark.parametrize("images", [[], [image(1)], [image(1), image(1)]])
def test_fewer_than_two_cannot_be_told_apart(tmp_path: Path, images: list[ImageId]) -> None:
    with pytest.raises(RequestError, match="two pictures"):
        Distinctions(tmp_path).mark(images, WHEN)


def test_too_many_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="at most"):
        Distinctions(tmp_path).mark([image(each) for each in range(MOST_IMAGES + 1)], WHEN)


def test_lines_that_cannot_be_read_are_kept(tmp_path: Path) -> None:
    distinctions = Distinctions(tmp_path)
    distinctions.mark([image(1), image(2)], WHEN)
    path = tmp_path / NAME
    strange = b'{"first":"zz"}\n\xff a note of a person\n'
    path.write_bytes(path.read_bytes() + strange)
    again = Distinctions(tmp_path)
    assert told(again) == {Pair(image(1), image(2))}
    again.mark([image(3), image(4)], WHEN)
    assert path.read_bytes().endswith(strange)
    assert told(Distinctions(tmp_path)) == {Pair(image(1), image(2)), Pair(image(3), image(4))}


def test_a_file_without_its_head_is_read_all_the_same(tmp_path: Path) -> None:
    Distinctions(tmp_path).mark([image(1), image(2)], WHEN)
    path = tmp_path / NAME
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    assert told(Distinctions(tmp_path)) == {Pair(image(1), image(2))}


def test_a_file_of_a_newer_version_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b'{"psp_distinct": 99}\n{"what": "ever"}\n')
    before = path.read_bytes()
    distinctions = Distinctions(tmp_path)
    for refused in (
        distinctions.require_known,
        lambda: distinctions.mark([image(1), image(2)], WHEN),
    ):
        with pytest.raises(StoreError, match="newer version"):
            refused()
    assert path.read_bytes() == before
    assert distinctions.pairs() == []


def test_what_cannot_be_written_is_not_said(tmp_path: Path) -> None:
    distinctions = Distinctions(tmp_path)
    distinctions.mark([image(1), image(2)], WHEN)
    before = (tmp_path / NAME).read_bytes()
    # Root may write into any folder, and into no file that is a folder.
    (tmp_path / f"{NAME}.new").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        distinctions.mark([image(3), image(4)], WHEN)
    assert told(distinctions) == {Pair(image(1), image(2))}
    assert (tmp_path / NAME).read_bytes() == before


@given(data=st.binary(max_size=400))
def test_any_bytes_can_lie_there(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("state")
    (folder / NAME).write_bytes(data)
    for first, second in told(Distinctions(folder)):
        assert len(first) == len(second) == 32

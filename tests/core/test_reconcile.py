"""Stamps seen and records known in, changes out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pspd.core.model import DirectoryId, FileKey, FileRecord, FileStamp, FileState
from pspd.core.reconcile import (
    COARSE_GRAIN_NS,
    FINE_GRAIN_NS,
    Added,
    Change,
    Modified,
    Moved,
    Removed,
    Suspect,
    match_moves,
    racy_for,
    reconcile,
)

SECOND = 1_000_000_000

keys = st.builds(FileKey, st.integers(1, 3).map(DirectoryId), st.sampled_from(["a", "b", "c", "d"]))
stamps = st.builds(
    FileStamp,
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(1, 3),
    st.just(1),
)
records = st.builds(FileRecord, stamps, st.sampled_from(FileState), st.booleans())


def key(name: str, directory: int = 1) -> FileKey:
    return FileKey(DirectoryId(directory), name)


def stamp(inode: int, *, size: int = 5, mtime: int = 7, ctime: int = 7) -> FileStamp:
    return FileStamp(size, mtime, ctime, inode, 1)


def indexed(of: FileStamp, *, racy: bool = False) -> FileRecord:
    return FileRecord(of, FileState.INDEXED, racy)


def compare(seen: dict[FileKey, FileStamp], known: dict[FileKey, FileRecord]) -> list[Change]:
    """Compare one directory after another."""
    changes: list[Change] = []
    for directory in {each.directory for each in (*seen, *known)}:
        changes += reconcile(
            directory,
            {each.name: what for each, what in seen.items() if each.directory == directory},
            {
                each.name: (record.stamp, record.racy)
                for each, record in known.items()
                if each.directory == directory
            },
        )
    return changes


def test_an_equal_stamp_is_no_change() -> None:
    assert compare({key("a"): stamp(1)}, {key("a"): indexed(stamp(1))}) == []


def test_what_is_new_comes_in_the_order_of_its_name() -> None:
    names = ["b", "c", "a"]
    seen = {key(name): stamp(inode) for inode, name in enumerate(names)}
    assert [change.key.name for change in compare(seen, {})] == sorted(names)


def test_every_field_of_the_stamp_counts() -> None:
    base = stamp(1)
    others = [
        FileStamp(6, 7, 7, 1, 1),
        FileStamp(5, 8, 7, 1, 1),
        FileStamp(5, 7, 8, 1, 1),
        FileStamp(5, 7, 7, 2, 1),
        FileStamp(5, 7, 8, 1, 2),
    ]
    for other in others:
        assert compare({key("a"): other}, {key("a"): indexed(base)}) == [Modified(key("a"), other)]


def test_a_drive_that_is_plugged_in_elsewhere_answers_until_it_is_read_again() -> None:
    moved = FileStamp(5, 7, 7, 1, 2)
    assert compare({key("a"): moved}, {key("a"): indexed(stamp(1))}) == [Suspect(key("a"), moved)]


def test_an_equal_stamp_of_a_racy_record_is_suspect() -> None:
    assert compare({key("a"): stamp(1)}, {key("a"): indexed(stamp(1), racy=True)}) == [
        Suspect(key("a"), stamp(1))
    ]


@given(st.dictionaries(keys, stamps), st.dictionaries(keys, records))
def test_applying_the_changes_makes_the_known_equal_the_seen(
    seen: dict[FileKey, FileStamp], known: dict[FileKey, FileRecord]
) -> None:
    result = {each: record.stamp for each, record in known.items()}
    for change in match_moves(compare(seen, known)):
        match change:
            case Added(where, what) | Modified(where, what) | Suspect(where, what):
                result[where] = what
            case Moved(old, where, what, _):
                del result[old]
                result[where] = what
            case Removed(where):
                del result[where]

    assert result == seen


def test_a_rename_is_a_move_although_it_changes_the_status_time() -> None:
    changes: list[Change] = [
        Removed(key("a"), stamp(1, ctime=7)),
        Added(key("b", 2), stamp(1, ctime=9)),
    ]

    assert match_moves(changes) == [
        Moved(key("a"), key("b", 2), stamp(1, ctime=9), stamp(1, ctime=7))
    ]


def test_an_inode_used_again_for_other_content_is_not_a_move() -> None:
    changes: list[Change] = [Removed(key("a"), stamp(1, size=5)), Added(key("b"), stamp(1, size=6))]

    assert match_moves(changes) == changes


def test_of_two_new_hard_links_only_one_is_the_move() -> None:
    changes: list[Change] = [
        Removed(key("a"), stamp(1)),
        Added(key("b"), stamp(1)),
        Added(key("c"), stamp(1)),
    ]

    kinds = [type(change) for change in match_moves(changes)]

    assert sorted(kind.__name__ for kind in kinds) == ["Added", "Moved"]


def test_a_file_changed_just_now_is_racy_until_the_clock_has_ticked() -> None:
    just_now = stamp(1, ctime=10 * SECOND + 5)

    assert racy_for(just_now, 10 * SECOND + 5) == FINE_GRAIN_NS
    assert racy_for(just_now, 10 * SECOND + 5 + FINE_GRAIN_NS) == 0


def test_a_time_of_whole_seconds_is_racy_for_as_long_as_the_coarsest_file_system_needs() -> None:
    coarse = stamp(1, ctime=10 * SECOND)

    assert racy_for(coarse, 10 * SECOND + 1) == COARSE_GRAIN_NS - 1


def test_a_modification_time_that_somebody_set_does_not_make_a_file_racy() -> None:
    assert racy_for(stamp(1, mtime=99 * SECOND, ctime=5 * SECOND + 1), 10 * SECOND) == 0

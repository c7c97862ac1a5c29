"""What is done to pictures, and taken back: to the last byte, name, time and permission."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pspc.deciding import files, journal, undoing
from pspc.deciding.acting import carry_out, check, refuse_aliases
from pspc.deciding.files import ActError, move
from pspc.deciding.journal import JournalError, last_journal, new_journal
from pspc.deciding.plans import Do, PlanError
from pspc.deciding.trash import trash_of
from tests.client.deciding.folders import Place, line


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def undo(place: Place) -> list[str]:
    """Take back the last run; returns what could not be."""
    failures = []
    with last_journal(place.environ) as acts:
        assert acts is not None
        for entry in reversed(journal.waiting_entries(acts.path)):
            try:
                undoing.take_back(entry, acts)
            except ActError as error:
                failures.append(str(error))
    return failures


def test_a_file_goes_to_the_trash_and_comes_back_as_it_was(place: Place) -> None:
    kept, copy = place.make("kept.jpg", b"large"), place.make("phone/copy.jpg", b"copy")
    before = place.everything()
    with new_journal(place.environ) as acts:
        carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    assert os.fsdecode(copy) not in place.everything()
    assert place.trashed() == ["files/copy.jpg", "info/copy.jpg.trashinfo"]
    info = (place.folder / "data/Trash/info/copy.jpg.trashinfo").read_text()
    assert f"Path={os.fsdecode(copy)}\n" in info
    assert undo(place) == []
    assert place.everything() == before
    assert place.trashed() == []
    with last_journal(place.environ) as acts:
        assert acts is None, "there is nothing more to take back"


def test_names_that_are_taken_in_the_trash_are_left(place: Place) -> None:
    kept = place.make("kept", b"kept")
    copies = [place.make(f"{number}/a b\xff.jpg", bytes([number])) for number in range(3)]
    before = place.everything()
    with new_journal(place.environ) as acts:
        for copy in copies:
            carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    assert len(place.trashed()) == 6
    assert undo(place) == []
    assert place.everything() == before


def test_a_link_has_the_same_bytes_and_becomes_a_file_of_its_own_again(place: Place) -> None:
    kept, copy = place.make("kept.jpg", b"same"), place.make("copy.jpg", b"same")
    os.utime(copy, ns=(5 * 10**17, 5 * 10**17))
    before = place.everything()
    with new_journal(place.environ) as acts:
        carry_out(line(copy, "link"), [line(kept, "keep")], acts, place.environ)
        assert os.path.samefile(kept, copy)
        with pytest.raises(ActError, match="is linked to"):
            carry_out(line(copy, "link"), [line(kept, "keep")], acts, place.environ)
    assert undo(place) == []
    assert not os.path.samefile(kept, copy)
    assert place.everything() == before


def test_what_is_not_as_the_plan_says_is_left(place: Place, tmp_path: Path) -> None:
    kept, copy = place.make("kept", b"kept"), place.make("copy", b"copy")
    keep, step = line(kept, "keep"), line(copy, "trash")
    os.symlink(copy, tmp_path / "pictures" / "link")
    link = step._replace(path=os.fsencode(tmp_path / "pictures" / "link"))
    os.mkfifo(tmp_path / "pictures" / "fifo")
    fifo = step._replace(path=os.fsencode(tmp_path / "pictures" / "fifo"))
    gone = step._replace(path=copy + b"-gone")
    changed = step._replace(image="ab" * 32)
    for bad, others, words in (
        (gone, [keep], "cannot be read: No such file"),
        (link, [keep], "cannot be read"),
        (fifo, [keep], "is no regular file"),
        (changed, [keep], "has changed"),
        (step, [keep._replace(image="ab" * 32)], "has changed"),
        (step, [], "keeps nothing"),
        (step, [keep._replace(path=copy, image=step.image)], "is this one"),
        (step._replace(do="link"), [keep], "none that is kept has the same bytes"),
    ):
        with pytest.raises(ActError, match=words):
            check(bad, others, place.environ)
    before = place.everything()
    with new_journal(place.environ) as acts, pytest.raises(ActError):
        carry_out(changed, [keep], acts, place.environ)
    assert place.everything() == before
    assert journal.entries(acts.path) == []


def test_every_file_that_is_kept_has_to_be_as_the_plan_says(place: Place) -> None:
    best, small = place.make("best", b"best"), place.make("small", b"small")
    twin = place.make("twin", b"best")
    kept = [line(best, "keep"), line(small, "keep")]
    check(line(twin, "trash"), kept, place.environ)
    os.unlink(best)
    with pytest.raises(ActError, match="cannot be read"):
        check(line(twin, "trash"), kept, place.environ)


def test_what_lies_in_a_trash_is_no_reason_to_throw_another_away(place: Place) -> None:
    copy = place.make("copy", b"copy")
    for name in (".Trash-1000/files/kept", ".Trash/1000/files/kept"):
        with pytest.raises(ActError, match="is in a trash"):
            check(line(copy, "trash"), [line(place.make(name, b"kept"), "keep")], place.environ)
    home = place.folder / "data" / "Trash" / "files"
    home.mkdir(parents=True)
    (home / "kept").write_bytes(b"kept")
    with pytest.raises(ActError, match="is in a trash"):
        check(line(copy, "trash"), [line(os.fsencode(home / "kept"), "keep")], place.environ)


def test_one_file_by_two_paths_is_refused(place: Place, tmp_path: Path) -> None:
    kept, copy = place.make("kept", b"kept"), place.make("copy", b"copy")
    (tmp_path / "link").symlink_to(tmp_path / "pictures")
    alias = line(kept, "trash", 2)._replace(path=os.fsencode(tmp_path / "link" / "kept"))
    lines = [line(kept, "keep"), line(copy, "trash"), line(copy, "keep", 2), alias]
    with pytest.raises(PlanError, match="are one file"):
        refuse_aliases([lines[0], lines[1], alias])
    refuse_aliases(lines[:2])


@pytest.mark.parametrize("do", ["trash", "link"])
def test_a_file_that_is_replaced_at_the_last_moment_is_not_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch, do: Do
) -> None:
    kept, copy = place.make("kept", b"same"), place.make("copy", b"same")
    step, keep = line(copy, do), line(kept, "keep")
    original = files._renamed

    def late(source: bytes, target: bytes, flags: int) -> bool:
        # An editor saves: a new file comes under the old name, between the look and the act.
        monkeypatch.setattr(files, "_renamed", original)
        (place.folder / "new").write_bytes(b"edited")
        os.replace(place.folder / "new", copy)
        return original(source, target, flags)

    monkeypatch.setattr(files, "_renamed", late)
    with new_journal(place.environ) as acts, pytest.raises(ActError, match="has changed"):
        carry_out(step, [keep], acts, place.environ)
    with open(copy, "rb") as file:
        assert file.read() == b"edited"
    assert place.trashed() == []
    assert [entry.state for entry in journal.entries(acts.path)] == ["void"]


def test_what_is_kept_and_goes_at_the_last_moment_brings_the_copy_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, copy = place.make("kept", b"kept"), place.make("copy", b"copy")
    step, keep = line(copy, "trash"), line(kept, "keep")
    original = files._renamed

    def late(source: bytes, target: bytes, flags: int) -> bool:
        with suppress(FileNotFoundError):
            os.unlink(kept)
        return original(source, target, flags)

    monkeypatch.setattr(files, "_renamed", late)
    with new_journal(place.environ) as acts, pytest.raises(ActError, match="or what is kept"):
        carry_out(step, [keep], acts, place.environ)
    assert os.path.exists(copy)
    assert place.trashed() == []


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system has no such attributes")
def test_tags_are_not_lost_by_a_link(place: Place) -> None:
    kept, copy = place.make("kept", b"same"), place.make("copy", b"same")
    try:
        os.setxattr(copy, "user.xdg.tags", b"holiday")
    except OSError:
        pytest.skip("this file system has no such attributes")
    with pytest.raises(ActError, match="tags or access lists differ"):
        check(line(copy, "link"), [line(kept, "keep")], place.environ)


def test_a_journal_goes_on_behind_a_torn_line(place: Place) -> None:
    kept, copy = place.make("kept", b"kept"), place.make("copy", b"copy")
    before = place.everything()
    with new_journal(place.environ) as acts:
        carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    with open(acts.path, "ab") as file:
        file.write(b'{"act": 2, "do": "tra')
    assert undo(place) == []
    assert place.everything() == before
    with last_journal(place.environ) as again:
        assert again is None


def test_a_journal_that_cannot_be_written_stops_everything(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, copy = place.make("kept", b"kept"), place.make("copy", b"copy")
    before = place.everything()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with new_journal(place.environ) as acts:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(JournalError, match="No space left on device; what was done"):
            carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    assert place.everything() == before
    assert journal.entries(acts.path) == []


def test_one_that_is_lost_does_not_hold_up_those_before(place: Place) -> None:
    kept = place.make("kept", b"kept")
    first, second = place.make("first", b"1"), place.make("second", b"2")
    for copy in (first, second):
        with new_journal(place.environ) as acts:
            carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    (place.folder / "data/Trash/files/second").unlink()
    assert "not in the trash any more" in undo(place)[0]
    assert undo(place) == []
    assert os.path.exists(first)


def test_one_that_cannot_be_taken_back_now_holds_up_none_and_is_tried_again(place: Place) -> None:
    kept = place.make("kept", b"kept")
    first, second = place.make("first", b"1"), place.make("second", b"2")
    for copy in (first, second):
        with new_journal(place.environ) as acts:
            carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    place.make("second", b"new")
    assert "there is another" in undo(place)[0]
    assert undo(place) == []
    assert os.path.exists(first)
    # Nothing else is left.
    assert "there is another" in undo(place)[0]
    os.unlink(second)
    assert undo(place) == []
    with open(second, "rb") as file:
        assert file.read() == b"2"


def test_who_names_a_journal_gets_that_one_or_none(place: Place) -> None:
    kept = place.make("kept", b"kept")
    paths = []
    for name in ("first", "second"):
        with new_journal(place.environ) as acts:
            copy = place.make(name, name.encode())
            carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
        paths.append(acts.path)
    with pytest.raises(ActError, match="since; nothing"), last_journal(place.environ, paths[0]):
        pass
    with last_journal(place.environ, paths[1]) as acts_again:
        assert acts_again is not None
        assert acts_again.path == paths[1]


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system has no such attributes")
def test_tags_come_back_when_a_link_is_taken_back(place: Place) -> None:
    kept, copy = place.make("kept", b"same"), place.make("copy", b"same")
    try:
        for path in (kept, copy):
            os.setxattr(path, "user.xdg.tags", b"holiday")
    except OSError:
        pytest.skip("this file system has no such attributes")
    with new_journal(place.environ) as acts:
        carry_out(line(copy, "link"), [line(kept, "keep")], acts, place.environ)
    assert undo(place) == []
    assert os.lstat(copy).st_ino != os.lstat(kept).st_ino
    assert os.getxattr(copy, "user.xdg.tags") == b"holiday"


def test_a_drive_that_is_away_loses_nothing(place: Place) -> None:
    kept, copy = place.make("kept", b"kept"), place.make("copy", b"copy")
    before = place.everything()
    with new_journal(place.environ) as acts:
        carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    trash = place.folder / "data" / "Trash"
    trash.rename(place.folder / "away")
    assert "is a drive away?" in undo(place)[0]
    (place.folder / "away").rename(trash)
    assert undo(place) == []
    assert place.everything() == before


def test_what_is_saved_while_a_link_is_taken_back_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, copy = place.make("kept", b"same"), place.make("copy", b"same")
    with new_journal(place.environ) as acts:
        carry_out(line(copy, "link"), [line(kept, "keep")], acts, place.environ)
    original = files._renamed

    def late(source: bytes, target: bytes, flags: int) -> bool:
        # Before each of the two exchanges somebody saves.
        name = f"edit-{len(list(place.folder.glob('edit-*')))}"
        (place.folder / name).write_bytes(name.encode())
        os.link(place.folder / name, place.folder / "new")
        os.replace(place.folder / "new", copy)
        return original(source, target, flags)

    monkeypatch.setattr(files, "_renamed", late)
    assert "a version of it is" in undo(place)[0]
    contents = {path.read_bytes() for path in (place.folder / "pictures").iterdir()}
    assert {b"edit-0", b"edit-1"} <= contents


def test_a_journal_that_cannot_be_made_is_one_sentence(place: Place) -> None:
    (place.folder / "psp" / "acts" / "000001.jsonl").mkdir(parents=True)
    with pytest.raises(JournalError, match="cannot be written: Is a directory"):
        journal.Journal(str(place.folder / "psp" / "acts" / "000001.jsonl"))


def test_a_folder_that_was_removed_is_made_again(place: Place) -> None:
    kept, copy = place.make("kept", b"kept"), place.make("folder/inner/copy", b"copy")
    before = place.everything()
    with new_journal(place.environ) as acts:
        carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    os.removedirs(os.path.dirname(copy))
    assert undo(place) == []
    assert place.everything() == before


@pytest.mark.parametrize("becomes", ["renamed", "removed"])
def test_a_link_is_undone_whatever_became_of_what_was_kept(place: Place, becomes: str) -> None:
    kept, copy = place.make("kept", b"same"), place.make("copy", b"same")
    os.utime(copy, ns=(5 * 10**17, 5 * 10**17))
    before = place.everything()[os.fsdecode(copy)]
    with new_journal(place.environ) as acts:
        carry_out(line(copy, "link"), [line(kept, "keep")], acts, place.environ)
    if becomes == "renamed":
        os.rename(kept, kept + b"-now")
    else:
        os.unlink(kept)
    assert undo(place) == []
    assert place.everything()[os.fsdecode(copy)] == before
    assert os.stat(copy).st_nlink == 1


def test_a_relative_place_for_data_is_none(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(place.folder))
    copy = place.make("copy", b"copy")
    found = trash_of(copy, {"XDG_DATA_HOME": "data"})
    assert found.folder == os.fsencode(place.folder / ".local/share/Trash")


def test_where_something_new_lies_by_now_it_stays(place: Place) -> None:
    kept, copy = place.make("kept", b"kept"), place.make("copy", b"copy")
    with new_journal(place.environ) as acts:
        carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    place.make("copy", b"new")
    before = place.everything()
    [failure] = undo(place)
    assert "there is another" in failure
    assert place.everything() == before
    assert "files/copy" in place.trashed()
    os.unlink(copy)
    assert undo(place) == []
    with open(copy, "rb") as file:
        assert file.read() == b"copy"


def test_what_somebody_changed_in_the_trash_is_not_put_back(place: Place) -> None:
    kept, copy = place.make("kept", b"kept"), place.make("copy", b"copy")
    with new_journal(place.environ) as acts:
        carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    trashed = place.folder / "data/Trash/files/copy"
    trashed.write_bytes(b"other")
    assert "has changed" in undo(place)[0]
    assert trashed.read_bytes() == b"other"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_costs_nothing(place: Place, tmp_path: Path) -> None:
    kept, copy = place.make("kept", b"kept"), place.make("closed/copy", b"copy")
    before = place.everything()
    (tmp_path / "pictures" / "closed").chmod(0o500)
    with new_journal(place.environ) as acts, pytest.raises(ActError, match="Permission denied"):
        carry_out(line(copy, "trash"), [line(kept, "keep")], acts, place.environ)
    (tmp_path / "pictures" / "closed").chmod(0o700)
    assert place.everything() == before
    assert place.trashed() == []


def test_nothing_is_moved_over_anything(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"2")
    with pytest.raises(FileExistsError):
        move(os.fsencode(tmp_path / "one"), os.fsencode(tmp_path / "two"))
    assert (tmp_path / "two").read_bytes() == b"2"


def test_a_trash_that_is_a_link_is_none(place: Place, tmp_path: Path) -> None:
    copy = place.make("copy", b"copy")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "Trash").mkdir(parents=True)
    (tmp_path / "data" / "Trash" / "files").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ActError, match="is no trash of yours"):
        next(trash_of(copy, place.environ).places(copy))


def test_two_do_not_act_at_once(place: Place) -> None:
    with (
        new_journal(place.environ),
        pytest.raises(ActError, match="another pspc"),
        new_journal(place.environ),
    ):
        pass


KILLED = """
import os, signal, sys
from pspc.deciding import acting, files, journal, trash, undoing
from tests.client.deciding.folders import Place, line
from pathlib import Path

left = int(sys.argv[3])
def before(function):
    def counted(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return counted

for name in ("link", "unlink", "replace", "rename", "fsync", "write", "open", "utime", "fchmod"):
    setattr(os, name, before(getattr(os, name)))
files._renamed = before(files._renamed)
place = Place(Path(sys.argv[1]))
if sys.argv[2] == "undo":
    with journal.last_journal(place.environ) as acts:
        for entry in reversed([e for e in journal.entries(acts.path) if journal.is_open(e)]):
            undoing.take_back(entry, acts)
else:
    kept, trashed, linked = (os.fsencode(place.folder / "pictures" / name) for name in "abc")
    with journal.new_journal(place.environ) as acts:
        acting.carry_out(line(trashed, "trash"), [line(kept, "keep")], acts, place.environ)
        acting.carry_out(line(linked, "link", 2), [line(kept, "keep", 2)], acts, place.environ)
"""


def killed(place: Place, what: str, after: int) -> bool:
    """Apply a plan or take it back, killed before some system call; returns whether it was."""
    command = [sys.executable, "-c", KILLED, str(place.folder), what, str(after)]
    status = subprocess.run(command, check=False, timeout=60).returncode
    assert status in {0, -9}
    return status != 0


def undo_what_is_left(place: Place) -> list[str]:
    """Take back the last run, if there is anything; returns what could not be."""
    with last_journal(place.environ) as acts:
        pass
    return [] if acts is None else undo(place)


def is_as_before(place: Place, before: dict[str, tuple[str, int, int]]) -> bool:
    """Say whether everything is, and nothing lies in the trash."""
    names = [name for name in place.trashed() if name.startswith("files/")]
    return place.everything() == before and names == []


@pytest.fixture
def three(place: Place) -> Place:
    """A file that is kept, one for the trash, and one to be linked."""
    for name, content in (("a", b"same"), ("b", b"other"), ("c", b"same")):
        place.make(name, content)
    os.utime(place.folder / "pictures" / "c", ns=(7 * 10**17, 7 * 10**17))
    return place


@pytest.mark.parametrize("first", range(4))
def test_a_kill_at_any_step_is_taken_back_to_the_last_byte(three: Place, first: int) -> None:
    """Every fourth place where it may be killed, and together all."""
    before = three.everything()
    steps, was_killed = first, True
    while was_killed:
        was_killed = killed(three, "apply", steps)
        assert was_killed or three.everything() != before
        assert undo_what_is_left(three) == [], f"killed after {steps} calls"
        assert is_as_before(three, before), f"killed after {steps} calls"
        steps += 4
    assert steps > 20


@pytest.mark.parametrize("first", range(4))
def test_a_kill_while_it_is_taken_back_costs_nothing_either(three: Place, first: int) -> None:
    before = three.everything()
    steps, was_killed = first, True
    while was_killed:
        assert not killed(three, "apply", 10_000)
        was_killed = killed(three, "undo", steps)
        assert undo_what_is_left(three) == [], f"killed after {steps} calls"
        assert is_as_before(three, before), f"killed after {steps} calls"
        steps += 4
    assert steps > 12

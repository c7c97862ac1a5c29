"""The kernel's table of mounts, and clocks that stood still."""

from __future__ import annotations

import os
from pathlib import Path

from pspd.watcher.mounts import MountTable
from pspd.watcher.sleep import SleepDetector

ROOT = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
SHARE = "90 22 0:51 / /srv/the\\040share rw master:3 propagate_from:2 - fuse.sshfs host: rw\n"


def test_a_mount_that_comes_and_goes_is_told_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "mountinfo"
    path.write_text(ROOT)
    table = MountTable(str(path), {"fuse"})
    assert table.renew() == {"/"}
    path.write_text(ROOT + SHARE)
    assert table.renew() == {"/srv/the share"}
    assert not table.was_mounted("/srv/the share")
    mount = table.polled_kind(os.makedev(0, 51))
    assert mount is not None
    assert mount.kind == "fuse.sshfs"
    assert table.polled_kind(os.makedev(254, 0)) is None
    path.write_text(ROOT)
    assert table.renew() == {"/srv/the share"}
    assert table.was_mounted("/srv/the share")
    assert table.renew() == set()


def test_what_is_mounted_anew_at_the_same_place_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "mountinfo"
    path.write_text(ROOT + SHARE)
    table = MountTable(str(path))
    table.renew()
    path.write_text(ROOT + SHARE.replace("90 22", "91 22"))
    assert table.renew() == {"/srv/the share"}


def test_a_table_that_is_missing_or_torn_has_no_mounts(tmp_path: Path) -> None:
    path = tmp_path / "mountinfo"
    table = MountTable(str(path))
    assert table.renew() == set()
    path.write_bytes(b"\xff\n22 1\n\n" + ROOT.encode() + b"23 22 x")
    assert table.renew() == {"/"}


def test_a_wait_that_took_much_too_long_is_an_absence() -> None:
    detector = SleepDetector(30.0)
    assert not detector.was_away(100.0, 2.0, 102.1, 102.1)
    assert not detector.was_away(102.0, 2.0, 131.0, 131.0)
    assert detector.was_away(131.0, 2.0, 170.0, 170.0)


def test_sleep_between_two_waits_is_an_absence_too() -> None:
    detector = SleepDetector(30.0)
    assert not detector.was_away(100.0, 2.0, 102.0, 102.0)
    # A long step of work says nothing; that the clocks differ by more than before does.
    assert not detector.was_away(900.0, 2.0, 901.0, 901.0)
    assert detector.was_away(1000.0, 2.0, 1001.0, 961.0)
    assert not detector.was_away(1001.0, 2.0, 1002.0, 962.0)

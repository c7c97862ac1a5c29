"""What happens in watched folders is found, by `pspc sync` alone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.home import Home
from tests.e2e.scenes import save, scene
from tests.waiting import until

NOTIFIERS = ["inotify", "watchdog", "polling", "none"]


def names(hits: dict[str, object]) -> set[str]:
    return {Path(path).name for path in hits}


@pytest.mark.parametrize("notifier", NOTIFIERS)
def test_a_file_is_found_after_sync_moved_without_decoding_and_forgotten(
    home: Home, notifier: str
) -> None:
    home.configure(f'[watch]\nnotifier = "{notifier}"\n')
    folder = home.pictures()
    query = save(1, home.folder / "query.png")
    home.pspc("add", folder, "--wait")

    shutil.copy(query, folder / "a.png")
    home.pspc("sync")
    assert names(home.search(query)) == {"a.png"}
    extracted = home.status()["extracted"]

    (folder / "a.png").rename(folder / "b.png")
    home.pspc("sync")
    assert names(home.search(query)) == {"b.png"}
    assert home.status()["extracted"] == extracted

    (folder / "b.png").unlink()
    home.pspc("sync")
    assert names(home.search(query, expect=1)) == set()


def test_moves_of_folders_and_across_roots_cost_no_decode(home: Home) -> None:
    first, second = home.pictures("first"), home.pictures("second")
    (first / "deep" / "er").mkdir(parents=True)
    for seed in range(1, 6):
        save(seed, first / "deep" / "er" / f"{seed}.jpg")
    home.pspc("add", first, second, "--wait")
    extracted = home.status()["extracted"]
    query = home.folder / "query.jpg"
    shutil.copy(first / "deep" / "er" / "3.jpg", query)

    (first / "deep").rename(first / "renamed")
    home.pspc("sync")
    assert set(home.search(query)) == {str(first / "renamed" / "er" / "3.jpg")}

    shutil.move(first / "renamed" / "er" / "3.jpg", second / "moved.jpg")
    home.pspc("sync")
    assert set(home.search(query)) == {str(second / "moved.jpg")}

    shutil.move(first / "renamed", second / "all")
    home.pspc("sync")
    assert home.status()["indexed"] == 5
    assert home.status()["extracted"] == extracted


def test_what_happened_while_the_daemon_was_down_is_found_at_the_next_start(home: Home) -> None:
    folder = home.pictures()
    for seed in range(1, 5):
        save(seed, folder / f"{seed}.jpg")
    home.pspc("add", folder, "--wait")
    home.pspc("stop")

    save(9, folder / "added.jpg")
    save(8, folder / "1.jpg")
    (folder / "2.jpg").unlink()
    (folder / "sub").mkdir()
    (folder / "3.jpg").rename(folder / "sub" / "moved.jpg")
    home.pspc("sync")

    query = home.folder / "query.jpg"
    for seed, expected in [
        (9, {"added.jpg"}),
        (8, {"1.jpg"}),
        (3, {"moved.jpg"}),
        (4, {"4.jpg"}),
    ]:
        assert names(home.search(save(seed, query))) == expected
    for gone in (1, 2):
        home.search(save(gone, query), expect=1)
    # The two that are new were decoded, and nothing else.
    assert home.status()["extracted"] == 2


def test_a_changed_picture_is_found_by_its_new_content_only(home: Home) -> None:
    folder = home.pictures()
    save(1, folder / "a.png")
    home.pspc("add", folder, "--wait")
    save(2, folder / "a.png")
    home.pspc("sync")
    query = home.folder / "query.png"

    assert names(home.search(save(2, query))) == {"a.png"}
    home.search(save(1, query), expect=1)


def test_same_size_and_same_time_do_not_hide_a_change(home: Home) -> None:
    folder = home.pictures()
    path = folder / "a.bmp"
    save(1, path)
    os.utime(path, ns=(10**18, 10**18))
    home.pspc("add", folder, "--wait")
    save(2, path)
    os.utime(path, ns=(10**18, 10**18))
    home.pspc("sync")

    query = home.folder / "query.png"
    assert names(home.search(save(2, query))) == {"a.bmp"}


def test_a_file_that_is_being_written_is_read_when_it_is_finished(home: Home) -> None:
    folder = home.pictures()
    source = save(1, home.folder / "source.png")
    home.pspc("add", folder, "--wait")
    data = source.read_bytes()
    with open(folder / "slow.png", "wb") as slow:
        slow.write(data[:1000])
        slow.flush()
        home.pspc("sync")
        status = home.status()
        assert (status["pending"], status["failed"]) == (1, 0)
        slow.write(data[1000:])
    home.pspc("sync")

    assert names(home.search(source)) == {"slow.png"}
    assert home.status()["failed"] == 0


def test_globs_hidden_files_and_symbolic_links_are_respected(home: Home) -> None:
    folder = home.pictures()
    for name in ("yes.jpg", "no.png", ".hidden.jpg"):
        save(1, folder / name)
    for name in ("cache", ".secret", "kept"):
        (folder / name).mkdir()
        save(1, folder / name / f"in-{name.strip('.')}.jpg")
    (folder / "link.jpg").symlink_to(folder / "yes.jpg")
    (folder / "linked").symlink_to(folder / "kept")
    home.pspc("add", folder, "--include", "*.jpg", "--exclude", "cache", "--wait")

    query = save(1, home.folder / "query.jpg")
    assert names(home.search(query)) == {"yes.jpg", "in-kept.jpg"}

    home.pspc("add", folder, "--hidden", "--wait")
    assert names(home.search(query)) == {
        "yes.jpg", "no.png", ".hidden.jpg", "in-cache.jpg", "in-secret.jpg", "in-kept.jpg",
    }  # fmt: skip


def test_a_root_that_is_removed_answers_no_more_and_its_files_stay(home: Home) -> None:
    first, second = home.pictures("first"), home.pictures("second")
    query = save(1, first / "a.png")
    save(1, second / "b.bmp")
    home.pspc("add", first, second, "--wait")
    home.pspc("remove", first)
    home.pspc("sync")

    assert names(home.search(query)) == {"b.bmp"}
    assert query.exists()
    assert [root["path"] for root in home.document("roots")["roots"]] == [str(second)]


def test_roots_are_kept_across_restarts(home: Home) -> None:
    folder = home.pictures()
    query = save(1, folder / "a.png")
    home.pspc("add", folder, "--wait")
    home.pspc("stop")

    assert names(home.search(query)) == {"a.png"}


def test_a_root_whose_folder_vanished_is_unavailable_and_its_records_answer(home: Home) -> None:
    folder = home.pictures()
    query = save(1, home.folder / "query.png")
    shutil.copy(query, folder / "a.png")
    home.pspc("add", folder, "--wait")
    folder.rename(home.folder / "elsewhere")
    home.pspc("sync")

    document = home.document("search", query)
    assert [hit["verdict"] for hit in document["hits"]] == ["same_file"]
    assert document["freshness"]["unavailable_roots"] == [str(folder)]

    (home.folder / "elsewhere").rename(folder)
    home.pspc("sync")
    assert home.document("search", query)["freshness"]["unavailable_roots"] == []
    assert home.status()["extracted"] == 1


def test_a_link_to_a_folder_can_be_added_and_is_the_folder(home: Home) -> None:
    folder = home.pictures("real")
    link = home.folder / "link"
    link.symlink_to(folder)
    home.pspc("add", link, "--wait")
    query = save(1, folder / "a.png")
    home.pspc("sync")

    assert set(home.search(query)) == {str(folder / "a.png")}


def test_the_store_inside_a_root_is_not_looked_at(home: Home) -> None:
    save(1, home.folder / "a.png")
    home.pspc("add", home.folder, "--wait")
    home.pspc("sync")
    status = home.status()

    assert (status["indexed"], status["failed"], status["pending"]) == (1, 0, 0)


def test_many_new_folders_at_once_are_all_found(home: Home) -> None:
    folder = home.pictures()
    home.pspc("add", folder, "--wait")
    picture = home.folder / "tiny.png"
    scene(1, 16, 16).save(picture)
    for number in range(60):
        deep = folder / f"d{number % 7}" / f"e{number}"
        deep.mkdir(parents=True)
        shutil.copy(picture, deep / "tiny.png")
    home.pspc("sync")

    assert home.status()["indexed"] == 60


def test_a_folder_that_was_moved_away_and_back_costs_no_decode_over_a_restart(home: Home) -> None:
    folder = home.pictures()
    (folder / "trip").mkdir()
    for seed in range(1, 5):
        save(seed, folder / "trip" / f"{seed}.png")
    home.pspc("add", folder, "--wait")
    assert home.status()["extracted"] == 4

    (folder / "trip").rename(home.folder / "away")
    home.pspc("sync")
    assert home.status()["indexed"] == 0
    (home.folder / "away").rename(folder / "trip")
    home.pspc("sync")
    assert (home.status()["indexed"], home.status()["extracted"]) == (4, 4)

    (folder / "trip").rename(home.folder / "away")
    home.pspc("sync")
    home.pspc("stop")
    home.pspc("sync")
    (home.folder / "away").rename(folder / "trip")
    home.pspc("sync")
    assert (home.status()["indexed"], home.status()["extracted"]) == (4, 0)


def test_a_picture_that_ended_early_is_whole_after_a_second_look_that_nobody_hinted_at(
    home: Home,
) -> None:
    home.configure('[watch]\nincomplete_seconds = 8.0\nnotifier = "none"\n')
    folder = home.pictures()
    whole = save(1, home.folder / "query.png").read_bytes()
    path = folder / "late.png"
    path.write_bytes(whole[:-200] + bytes(200))
    path.write_bytes(whole[:-200])
    home.pspc("add", folder, "--wait")
    assert "truncated" in home.pspc("failures")
    with path.open("ab") as file:
        file.write(whole[-200:])

    # Neither a hint nor a scan: the daemon looks again by itself.
    assert until(lambda: home.status()["indexed"] == 1) is not None
    assert home.pspc("failures") == ""


def test_what_is_away_is_told_and_forgotten_on_a_persons_word(home: Home) -> None:
    folder = home.pictures()
    save(1, folder / "a.png")
    home.pspc("add", folder, "--wait")
    folder.rename(home.folder / "elsewhere")
    folder.mkdir()
    home.pspc("sync")
    (notice,) = home.status()["notices"]
    assert "unavailable" in notice["cause"]
    assert "pspc roots confirm" in notice["cure"]
    assert home.status()["indexed"] == 1

    home.pspc("roots", "confirm", folder)
    home.pspc("sync")
    assert home.status()["indexed"] == 0
    assert home.status()["notices"] == []

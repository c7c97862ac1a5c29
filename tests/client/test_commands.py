"""The verbs, from their arguments to their output and exit status."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest

from pspc.commands.search import Outcome, combined
from pspd.rpc import wire
from tests.client.conftest import SEARCH_REPLY, Run
from tests.rpc import samples
from tests.rpc.peers import Call, TableHandler

LINE = "copy\t6\trotate_90\t1920\t1080\t345678\tJPEG\t/home/ann/Pictures/caf\\xe9.jpg\n"
COMPLETE = SEARCH_REPLY.freshness
INCOMPLETE = msgspec.structs.replace(COMPLETE, pending=37)


def _reply(hits: list[wire.Hit], freshness: wire.Freshness = COMPLETE) -> wire.SearchReply:
    return msgspec.structs.replace(SEARCH_REPLY, hits=hits, freshness=freshness)


def _status(*roots: wire.RootStatus, problem: str = "") -> wire.StatusReply:
    (known,) = [reply for reply in samples.REPLIES if isinstance(reply, wire.StatusReply)]
    return msgspec.structs.replace(known, roots=list(roots), problem=problem)


def test_a_search_prints_lines_in_a_pipe(daemon: TableHandler, run: Run, image: str) -> None:
    result = run("search", image)
    assert (result.status, result.output, result.errors) == (0, LINE, "")
    assert daemon.calls[-1].image == b"an image"


def test_a_search_prints_a_table_on_a_terminal(daemon: TableHandler, run: Run, image: str) -> None:
    result = run("search", image, is_terminal=True)
    header, row = result.output.splitlines()
    assert header.split() == ["verdict", "bits", "turn", "pixels", "size", "format", "path"]
    assert row.split("  ")[0] == "copy"
    assert "rotate 90" in row
    assert "337.6 KiB" in row
    assert row.endswith(r"/home/ann/Pictures/caf\xe9.jpg")


def test_the_null_option_prints_raw_paths(daemon: TableHandler, run: Run, image: str) -> None:
    assert run("search", "-0", image).raw == b"/home/ann/Pictures/caf\xe9.jpg\0"


def test_the_options_of_a_search_reach_the_daemon(
    daemon: TableHandler, run: Run, image: str
) -> None:
    run("search", "--similar", "--distance", "12", "-n", "3", "--wait", image)
    kinds = [type(call.request) for call in daemon.calls]
    assert kinds == [wire.SyncRequest, wire.SearchRequest]
    assert daemon.calls[-1].request == wire.SearchRequest("similar", 12, 3)
    run("search", "--fast", "--crop", "10,0,300,200", image)
    part = wire.Rectangle(10, 0, 300, 200)
    assert daemon.calls[-1].request == wire.SearchRequest(effort="fast", part=part)
    run("search", "--expect", "0.1", image)
    assert daemon.calls[-1].request == wire.SearchRequest(expect=0.1)
    run("search", "--alike", "--budget", "2.5", image)
    assert daemon.calls[-1].request == wire.SearchRequest(alike=True, budget_ms=2500)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(
            ("--crop", text)
            for text in ("", "1,2,3", "1,2,3,4,5", "0,0,0,9", "a,b,c,d", "-1,0,9,9")
        ),
        *(("--budget", text) for text in ("", "0", "-1", "61", "nan", "soon")),
    ],
)
def test_a_part_or_budget_that_cannot_be_is_refused_before_anything_is_asked(
    daemon: TableHandler, run: Run, image: str, option: str, value: str
) -> None:
    result = run("search", f"{option}={value}", image)
    assert result.status == 2
    assert option in result.errors
    assert daemon.calls == []


@pytest.mark.parametrize(
    ("freshness", "status"),
    [
        (COMPLETE, 1),
        (INCOMPLETE, 3),
        (msgspec.structs.replace(COMPLETE, scanning_roots=[b"/a"]), 3),
        (msgspec.structs.replace(COMPLETE, unavailable_roots=[b"/a"]), 3),
        (msgspec.structs.replace(COMPLETE, unavailable_roots=[b"/a"], paused_roots=[b"/a"]), 3),
    ],
)
def test_nothing_found_is_final_only_when_the_index_is_complete(
    daemon: TableHandler, run: Run, image: str, freshness: wire.Freshness, status: int
) -> None:
    daemon.on(wire.SearchRequest, _reply([], freshness))
    result = run("search", image)
    assert (result.status, result.output) == (status, "")
    assert bool(result.errors) == (status == 3)


def test_an_incomplete_index_is_told_on_standard_error(
    daemon: TableHandler, run: Run, image: str
) -> None:
    daemon.on(wire.SearchRequest, _reply([samples.HIT], INCOMPLETE))
    result = run("search", image)
    assert (result.status, result.output) == (0, LINE)
    assert result.errors == "pspc: 37 files are still pending; results may be incomplete\n"


def test_without_roots_a_search_says_how_to_add_one(
    daemon: TableHandler, run: Run, image: str
) -> None:
    daemon.on(wire.SearchRequest, _reply([], wire.Freshness(0, 0, 0)))
    daemon.on(wire.RootsRequest, wire.RootsReply([]))
    result = run("search", image)
    assert result.status == 1
    assert result.errors == "pspc: no folder is watched yet: pspc add DIR\n"


def test_several_queries_name_themselves_and_an_error_stops_none(
    daemon: TableHandler, run: Run, image: str, tmp_path: Path
) -> None:
    missing = os.fspath(tmp_path / "missing.jpg")
    result = run("search", missing, image)
    assert result.status == 2
    assert result.output == f"{image}\t{LINE}"
    assert result.errors == f"pspc: {missing}: No such file or directory\n"
    assert f"{image}:\n" in run("search", image, image, is_terminal=True).output


@pytest.mark.parametrize(
    ("outcomes", "together"),
    [([0, 1, 2, 3], 2), ([1, 3, 0], 0), ([1, 3], 3), ([1, 1], 1)],
)
def test_the_exit_status_of_several_queries(outcomes: list[int], together: int) -> None:
    assert combined([Outcome(outcome) for outcome in outcomes]) == together


def test_a_query_that_is_no_picture_is_one_line(daemon: TableHandler, run: Run, image: str) -> None:
    daemon.on(wire.SearchRequest, wire.ErrorReply("bad_query", "the file is torn", "truncated"))
    result = run("search", image)
    assert (result.status, result.errors) == (2, f"pspc: {image}: the file is torn\n")


def test_a_search_for_nothing_is_an_error(run: Run, home: Path) -> None:
    assert run("search").status == 2


@pytest.mark.parametrize(
    "verb",
    [
        "add",
        "distinct",
        "remove",
        "roots",
        "search",
        "sync",
        "status",
        "failures",
        "duplicates",
        "quarantine",
        "selftest",
        "start",
        "stop",
        "service",
    ],
)
def test_every_verb_explains_itself_with_examples(
    run: Run, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(verb, "--help")
    help_text = capsys.readouterr().out
    assert caught.value.code == 0
    assert f"examples:\n  pspc {verb}" in help_text
    assert "--no-start" in help_text


def test_roots_are_added_with_their_globs(daemon: TableHandler, run: Run, tmp_path: Path) -> None:
    result = run("add", "--exclude", "*.gif", "--hidden", os.fspath(tmp_path))
    assert (result.status, result.output) == (0, "watching /home/ann/Pictures\n")
    assert daemon.calls[-1].request == wire.AddRoot(
        os.fsencode(tmp_path), exclude=["*.gif"], hidden=True
    )


def test_a_root_that_is_refused_is_an_error_that_names_it_once_and_stops_no_other(
    daemon: TableHandler, run: Run
) -> None:
    def add(call: Call) -> wire.Reply:
        assert isinstance(call.request, wire.AddRoot)
        if call.request.path == b"/file":
            return wire.ErrorReply("root", "'/file' is a file")
        return wire.RootReply(samples.ROOT)

    daemon.on(wire.AddRoot, add)
    result = run("add", "/file", "/folder")
    assert (result.status, result.errors) == (2, "pspc: '/file' is a file\n")
    assert result.output == "watching /home/ann/Pictures\n"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_adding_can_wait_until_all_is_indexed(
    daemon: TableHandler, run: Run, *, is_terminal: bool
) -> None:
    states = iter(
        [
            msgspec.structs.replace(samples.ROOT, state="scanning", indexed=0, pending=10),
            msgspec.structs.replace(samples.ROOT, indexed=600, pending=600),
            samples.ROOT,
        ]
    )
    daemon.on(wire.StatusRequest, lambda _call: _status(next(states)))
    result = run("add", "/home/ann/Pictures", "--wait", is_terminal=is_terminal)
    assert result.status == 0
    assert result.output.splitlines()[-1] == "1,200 files indexed, 1 failed, 2 are no pictures"
    assert ("[" in result.errors) == is_terminal
    assert "pspc failures" in result.errors


def test_waiting_for_a_root_that_vanishes_is_an_error(daemon: TableHandler, run: Run) -> None:
    gone = msgspec.structs.replace(samples.ROOT, state="unavailable", problem="unmounted")
    daemon.on(wire.StatusRequest, _status(gone))
    assert "unmounted" in run("add", "/x", "--wait").errors
    daemon.on(wire.StatusRequest, _status())
    result = run("add", "/x", "--wait")
    assert (result.status, "no longer watched" in result.errors) == (2, True)


def test_interrupting_the_wait_leaves_the_daemon_at_work(
    daemon: TableHandler, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    scanning = msgspec.structs.replace(samples.ROOT, state="scanning")
    daemon.on(wire.StatusRequest, _status(scanning))
    monkeypatch.setattr("pspc.commands.add.time.sleep", interrupt)
    result = run("add", "/x", "--wait")
    assert result.status == 130
    assert "indexing goes on" in result.errors


def test_a_root_is_removed(daemon: TableHandler, run: Run) -> None:
    assert run("remove", "/home/ann/Pictures").output == "no longer watching /home/ann/Pictures\n"
    daemon.on(wire.RemoveRoot, wire.ErrorReply("root", "it is not watched"))
    assert run("remove", "/x").status == 2


def test_a_root_is_paused_and_resumed(daemon: TableHandler, run: Run) -> None:
    daemon.on(wire.PauseRoot, wire.RootReply(samples.PAUSED))
    result = run("pause", "/home/ann/Pictures")
    assert (result.status, result.output) == (0, "paused /home/ann/Pictures\n")
    assert result.errors == f"pspc: {samples.PAUSED.problem}\n"
    assert daemon.calls[-1].request == wire.PauseRoot(b"/home/ann/Pictures", "pause")

    scanning = msgspec.structs.replace(samples.ROOT, state="scanning")
    daemon.on(wire.PauseRoot, wire.RootReply(scanning))
    result = run("resume", "/home/ann/Pictures")
    assert (result.status, result.output) == (0, "watching /home/ann/Pictures\n")
    assert "to wait for it: pspc sync" in result.errors
    assert daemon.calls[-1].request == wire.PauseRoot(b"/home/ann/Pictures", "resume")

    refusal = "/x is not watched; watched are: /home/ann/Pictures"
    daemon.on(wire.PauseRoot, wire.ErrorReply("root", refusal))
    for verb in ("pause", "resume"):
        result = run(verb, "/x")
        assert (result.status, result.errors) == (2, f"pspc: {refusal}\n")


def test_a_paused_root_is_listed_as_such_with_the_way_on(daemon: TableHandler, run: Run) -> None:
    daemon.on(wire.RootsRequest, wire.RootsReply([samples.PAUSED]))
    daemon.on(wire.StatusRequest, _status(samples.PAUSED))
    assert run("roots").output.startswith("paused\t1200\t0\t3\tit is paused; to go on: ")
    for verb in ("roots", "status"):
        output = run(verb, is_terminal=True).output
        assert "\npaused " in output
        assert "to go on: pspc resume '/home/ann/Pictures'" in output
        assert "unavailable" not in output
    for document in (run("roots", "--json").output, run("status", "--json").output):
        (root,) = json.loads(document)["roots"]
        assert root["state"] == "paused"


def test_adding_a_paused_root_says_so_and_waits_for_nothing(daemon: TableHandler, run: Run) -> None:
    daemon.on(wire.AddRoot, wire.RootReply(samples.PAUSED))
    daemon.on(wire.StatusRequest, _status(samples.PAUSED))
    note = f"pspc: /home/ann/Pictures: {samples.PAUSED.problem}\n"
    result = run("add", "/home/ann/Pictures")
    assert (result.status, result.errors) == (0, note)
    result = run("add", "/home/ann/Pictures", "--wait")
    assert (result.status, result.errors) == (2, note)


def test_what_is_missing_in_a_folder_is_confirmed_to_be_gone(
    daemon: TableHandler, run: Run, tmp_path: Path
) -> None:
    result = run("roots", "confirm", str(tmp_path))
    assert (result.status, result.output) == (
        0,
        f"forgetting what is missing in {tmp_path}; done after: pspc sync\n",
    )
    assert daemon.calls[-1].request == wire.ConfirmRoot(os.fsencode(tmp_path))
    document = json.loads(run("roots", "confirm", str(tmp_path), "--json").output)
    assert document == json.loads(run("roots", "--json").output)["roots"][0]
    assert run("roots", "confirm").status == 2
    daemon.on(wire.ConfirmRoot, wire.ErrorReply("root", "it is in no watched folder"))
    assert run("roots", "confirm", str(tmp_path)).errors == "pspc: it is in no watched folder\n"


def test_a_part_of_the_pictures_is_for_a_deep_check_alone(run: Run) -> None:
    assert run("check", "--subset", "1/7").errors == (
        "pspc: --subset is for a deep check: pspc check --deep --subset N/M\n"
    )


@pytest.mark.parametrize("verb", ["check", "repair", "backup"])
def test_a_job_that_takes_long_is_waited_for_until_the_timeout(
    daemon: TableHandler, run: Run, verb: str
) -> None:
    daemon.on(wire.StartJob, wire.JobReply(1, step="reading"))
    daemon.on(wire.JobRequest, wire.JobReply(1, step="reading"))
    result = run(verb, "--timeout", "0.5")
    assert result.status == 2
    assert result.errors == (
        f"pspc: the {verb} is not done after 0.5 s; the daemon goes on with it\n"
    )


def test_roots_are_listed(daemon: TableHandler, run: Run) -> None:
    assert run("roots").output == "watching\t1200\t0\t3\t\t/home/ann/Pictures\n"
    output = run("roots", is_terminal=True).output
    assert "1,200" in output
    assert "/home/ann/Pictures  (only *.jpg; without cache/*; also hidden names)\n" in output


def test_status_is_shown(daemon: TableHandler, run: Run) -> None:
    output = run("status").output
    assert "pid 4242, since 2026-01-02T03:04:05Z\n" in output
    assert "1,100 different\n" in output
    assert "pending   0 files\n" in output
    assert "failed    1 file, and 2 that are no pictures\n" in output
    assert "decoded   1,103 pictures since the start\n" in output
    assert "notifier  watchdog\n" in output


def test_status_shows_the_local_time_on_a_terminal(
    daemon: TableHandler, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "XST-8")
    time.tzset()
    assert "since 2026-01-02 11:04:05 XST\n" in run("status", is_terminal=True).output
    monkeypatch.undo()
    time.tzset()


def test_what_the_kernel_keeps_the_daemon_from_is_counted(daemon: TableHandler, run: Run) -> None:
    known = msgspec.structs.replace(
        _status(samples.ROOT),
        protection=[
            wire.Restriction("NoNewPrivileges=yes", holds=True, promised=False),
            wire.Restriction("PrivateNetwork=yes", holds=False, promised=False),
        ],
    )
    daemon.on(wire.StatusRequest, known)
    assert (
        "protected by 1 of the systemd service's 2 restrictions; it was started without the service"
        in run("status").output
    )


def test_a_notice_has_its_cure_on_a_line_of_its_own_on_a_terminal(
    daemon: TableHandler, run: Run
) -> None:
    notice = wire.Notice("store", "the disk is full", "make room", b"/state")
    reply = _status(samples.ROOT, problem="the disk is full")
    daemon.on(wire.StatusRequest, msgspec.structs.replace(reply, notices=[notice]))
    assert "notice    /state: the disk is full; make room\n" in run("status").output
    output = run("status", is_terminal=True).output
    assert "notice    /state: the disk is full\n          make room\n" in output
    assert "problem" not in output


def test_a_problem_of_the_daemon_is_shown(daemon: TableHandler, run: Run, image: str) -> None:
    daemon.on(wire.StatusRequest, _status(samples.ROOT, problem="the disk is full"))
    assert "problem   the disk is full\n" in run("status").output
    fresh = msgspec.structs.replace(COMPLETE, problem="the disk is full")
    daemon.on(wire.SearchRequest, _reply([samples.HIT], fresh))
    daemon.on(wire.SyncRequest, wire.SyncReply(fresh))
    assert run("search", image).errors == "pspc: the disk is full\n"
    assert run("sync").errors == "pspc: the disk is full\n"


def test_an_addition_that_goes_on_says_how_to_watch_it(daemon: TableHandler, run: Run) -> None:
    scanning = msgspec.structs.replace(samples.ROOT, state="scanning")
    daemon.on(wire.AddRoot, wire.RootReply(scanning))
    assert "in the background; to see how far it is: pspc status" in run("add", "/x").errors


def test_an_addition_with_other_filters_says_that_they_changed(
    daemon: TableHandler, run: Run
) -> None:
    bare = msgspec.structs.replace(samples.ROOT, include=[], exclude=[], hidden=False)
    daemon.on(wire.AddRoot, wire.RootReply(bare))
    changed = "pspc: the filters of /home/ann/Pictures have changed: "
    assert run("add", "/x").errors == f"{changed}there are none now\n"
    daemon.on(wire.RootsRequest, wire.RootsReply([bare]))
    assert run("add", "/x").errors == ""
    daemon.on(wire.AddRoot, wire.RootReply(samples.ROOT))
    words = "now only *.jpg; without cache/*; also hidden names"
    assert run("add", "/x").errors == f"{changed}{words}\n"


@pytest.mark.parametrize(
    ("verb", "sentence"),
    [
        ("add", "an empty name is no folder"),
        ("remove", "an empty name is no folder"),
        ("pause", "an empty name is no folder"),
        ("resume", "an empty name is no folder"),
        ("search", "'': an empty name is no picture"),
    ],
)
def test_an_empty_name_is_not_the_current_folder(
    daemon: TableHandler, run: Run, verb: str, sentence: str
) -> None:
    result = run(verb, "")
    assert (result.status, result.errors) == (2, f"pspc: {sentence}\n")


def test_in_a_deleted_folder_a_relative_name_is_one_clear_line(
    daemon: TableHandler, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = run("add", ".")
    assert result.status == 2
    assert result.errors == (
        "pspc: '.' leads nowhere: the current folder was deleted; go to another one\n"
    )


def test_standard_input_is_called_so(
    daemon: TableHandler, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert run("search", "-").errors == "pspc: standard input: it is empty\n"


def test_sync_tells_when_it_takes_too_long(daemon: TableHandler, run: Run) -> None:
    assert run("sync").status == 0
    daemon.on(wire.SyncRequest, Future())
    result = run("sync", "--timeout", "0.05")
    assert result.status == 2
    assert result.errors == "pspc: not everything is indexed after 0.05 s; see pspc status\n"


def test_failures_that_claim_nothing_are_only_counted(daemon: TableHandler, run: Run) -> None:
    entries = [
        wire.FailureEntry(b"/a/notes.txt", "not_a_picture", "no format"),
        wire.FailureEntry(b"/a/fake.JPG", "not_a_picture", "no format"),
        wire.FailureEntry(b"/a/torn\t.png", "truncated", "ends early"),
    ]
    daemon.on(wire.FailuresRequest, wire.FailuresReply(entries))
    result = run("failures")
    assert result.output == (
        "not_a_picture\t/a/fake.JPG\tno format\ntruncated\t/a/torn\\t.png\tends early\n"
    )
    assert result.errors == "pspc: 1 other file is no picture; see --all\n"
    assert "notes.txt" in run("failures", "--all").output
    assert "notes.txt" in run("failures", "--json").output
    assert "fake.JPG" in run("failures", is_terminal=True).output


GROUP_LINES = (
    "1\tbest\t0\tnone\t1920\t1080\t345678\tPNG\t/home/ann/Pictures/caf\\xe9.png\n"
    "1\tcopy\t6\trotate_90\t108\t192\t12345\tJPEG\t/home/ann/Pictures/small.jpg\n"
)


def _duplicates(*groups: wire.Group, **changes: object) -> wire.DuplicatesReply:
    (known,) = [reply for reply in samples.REPLIES if isinstance(reply, wire.DuplicatesReply)]
    plain = msgspec.structs.replace(
        known, groups=list(groups), next=None, uncompared=0, freshness=COMPLETE
    )
    return msgspec.structs.replace(plain, **changes)


def _group(first: int = 0, total: int = 2) -> wire.Group:
    (known,) = [reply for reply in samples.REPLIES if isinstance(reply, wire.DuplicatesReply)]
    return msgspec.structs.replace(known.groups[0], first=first, total=total)


def test_groups_are_lines_in_a_pipe_and_tables_on_a_terminal(
    daemon: TableHandler, run: Run
) -> None:
    daemon.on(wire.DuplicatesRequest, _duplicates(_group(), _group()))
    result = run("duplicates")
    assert (result.status, result.errors) == (0, "")
    assert result.output == GROUP_LINES + GROUP_LINES.replace("1\tbest", "2\tbest").replace(
        "1\tcopy", "2\tcopy"
    )
    shown = run("duplicates", is_terminal=True).output
    assert shown.startswith("2 files, 12.1 KiB to spare:\nverdict  bits  turn")
    assert "rotate 90" in shown


def test_a_group_on_two_pages_is_one_group(daemon: TableHandler, run: Run) -> None:
    pages = {
        None: _duplicates(_group(0, 4), next=b"1"),
        b"1": _duplicates(next=b"2"),
        b"2": _duplicates(_group(2, 4)),
    }

    def answer(call: Call) -> wire.Reply:
        assert isinstance(call.request, wire.DuplicatesRequest)
        return pages[call.request.after]

    daemon.on(wire.DuplicatesRequest, answer)
    assert run("duplicates").output == GROUP_LINES * 2
    names = b"/home/ann/Pictures/caf\xe9.png\0/home/ann/Pictures/small.jpg\0"
    assert run("duplicates", "-0").raw == names * 2 + b"\0"
    [group] = json.loads(run("duplicates", "--json").output)["groups"]
    assert len(group["files"]) == 4
    assert run("duplicates", is_terminal=True).output.count("to spare") == 1


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (_duplicates(), 1),
        (_duplicates(uncompared=3), 3),
        (_duplicates(freshness=INCOMPLETE), 3),
        (_duplicates(_group(), uncompared=3), 0),
    ],
)
def test_no_copies_is_final_only_when_all_is_compared(
    daemon: TableHandler, run: Run, reply: wire.DuplicatesReply, status: int
) -> None:
    daemon.on(wire.DuplicatesRequest, reply)
    result = run("duplicates")
    assert result.status == status
    assert bool(result.errors) == (reply.uncompared > 0 or reply.freshness.pending > 0)


def test_groups_can_wait_until_all_is_compared(daemon: TableHandler, run: Run) -> None:
    states = iter([40, 3, 0])
    daemon.on(
        wire.StatusRequest,
        lambda _call: msgspec.structs.replace(_status(samples.ROOT), uncompared=next(states, 0)),
    )
    daemon.on(wire.DuplicatesRequest, _duplicates(_group()))
    result = run("duplicates", "--wait", "/home/ann", "Pictures", is_terminal=True)
    assert result.status == 0
    asked = daemon.calls[-1].request
    assert isinstance(asked, wire.DuplicatesRequest)
    assert asked.paths == [b"/home/ann", os.fsencode(Path("Pictures").absolute())]


def test_waiting_for_comparing_gives_up_in_time(daemon: TableHandler, run: Run) -> None:
    waiting = msgspec.structs.replace(_status(samples.ROOT), uncompared=5)
    daemon.on(wire.StatusRequest, waiting)
    result = run("duplicates", "--wait", "--timeout", "0.5")
    assert (result.status, "not every picture was compared" in result.errors) == (2, True)
    assert "copies    5 pictures to be compared" in run("status").output


def test_start_tells_that_a_daemon_runs(daemon: TableHandler, run: Run) -> None:
    assert run("start", may_start=True).output == "pspd already runs, pid 4242\n"
    assert run("start").status == 2


def test_without_a_daemon_each_verb_says_so_and_stop_is_content(run: Run, home: Path) -> None:
    result = run("status")
    assert result.status == 2
    assert result.errors.count("\n") == 1
    assert "pspd does not run" in result.errors
    assert (run("stop").status, run("stop").output) == (0, "pspd is not running\n")


def test_what_should_not_happen_is_one_line(daemon: TableHandler, run: Run, image: str) -> None:
    daemon.on(wire.StatusRequest, SEARCH_REPLY)
    result = run("status")
    assert (result.status, result.errors.count("\n")) == (2, 1)

"""Mistakes on the command line: one line each, which says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.conftest import Run


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("search", "-n", "0", "x"), "a number from 1 to 2147483647 is wanted: '0'"),
        (("search", "-n", "9" * 23, "x"), "a number from 1 to 2147483647 is wanted"),
        (("search", "-n", "9" * 5000, "x"), "a number from 1 to 2147483647 is wanted"),
        (("search", "-n", "-5", "x"), "a number from 1 to 2147483647 is wanted: '-5'"),
        (("search", "--count", "-5", "x"), "a number from 1 to 2147483647 is wanted: '-5'"),
        (("search", "--distance", "-1", "x"), "a number from 0 to 256 is wanted: '-1'"),
        (("search", "--distance", "257", "x"), "a number from 0 to 256 is wanted: '257'"),
        (("search", "-dash.jpg"), "for the file '-dash.jpg' write ./-dash.jpg"),
        (("search", "--jsno", "x"), "no option '--jsno', did you mean --json?"),
        (("search", "--original", "--similar", "x"), "not allowed with argument"),
        (("status", "all"), "'all' is one word too many"),
        (("--timeout", "never", "status"), "seconds above 0 are wanted"),
        (("--timeout", "1e300", "status"), "seconds above 0 are wanted, at most 1,000,000"),
    ],
)
def test_a_mistake_in_arguments_is_one_line_that_leads_to_help(
    run: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    result = run(*arguments)
    assert (result.status, result.output) == (2, "")
    assert result.errors.startswith("pspc: ")
    assert sentence in result.errors
    verb = "" if "--timeout" in arguments else f" {arguments[0]}"
    assert result.errors.endswith(f"; see pspc{verb} --help\n")
    assert result.errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("serach", "x.jpg"), "there is no verb 'serach', did you mean search?"),
        (("dance",), "there is no verb 'dance'"),
        ((), "a verb is wanted, such as add or search"),
    ],
)
def test_a_wrong_verb_is_one_line(run: Run, arguments: tuple[str, ...], line: str) -> None:
    result = run(*arguments)
    assert (result.status, result.errors) == (2, f"pspc: {line}; see pspc --help\n")


def test_a_file_that_is_taken_for_an_option_is_told_how_to_be_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-dash").mkdir()
    assert run("add", "-dash").errors.endswith("; for the file '-dash' write ./-dash\n")

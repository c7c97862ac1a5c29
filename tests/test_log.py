"""Log lines: their form, what is escaped, and what is held back."""

from __future__ import annotations

import errno
import io
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pspd import log
from pspd.log import Kind, LineHandler, RateLimit, Suppressed, format_value


class Clock:
    """A clock that stands until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(stream: io.StringIO, clock: Clock) -> Iterator[log.Logger]:
    handler = LineHandler(stream, is_journal=True, clock=clock)
    target = logging.getLogger("test.log")
    target.addHandler(handler)
    target.setLevel(logging.DEBUG)
    target.propagate = False
    yield log.get_logger("test.log")
    target.removeHandler(handler)
    handler.close()


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The process's logging, put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield root
    logging.captureWarnings(capture=False)
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = handlers, level


def test_a_line_for_a_person_has_time_level_logger_event_and_fields(
    root_logger: logging.Logger, stream: io.StringIO
) -> None:
    log.configure("info", "logfmt", stream, {})
    log.get_logger("pspd.indexer").info("root added", path="/a b", files=3, took=0.1234567)
    moment, rest = stream.getvalue().split(" ", 1)
    assert len(moment) == len("ts=2026-01-31T12:00:00.000Z")
    assert rest == (
        'level=info logger=pspd.indexer event="root added" path="/a b" files=3 took=0.123457\n'
    )


def test_a_line_for_journald_has_a_priority_instead(
    logger: log.Logger, stream: io.StringIO
) -> None:
    logger.debug("a")
    logger.info("b")
    logger.warning("c")
    logger.error("d")
    assert stream.getvalue().splitlines() == [
        "<7>logger=test.log event=a",
        "<6>logger=test.log event=b",
        "<4>logger=test.log event=c",
        "<3>logger=test.log event=d",
    ]


def test_less_important_lines_than_the_level_are_left_out(
    root_logger: logging.Logger, stream: io.StringIO
) -> None:
    log.configure("warning", "journal", stream, {})
    log.get_logger("pspd").info("left out")
    log.get_logger("pspd").warning("written")
    assert stream.getvalue() == "<4>logger=pspd event=written\n"


def test_a_warning_of_a_library_becomes_a_line(
    root_logger: logging.Logger, stream: io.StringIO
) -> None:
    log.configure("warning", "journal", stream, {})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("watches: " + 50_000 * "x", RuntimeWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert stream.getvalue().startswith("<4>logger=py.warnings event=")
    assert stream.getvalue().count("\n") == 1
    assert len(stream.getvalue()) < 1200


def test_journald_is_recognised_by_device_and_inode(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w") as stream:
        status = os.fstat(stream.fileno())
        named = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert log.is_journal(stream, named)
        assert not log.is_journal(stream, {"JOURNAL_STREAM": "1:1"})
        assert not log.is_journal(stream, {})
        assert not log.is_journal(io.StringIO(), named)


def test_auto_writes_for_journald_when_it_reads_the_stream(
    root_logger: logging.Logger, tmp_path: Path
) -> None:
    file = tmp_path / "journal"
    with file.open("w") as stream:
        status = os.fstat(stream.fileno())
        environ = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        log.configure("info", "auto", stream, environ)
        log.get_logger("pspd").info("hello")
    assert file.read_text() == "<6>logger=pspd event=hello\n"


def test_a_traceback_is_written_below_its_line_and_escaped(
    logger: log.Logger, stream: io.StringIO
) -> None:
    try:
        raise ValueError("red \x1b[31m")  # noqa: TRY301  # a traceback is what this is about
    except ValueError:
        logger.exception("search failed", path="/x")
    lines = stream.getvalue().splitlines()
    assert lines[0] == '<3>logger=test.log event="search failed" path=/x'
    assert lines[1] == "<3>  Traceback (most recent call last):"
    assert lines[-1] == "<3>  ValueError: red \\x1b[31m"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("word", "word"),
        ("two words", '"two words"'),
        ("", '""'),
        ('say "x"', '"say \\"x\\""'),
        ("a=b", '"a=b"'),
        ("back\\slash", '"back\\\\slash"'),
        ("line\nfeed", '"line\\nfeed"'),
        ("\x1b[2J", '"\\x1b[2J"'),
        ("\u202egnp.exe", '"\\u202egnp.exe"'),
        ("\u0085", '"\\u0085"'),
        (os.fsdecode(b"caf\xe9"), '"caf\\xe9"'),
        (b"caf\xe9", '"caf\\xe9"'),
        ("图片.jpg", "图片.jpg"),
        (True, "true"),
        (None, "none"),
        (1 / 3, "0.333333"),
        (Path("/x"), "/x"),
    ],
)
def test_a_value_is_one_word_or_quoted_with_everything_visible(value: object, written: str) -> None:
    assert format_value(value) == written


def test_a_long_value_is_cut_and_says_so() -> None:
    assert format_value("x" * 5000) == f'"{"x" * 1000}… (4000 more)"'


@given(st.text())
def test_no_text_breaks_out_of_its_line(text: str) -> None:
    written = format_value(text)
    assert all(char.isprintable() or char in "\u3000\u00a0" for char in written)
    written.encode()
    if written.startswith('"'):
        body = written[1:-1].replace("\\\\", "")
        assert '"' not in body.replace('\\"', "")


def test_a_flood_of_one_event_is_cut_and_the_rest_counted(
    logger: log.Logger, stream: io.StringIO, clock: Clock
) -> None:
    for number in range(100_000):
        logger.warning("file failed", path=number)
    logger.warning("another event")
    assert stream.getvalue().count("\n") == 21
    clock.now += 60
    logger.warning("file failed", path="next minute")
    assert stream.getvalue().splitlines()[-2:] == [
        '<4>logger=test.log event="file failed" suppressed=99980',
        '<4>logger=test.log event="file failed" path="next minute"',
    ]


def test_of_a_flood_of_tracebacks_a_few_are_written(
    logger: log.Logger, stream: io.StringIO, clock: Clock
) -> None:
    for _ in range(100):
        logger.traceback("a part died", ZeroDivisionError("it is told"))
    assert stream.getvalue().count("ZeroDivisionError: it is told") == 3
    assert stream.getvalue().count('event="a part died"') == 20
    clock.now += 60
    logger.traceback("a part died", ZeroDivisionError("it is told"))
    assert stream.getvalue().count("ZeroDivisionError: it is told") == 4


class FullDisk(io.StringIO):
    """A stream that takes nothing for a while."""

    is_full = False

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(text)


def test_lines_that_could_not_be_written_are_counted_and_nothing_else_is_said(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = FullDisk()
    handler = LineHandler(disk, is_journal=True, clock=clock)
    target = logging.getLogger("test.full")
    target.addHandler(handler)
    target.propagate = False
    logger = log.get_logger("test.full")
    disk.is_full = True
    logger.error("one")
    logger.error("two")
    disk.is_full = False
    logger.error("three", path="/x")
    logger.error("four")
    target.removeHandler(handler)

    assert disk.getvalue().splitlines() == [
        "<3>logger=test.full event=three path=/x lost_before=2",
        "<3>logger=test.full event=four",
    ]
    assert capsys.readouterr().err == ""


def test_what_was_held_back_is_told_at_the_end(stream: io.StringIO, clock: Clock) -> None:
    handler = LineHandler(stream, is_journal=True, clock=clock)
    for _ in range(30):
        handler.handle(logging.LogRecord("lib", logging.INFO, "", 0, "chatter %s", (1,), None))
    handler.close()
    assert stream.getvalue().splitlines()[-2:] == [
        '<6>logger=lib event="chatter 1"',
        '<6>logger=lib event="messages of this logger" suppressed=10',
    ]


def test_a_window_begins_with_its_first_line_and_is_forgotten_after_it() -> None:
    limit = RateLimit(lines=2, seconds=10)
    kind = Kind("pspd", logging.INFO, "event")
    assert [limit.admits(kind, now) for now in (0, 1, 9)] == [True, True, False]
    assert limit.take_expired(9.9) == []
    assert limit.take_expired(10) == [Suppressed(kind, 1)]
    assert limit.take_expired(20) == []
    assert limit.admits(kind, 20)

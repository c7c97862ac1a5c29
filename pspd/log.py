"""Structured log lines: an event and its fields, escaped, never a flood.

    log = get_logger(__name__)
    log.info("root added", path=root.path)

writes `ts=2026-01-31T12:00:00.000Z level=info logger=pspd.indexer event="root added" path=/x` to
standard error, or, for journald, the same with a priority prefix instead of time and level.
File names come from strangers, so every value is escaped and cut; pixels are never logged.
"""

from __future__ import annotations

import copy
import logging
import os
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple, TextIO

from pspd.rpc.wire import printable

MAX_VALUE_CHARACTERS: Final = 1000
"""A longer value is cut; the longest path of Linux is four times that, and rare."""

LINES_PER_WINDOW: Final = 20
"""So many lines of one event in one window; 100,000 broken files make 20 lines a minute."""

TRACEBACKS_PER_WINDOW: Final = 3
"""Of those lines, so many have a traceback below them, which may be fifty lines more."""

WINDOW_SECONDS: Final = 60.0

PRIORITIES: Final[Mapping[int, int]] = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
"""Levels as syslog's numbers, as sd-daemon(3) reads them in front of a line."""

_FIELDS: Final = "psp_fields"


class Logger:
    """Writes events of one module; the event is a constant, all that varies is a field."""

    __slots__ = ("_logger",)

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **fields: object) -> None:
        """Write what helps only whoever looks into this module."""
        self._logger.debug(event, extra={_FIELDS: fields})

    def info(self, event: str, **fields: object) -> None:
        """Write what an owner of the daemon may want to know."""
        self._logger.info(event, extra={_FIELDS: fields})

    def warning(self, event: str, **fields: object) -> None:
        """Write what somebody should look at, though all goes on."""
        self._logger.warning(event, extra={_FIELDS: fields})

    def error(self, event: str, **fields: object) -> None:
        """Write what failed."""
        self._logger.error(event, extra={_FIELDS: fields})

    def exception(self, event: str, **fields: object) -> None:
        """Write what failed, with the traceback of the exception being handled."""
        self._logger.error(event, exc_info=True, extra={_FIELDS: fields})  # noqa: LOG014  # the caller handles it

    def traceback(self, event: str, error: BaseException, **fields: object) -> None:
        """Write what failed, with the traceback of an exception that somebody else caught."""
        trace = (type(error), error, error.__traceback__)
        self._logger.error(event, exc_info=trace, extra={_FIELDS: fields})


def get_logger(name: str) -> Logger:
    """Return the logger of a module; pass `__name__`."""
    return Logger(logging.getLogger(name))


def configure(
    level: Literal["debug", "info", "warning", "error"],
    format: Literal["auto", "logfmt", "journal"],
    stream: TextIO,
    environ: Mapping[str, str],
) -> None:
    """Send every log line and warning of this process to `stream`.

    Args:
        level: The least important level that is written.
        format: `auto` is `journal` when journald reads `stream`, which $JOURNAL_STREAM tells.
        stream: Standard error, but for tests.
        environ: The environment.
    """
    for_journal = format == "journal" or (format == "auto" and is_journal(stream, environ))
    handler = LineHandler(stream, is_journal=for_journal)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # watchdog warns with a list of all its watches in one message; here it is cut and limited.
    logging.captureWarnings(capture=True)


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether journald reads `stream`, whose device and inode $JOURNAL_STREAM then names."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes records as lines, at most `LINES_PER_WINDOW` of one event in one window."""

    def __init__(
        self, stream: TextIO, *, is_journal: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(stream)
        self._is_journal = is_journal
        self._clock = clock
        self._limit = RateLimit()
        self._traces = RateLimit(TRACEBACKS_PER_WINDOW)
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it; called with the handler's lock held."""
        try:
            now = self._clock()
            self._write_summaries(self._limit.take_expired(now))
            self._traces.take_expired(now)
            if self._limit.admits(_kind_of(record), now):
                if record.exc_info and not self._traces.admits(_kind_of(record), now):
                    record = _without_traceback(record)
                self._write(record)
        except OSError:
            # A full disk, or nobody reads it any more: it is told with the next line that arrives.
            self._lost += 1
        except Exception:  # noqa: BLE001  # logging's own rule: a log that fails stops nothing
            self.handleError(record)

    def close(self) -> None:
        """Write how much was suppressed and not yet told."""
        self.acquire()
        try:
            if not self.stream.closed:
                self._write_summaries(self._limit.take_expired(float("inf")))
        finally:
            self.release()
        super().close()

    def _write_summaries(self, summaries: Iterable[Suppressed]) -> None:
        for kind, lines in summaries:
            record = logging.LogRecord(kind.logger, kind.level, "", 0, kind.event, None, None)
            setattr(record, _FIELDS, {"suppressed": lines})
            self._write(record)

    def _write(self, record: logging.LogRecord) -> None:
        if self._lost:
            setattr(record, _FIELDS, {**getattr(record, _FIELDS, {}), "lost_before": self._lost})
        self.stream.write(format_record(record, is_journal=self._is_journal))
        self.flush()
        self._lost = 0


class Kind(NamedTuple):
    """What the rate limit counts together."""

    logger: str
    level: int
    event: str


class Suppressed(NamedTuple):
    """How many lines of a kind were not written in a window that is over."""

    kind: Kind
    lines: int


class RateLimit:
    """Counts lines of each kind in windows that begin with the kind's first line."""

    def __init__(self, lines: int = LINES_PER_WINDOW, seconds: float = WINDOW_SECONDS) -> None:
        self._lines = lines
        self._seconds = seconds
        self._windows: dict[Kind, tuple[float, int]] = {}

    def admits(self, kind: Kind, now: float) -> bool:
        """Count a line and say whether it may be written; `now` in seconds."""
        begin, count = self._windows.get(kind, (now, 0))
        self._windows[kind] = (begin, count + 1)
        return count < self._lines

    def take_expired(self, now: float) -> list[Suppressed]:
        """Forget the windows that are over; return what each suppressed, if anything."""
        expired = [k for k, (begin, _) in self._windows.items() if now - begin >= self._seconds]
        counts = [(kind, self._windows.pop(kind)[1] - self._lines) for kind in expired]
        return [Suppressed(kind, count) for kind, count in counts if count > 0]


def format_record(record: logging.LogRecord, *, is_journal: bool) -> str:
    """Return a record as one line, and one more for each line of a traceback."""
    fields: Mapping[str, object] = getattr(record, _FIELDS, {})
    level = (
        "" if is_journal else f"ts={_timestamp(record.created)} level={record.levelname.lower()} "
    )
    prefix = f"<{PRIORITIES.get(record.levelno, 5)}>" if is_journal else ""
    words = [f"logger={format_value(record.name)}", f"event={format_value(record.getMessage())}"]
    words += [f"{name}={format_value(value)}" for name, value in fields.items()]
    lines = [level + " ".join(words)]
    if record.exc_info:
        trace = "".join(traceback.format_exception(*record.exc_info))
        lines += [f"  {printable(line)}" for line in trace.splitlines()]
    return "".join(f"{prefix}{line}\n" for line in lines)


def format_value(value: object) -> str:
    """Return a value as logfmt has it, in quotes where it would not be one word."""
    match value:
        case bytes():
            text = os.fsdecode(value)
        case float():
            text = f"{value:.6g}"
        case bool() | None:
            text = str(value).lower()
        case _:
            text = str(value)
    cut = len(text) - MAX_VALUE_CHARACTERS
    if cut > 0:
        text = f"{text[:MAX_VALUE_CHARACTERS]}… ({cut} more)"
    if text and not any(char in ' ="\\' or not char.isprintable() for char in text):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(quoted)}"'


def _without_traceback(record: logging.LogRecord) -> logging.LogRecord:
    # The record is every handler's, so that it is not changed here.
    bare = copy.copy(record)
    bare.exc_info = None
    return bare


def _kind_of(record: logging.LogRecord) -> Kind:
    # A library's messages may all differ, so they are counted together.
    event = str(record.msg) if hasattr(record, _FIELDS) else "messages of this logger"
    return Kind(record.name, record.levelno, event)


def _timestamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"

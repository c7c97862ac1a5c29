"""Where the commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, NamedTuple, TextIO

from pspc.errors import OutputError
from pspd.rpc.wire.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

PROGRAM = "pspc"

USUAL_COLUMNS = 80
"""Of a terminal that does not say."""


class Console(NamedTuple):
    """The two streams of a command; no dataclass, which costs every command 5 ms to import."""

    output: TextIO
    errors: TextIO

    @classmethod
    def standard(cls) -> Self:
        """Return the process's own streams, made unable to fail at a character.

        Pipes get UTF-8 whatever the locale says: scripts read them. A stream that was closed
        before the start (`>&-`) is as good as /dev/null.
        """
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is None:
                setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - kept
            elif hasattr(stream, "reconfigure"):
                encoding = None if stream.isatty() else "utf-8"
                stream.reconfigure(encoding=encoding, errors="backslashreplace")
        return cls(sys.stdout, sys.stderr)

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads the results."""
        return self.output.isatty()

    @property
    def shows_progress(self) -> bool:
        """Whether a line on standard error can be written over."""
        return self.errors.isatty()

    @property
    def columns(self) -> int | None:
        """Columns of the terminal that shows the results; None when nobody knows."""
        return columns_of(self.output)

    @property
    def progress_columns(self) -> int:
        """Columns that a line which is written over may have without wrapping."""
        return (columns_of(self.errors) or USUAL_COLUMNS) - 1

    def line(self, text: str) -> None:
        """Write one line of a result.

        Raises:
            OutputError: it cannot be written.
        """
        with writing():
            self.output.write(f"{text}\n")

    def raw(self, data: bytes) -> None:
        """Write bytes of a result as they are.

        Raises:
            OutputError: they cannot be written.
        """
        with writing():
            self.output.flush()
            self.output.buffer.write(data)

    def flush(self) -> None:
        """See to it that all of the result is written.

        Raises:
            OutputError: it cannot be written.
        """
        with writing():
            self.output.flush()

    def note(self, text: str, *details: str) -> None:
        """Write one line for the person: a hint, or what is wrong; details are lines below it."""
        self.flush()
        self.complain(text, *details)

    def complain(self, text: str, *details: str) -> None:
        """Write what `note` writes, also when the output cannot be written."""
        lines = [f"{PROGRAM}: {printable(text)}", *(f"  {printable(line)}" for line in details)]
        self._tell("".join(f"{line}\n" for line in lines))

    def overwrite(self, text: str) -> None:
        """Show `text` in place of the last line of standard error."""
        self._tell(f"\r\x1b[K{text}")

    def drop_output(self) -> None:
        """Give up what is not written yet: Python would fail at it once more when it ends."""
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), self.output.fileno())

    def _tell(self, text: str) -> None:
        # When not even this can be written there is nobody left to be told.
        with contextlib.suppress(OSError):
            self.errors.write(text)
            self.errors.flush()


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Translate what goes wrong while the output is written.

    Raises:
        OutputError: it cannot be written.
        BrokenPipeError: nobody reads it any longer.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write the output: {error.strerror}") from error


def columns_of(stream: TextIO) -> int | None:
    """Return the columns of a terminal, as $COLUMNS or it itself says; None when neither does."""
    # Not `shutil.get_terminal_size`: that asks standard output, which may be a pipe while progress
    # is shown on standard error.
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isascii() and wanted.isdigit() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None

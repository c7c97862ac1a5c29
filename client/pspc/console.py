"""Where the commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple, TextIO

from pspd.rpc.wire import printable

if TYPE_CHECKING:
    from typing import Self

PROGRAM = "pspc"


class Console(NamedTuple):
    """The two streams of a command; no dataclass, which costs every command 5 ms to import."""

    output: TextIO
    errors: TextIO

    @classmethod
    def standard(cls) -> Self:
        """Return the process's own streams, made unable to fail at a character.

        Pipes get UTF-8 whatever the locale says: scripts read them.
        """
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
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

    def line(self, text: str) -> None:
        """Write one line of a result."""
        self.output.write(f"{text}\n")

    def raw(self, data: bytes) -> None:
        """Write bytes of a result as they are."""
        self.output.flush()
        self.output.buffer.write(data)

    def note(self, text: str) -> None:
        """Write one line for the person: a hint, or what is wrong."""
        self.output.flush()
        self.errors.write(f"{PROGRAM}: {printable(text)}\n")
        self.errors.flush()

    def overwrite(self, text: str) -> None:
        """Show `text` in place of the last line of standard error."""
        self.errors.write(f"\r\x1b[K{text}")
        self.errors.flush()

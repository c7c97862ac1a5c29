"""One module a verb: its arguments, its examples, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pspc.errors import DaemonError

if TYPE_CHECKING:
    import argparse

    from pspc.connection import Connection
    from pspc.console import Console
    from pspc.errors import PathError


class Verb(Protocol):
    """What every module of this package offers."""

    __doc__: str | None
    """What `pspc VERB --help` begins with."""
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's arguments."""

    def run(self, arguments: argparse.Namespace, console: Console) -> int:
        """Do it; returns the exit status."""


def connect(arguments: argparse.Namespace) -> Connection:
    """Open a connection as the common arguments say, starting the daemon unless they forbid it."""
    from pspc.connection import DEFAULT_TIMEOUT, Connection  # noqa: PLC0415 - 40 ms of ZeroMQ

    return Connection(
        start=not arguments.no_start,
        timeout=arguments.timeout or DEFAULT_TIMEOUT,
        address=arguments.connect,
        key=arguments.key,
    )


def about_folder(directory: str, error: DaemonError | PathError) -> str:
    """Return the sentence about a folder; an error about a watch root names it already."""
    if isinstance(error, DaemonError) and error.code != "root":
        return f"{directory}: {error}"
    return str(error)

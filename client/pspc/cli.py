"""argv → verb → exit status. Each verb is a module of `pspc.commands`, loaded when it is used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pspc.console import Console
from pspc.errors import OutputError, PspcError
from pspc.parsing import load, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
"""What a shell reports of a program that SIGINT ended; the next one, SIGPIPE."""
EXIT_BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run one command; returns its exit status.

    Args:
        arguments: Without the program's name; None for those of the process.
        console: Where to write; None for the process's streams.
    """
    console = console or Console.standard()
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(words, console)
    except OutputError as error:
        console.drop_output()
        console.complain(str(error))
        return EXIT_ERROR
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        console.drop_output()
        return EXIT_BROKEN_PIPE


def _run(words: Sequence[str], console: Console) -> int:
    try:
        parsed = parse(words)
        status = load(parsed.verb).run(parsed, console)
        console.flush()
    except (OutputError, BrokenPipeError):
        raise
    except PspcError as error:
        console.note(*error.report())
        return EXIT_ERROR
    except Exception as error:  # noqa: BLE001 - a person gets a line, not a traceback
        console.note(f"this should not happen, please report it: {type(error).__name__}: {error}")
        return EXIT_ERROR
    return status

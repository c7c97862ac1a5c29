"""The process `pspc`, and `python -m pspc`: the command line, begun and ended in a hurry.

Half of what a small search costs is Python itself, which prepares for a life of hours: it looks for
cycles among what the imports make, and takes all modules apart at the end. Of 75 ms of processor
time this module saves 13.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

_COLLECTION_OBJECTS = 50_000
"""Objects that come to be until cycles are looked for, instead of 700. The imports make some 30,000
that stay; a command that runs for hours leaves 10 MB of cycles at most."""


def run() -> NoReturn:
    """Run the command line; the process ends with its status.

    Raises:
        SystemExit: help or the version was printed.
    """
    gc.set_threshold(_COLLECTION_OBJECTS)
    from pspc.cli import main  # noqa: PLC0415 - as the line above says

    status = main()
    # What was written is flushed by now or cannot be, connections are closed, and threads that go
    # on are of no use any more: nothing is left to do but to free memory bit by bit.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    run()

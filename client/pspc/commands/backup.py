"""Write a verified copy of the store, compact, into a folder or beside the store.

The daemon makes one each week by itself (store.backup_days) and takes the newest when its store is
damaged. To use a copy that lies elsewhere: stop the daemon, and put the copy in the place of the
folder `store` in its state directory. What pspc distinct has told apart goes along, in the file
distinct.jsonl, whose place is beside that folder.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pspc.commands import connect
from pspd.rpc.wire import printable

if TYPE_CHECKING:
    import argparse

    from pspc.console import Console

EXAMPLES = """\
  pspc backup
  pspc backup /media/usb/psp
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directory", nargs="?", metavar="DIR", help="where; it is made if need be")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Back up, and print where the copy lies."""
    from pspc.jobs import run_job  # noqa: PLC0415 - brings the wire
    from pspd.rpc import wire  # noqa: PLC0415

    given = arguments.directory
    path = None if given is None else os.fsencode(os.path.abspath(given))
    with connect(arguments) as connection:
        request = wire.StartJob("backup", path=path)
        finished = run_job(connection, request, console, arguments.timeout)
    if arguments.json:
        from pspc import care_documents, documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(care_documents.backup(finished.reply)))
    else:
        console.line(printable(finished.reply.summary))
    return 0

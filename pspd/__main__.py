"""argv → Config → daemon.run(); a PspError becomes one line and an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pspd import __version__
from pspd.errors import PspError

EXAMPLES = """\
examples:
  pspd                          run in the foreground; Ctrl-C stops it
  pspd --print-config           show every setting that is in force
  PSP_HOME=/tmp/psp pspd        keep everything under one folder
The client starts the daemon by itself: pspc add ~/Pictures
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon from the command line."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options.config, print_config=options.print_config)
    except PspError as error:
        sys.stderr.write(f"pspd: {error}\n")
        return error.exit_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pspd",
        description="The picture search daemon: watches folders and answers pspc.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="read this configuration")
    parser.add_argument(
        "--print-config", action="store_true", help="print the configuration in force and exit"
    )
    parser.add_argument("--version", action="version", version=f"pspd {__version__}")
    return parser


def _run(config_file: Path | None, *, print_config: bool) -> int:
    # Imported here, so that --help and --version answer without numpy and the rest.
    from pspd import config as configuration  # noqa: PLC0415

    config = configuration.load(os.environ, config_file)
    if print_config:
        sys.stdout.write(configuration.render(config))
        return 0
    from pspd import daemon, log  # noqa: PLC0415

    log.configure(config.log.level, config.log.format, sys.stderr, os.environ)
    daemon.run(config, os.environ)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""argv → Config → daemon.run(); a PspError becomes one line and an exit status."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pspd import __version__
from pspd.errors import ConfigError, PspError

EX_SOFTWARE = 70
"""Of sysexits(3), as the next one; systemd restarts upon either."""
EX_OSERR = 71

EXAMPLES = """\
examples:
  pspd                          run in the foreground; Ctrl-C stops it
  pspd --print-config           show every setting that is in force
  pspd --libraries              show which libraries it is made of, and their versions
  PSP_HOME=/tmp/psp pspd        keep everything under one folder
  pspd --repair                 put the store aside; the next daemon builds it anew
  pspd keys add laptop f.key    let a client in over tcp ([remote] listen); f.key is for it
  pspd keys list                who is let in
  pspd keys remove laptop       shut it out
The client starts the daemon by itself: pspc add ~/Pictures
"""

KEYS_EXAMPLES = """\
examples:
  pspd keys add laptop laptop.key    make keys; laptop.key is for the other machine, and a secret
  pspd keys list
  pspd keys remove laptop
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon from the command line."""
    # Python prints and forgets an interrupt that falls into a callback of its import system; until
    # the daemon takes signals itself there is nothing that could not be left as it is.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # NumPy reads it when it is loaded. OpenBLAS's threads spin while they wait for one another: on
    # two cores that others used, a scan of 60,000 vectors took 883 ms with two, and 75 with one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        # Here, for argparse loads a module when it is first of use, which may fail as any other.
        options = _parser().parse_args(arguments)
        if options.repair:
            return _repair(options.config)
        if options.libraries:
            return _list_libraries()
        return _run(options)
    except PspError as error:
        sys.stderr.write(f"pspd: {error}\n")
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - a person gets a line, the log has the rest
        return _say_unexpected(error)


def _say_unexpected(error: Exception) -> int:
    """Say in one line that the daemon ends; returns the exit status."""
    if isinstance(error, OSError | ImportError | MemoryError):
        reason = getattr(error, "strerror", None) or str(error) or "out of memory"
        sys.stderr.write(
            f"pspd: the system refuses what the daemon needs: {' '.join(reason.split())}; "
            "mend that and start it again\n"
        )
        return EX_OSERR
    said = " ".join(f"{type(error).__name__}: {error}".split())
    sys.stderr.write(f"pspd: this should not happen, please report it: {said}\n")
    return EX_SOFTWARE


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and end with the status 2."""
        self.exit(2, f"pspd: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="pspd",
        description="The picture search daemon: watches folders and answers pspc.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="read this configuration")
    parser.add_argument(
        "--print-config", action="store_true", help="print the configuration in force and exit"
    )
    parser.add_argument(
        "--libraries",
        action="store_true",
        help="print the versions of all libraries, bundled ones included, and exit",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="put the store aside and exit; the next daemon makes another from the newest backup "
        "and the pictures, and the watched folders stay",
    )
    parser.add_argument("--version", action="version", version=f"pspd {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="")
    keys = commands.add_parser(
        "keys",
        help="say who may search over tcp",
        description="Say who may search over tcp: this counts at once.",
        epilog=KEYS_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="let a client in; writes the file it needs")
    add.add_argument("name", metavar="NAME", help="what to call it")
    add.add_argument("file", metavar="FILE", type=Path, help="a new file, to be taken to it")
    remove = actions.add_parser("remove", help="shut a client out")
    remove.add_argument("name", metavar="NAME", help="what it is called")
    actions.add_parser("list", help="list who is let in")
    return parser


def _run(options: argparse.Namespace) -> int:
    # Imported here, so that --help and --version answer without numpy and the rest, and that a
    # module that cannot be read ends it with a line.
    from pspd import config as configuration  # noqa: PLC0415

    config = configuration.load(os.environ, options.config)
    if options.print_config:
        sys.stdout.write(configuration.render(config))
        return 0
    if options.command == "keys":
        _change_keys(config.paths.keys, options)
        return 0
    from pspd import log  # noqa: PLC0415
    from pspd.claim import claimed  # noqa: PLC0415

    log.configure(config.log.level, config.log.format, sys.stderr, os.environ)
    try:
        with claimed(config) as claim:
            from pspd import daemon  # noqa: PLC0415

            daemon.run(config, os.environ, claim)
    except PspError:
        raise
    except Exception as error:
        log.get_logger(__name__).traceback("the daemon ends by an unexpected error", error)
        raise
    return 0


def _list_libraries() -> int:
    """Print which libraries PSP is made of, one `name version` a line."""
    from pspd.libraries import versions  # noqa: PLC0415 - it loads all of them

    for name, version in versions().items():
        sys.stdout.write(f"{name} {version}\n")
    return 0


def _repair(config_file: Path | None) -> int:
    from pspd import config as configuration  # noqa: PLC0415
    from pspd.lock import only_daemon  # noqa: PLC0415
    from pspd.rpc.wire.text import quoted  # noqa: PLC0415
    from pspd.store import opening  # noqa: PLC0415

    state = configuration.load(os.environ, config_file).paths.state
    if not state.is_dir():
        raise ConfigError(f"there is no store: {quoted(os.fspath(state))} is no folder")
    os.umask(0o077)
    with only_daemon(state):
        told = opening.rebuild(state) or ["there was no store"]
    for line in told:
        sys.stdout.write(f"{line}\n")
    return 0


def _change_keys(folder: Path, options: argparse.Namespace) -> None:
    from pspd.rpc.key_store import KeyStore  # noqa: PLC0415 - brings ZeroMQ
    from pspd.rpc.wire.text import printable  # noqa: PLC0415

    keys = KeyStore(folder)
    match options.action:
        case "add":
            keys.add_client(options.name, options.file)
            sys.stdout.write(
                f"{options.name} is let in; take {printable(str(options.file))} to it, and there: "
                f"pspc --connect tcp://HOST:PORT --key {printable(options.file.name)} status\n"
            )
        case "remove":
            keys.remove_client(options.name)
            sys.stdout.write(f"{options.name} is shut out\n")
        case _:
            sys.stdout.writelines(f"{name}\n" for name, _ in keys.clients())


if __name__ == "__main__":
    sys.exit(main())

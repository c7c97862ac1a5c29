"""List the models that make learned descriptors; add one, use one, or remove it.

Hashes find copies that were resized or recompressed; a learned descriptor finds those that were
cropped, framed or written upon. When another model is used, all pictures are described anew in the
background, and the old descriptors answer until that is done. `pause` stops that until `resume`.

What is in the list with a package is there as soon as the package is installed. A model of your own
is described in the configuration, by [models.NAME]. In a pipe: name, "in use" or nothing, "ready"
or "absent", numbers of a descriptor, bytes, origin, licence and problem, separated by tabs.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Final

from pspc.commands import connect
from pspc.errors import PspcError, SourceError, UsageError
from pspc.render import field, human_bytes, table
from pspd.rpc.wire import printable, quoted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import IO

    from pspc.connection import Connection
    from pspc.console import Console
    from pspd.rpc import wire

EXAMPLES = """\
  pspc model list
  pspc model add dinov2-small
  pspc model add dinov2-small --file ~/Downloads/model.onnx
  pspc model use dinov2-small
  pspc model remove dinov2-small
  pspc model pause
"""

_CHANGE_SECONDS: Final = 600.0
"""To copy a model of some hundred megabytes, load it and try it."""

_WITHOUT_NAME: Final = ("list", "pause", "resume")

_SPARE: Final = 1.5
"""How much larger than is known what is downloaded may be."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=("list", "add", "use", "remove", "pause", "resume"),
        metavar="ACTION",
        help="list (if nothing is said), add, use, remove, pause or resume",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="which model")
    parser.add_argument("--file", metavar="FILE", help="add: the model's file, which is copied")
    parser.add_argument("--sha256", metavar="HEX", default="", help="add: what the file has to be")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """List the models, or change one of them."""
    action, name = arguments.action, arguments.name
    _require_sense(arguments)
    with connect(arguments) as connection:
        match action:
            case "list":
                models = connection.models()
            case "add":
                models = _add(connection, arguments, console)
            case _:
                models = connection.change_model(action, name or "", timeout=_seconds(arguments))
    if arguments.json:
        from pspc import care_documents, documents  # noqa: PLC0415 - of no use to other output

        console.line(documents.text_of(care_documents.models(models)))
    elif action == "list":
        _show(models, console)
    else:
        console.line(_done(action, name))
    return 0


def _require_sense(arguments: argparse.Namespace) -> None:
    if (arguments.action in _WITHOUT_NAME) != (arguments.name is None):
        raise UsageError(
            "wanted is: pspc model list|pause|resume, or pspc model add|use|remove NAME"
        )
    if arguments.action != "add" and (arguments.file is not None or arguments.sha256):
        raise UsageError("--file and --sha256 belong to: pspc model add NAME")


def _seconds(arguments: argparse.Namespace) -> float:
    return float(arguments.timeout or _CHANGE_SECONDS)


def _add(
    connection: Connection, arguments: argparse.Namespace, console: Console
) -> list[wire.ModelStatus]:
    """Have the daemon add a model; the daemon itself reaches no network, so that we fetch it."""
    name, seconds = arguments.name, _seconds(arguments)
    known = {model.name: model for model in connection.models()}
    model = known.get(name)
    if arguments.file is not None or model is None or model.source != "download":
        return connection.change_model(
            "add", name, arguments.file, sha256=arguments.sha256, timeout=seconds
        )
    with tempfile.NamedTemporaryFile(prefix="pspc-model-", suffix=".onnx") as file:
        try:
            _fetch(model, file, console)
            file.flush()
        except OSError as error:
            raise PspcError(
                f"the model cannot be kept in {quoted(tempfile.gettempdir())}: {error.strerror}; "
                "TMPDIR may name another folder"
            ) from error
        return connection.change_model("add", name, file.name, sha256=model.sha256, timeout=seconds)


def _fetch(model: wire.ModelStatus, file: IO[bytes], console: Console) -> None:
    from pspc.downloading import download  # noqa: PLC0415 - of no use to other actions

    address = os.fsdecode(model.origin)
    console.note(f"fetching {printable(address)}, {human_bytes(model.size)}, {model.licence}")
    try:
        download(
            address,
            file,
            sha256=model.sha256,
            most_bytes=int(_SPARE * model.size),
            console=console,
        )
    except SourceError as error:
        raise SourceError(
            f"{printable(address)}: {error}; or get it otherwise, and: "
            f"pspc model add {model.name} --file FILE"
        ) from error


def _done(action: str, name: str | None) -> str:
    match action:
        case "pause":
            return "nothing more is described until: pspc model resume"
        case "resume":
            return "pictures are described in the background: pspc status"
        case "add":
            return f"{name} was added; to use it: pspc model use {name}"
        case "use":
            return f"{name} is in use; pictures are described by it in the background: pspc status"
        case _:
            return f"{name} was removed"


def _show(models: Sequence[wire.ModelStatus], console: Console) -> None:
    if not console.is_terminal:
        for model in models:
            console.line("\t".join(_fields(model)))
        return
    rows = [
        (
            "*" if model.chosen else "",
            model.name,
            f"{model.dimension}" if model.dimension else "",
            human_bytes(model.size) if model.size else "",
            "ready" if model.usable else printable(model.problem),
        )
        for model in models
    ]
    console.line(table(("", "model", "numbers", "size", "state"), rows, right=(2, 3)))


def _fields(model: wire.ModelStatus) -> list[str]:
    return [
        field(model.name),
        "in use" if model.chosen else "",
        "ready" if model.usable else "absent",
        str(model.dimension),
        str(model.size),
        field(model.origin),
        field(model.licence),
        field(model.problem),
    ]

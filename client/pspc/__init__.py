"""PSP's thin client; `from pspc import Connection` to use it from Python.

    from pspc import Connection

    with Connection() as connection:
        for hit in connection.search("img.jpg").hits:
            print(hit.verdict, hit.path)

The names below are loaded when they are first used: `pspc --help` needs no ZeroMQ.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pspc.connection import Connection
    from pspc.errors import DaemonError, NotRunning, PspcError, SourceError, Unreachable

__all__ = ["Connection", "DaemonError", "NotRunning", "PspcError", "SourceError", "Unreachable"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "pspc.connection" if name == "Connection" else "pspc.errors"
    return getattr(import_module(module), name)

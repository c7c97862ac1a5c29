"""Dependencies flow one way, and the client stays thin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
HEAVY = ("numpy", "PIL", "lmdb", "watchdog", "imagehash", "scipy")

LIST_IMPORTED = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*(name for name in sys.modules if name.partition(".")[0] in sys.argv[2:]))
"""


def imported(module: str, packages: tuple[str, ...]) -> list[str]:
    """Modules of these packages that a fresh interpreter has after importing one module."""
    command = [sys.executable, "-c", LIST_IMPORTED, module, *packages]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_every_layer_imports_downwards_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [linter, "--no-cache", "--no-logo"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("module", ["pspc", "pspc.cli", "pspc.commands.selftest", "pspd.rpc.wire"])
def test_the_client_loads_nothing_heavy(module: str) -> None:
    assert imported(module, HEAVY) == []


def test_of_the_daemon_the_client_loads_the_wire_only() -> None:
    loaded = imported("pspc.cli", ("pspd",))

    assert all(name in {"pspd", "pspd.rpc"} or name.startswith("pspd.rpc.wire") for name in loaded)


def test_the_core_loads_the_standard_library_only() -> None:
    third_party = ("numpy", "PIL", "lmdb", "watchdog", "msgspec", "zmq")
    for module in ("pspd.core.model", "pspd.core.verdict", "pspd.core.reconcile", "pspd.errors"):
        assert imported(module, third_party) == []


def test_nothing_is_pickled() -> None:
    banned = ("import pickle", "import dill", "recv_pyobj", "send_pyobj", "allow_pickle=True")
    sources = [*CHECKOUT.glob("pspd/**/*.py"), *CHECKOUT.glob("client/**/*.py")]
    assert sources
    for source in sources:
        text = source.read_text()
        assert not [word for word in banned if word in text], source

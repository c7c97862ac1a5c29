"""Nothing that comes from outside is ever executed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*CHECKOUT.glob("pspd/**/*.py"), *CHECKOUT.glob("client/**/*.py")])
EXECUTES = re.compile(
    r"\b(?:import|from) (?:pickle|cPickle|marshal|shelve|dill|cloudpickle|joblib|yaml)\b"
    r"|import multiprocessing|recv_pyobj|send_pyobj|recv_serialized|allow_pickle"
    r"|\byaml\.load|(?<![.\w])(?:eval|exec|__import__)\(|shell=True|os\.(?:system|popen)\("
)


def test_the_sources_are_found() -> None:
    assert len(SOURCES) > 50


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_source_executes_no_data(source: Path) -> None:
    found = EXECUTES.search(source.read_text())
    assert found is None, found


@pytest.mark.parametrize(
    "slip",
    ["import pickle", "from pickle import loads", "socket.recv_pyobj()", "eval(text)", "shell=True",
     "np.load(file, allow_pickle=True)", "yaml.load(text)"],
)  # fmt: skip
def test_a_slip_would_be_found(slip: str) -> None:
    assert EXECUTES.search(f"    {slip}\n")

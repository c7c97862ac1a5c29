"""How much a run of the benchmarks does: enough to mean something, or as little as a test needs."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of one run. The defaults are those of `make bench`: under 15 minutes on 2 cores."""

    runs: int = 3
    """How often each comparison is repeated; its median counts."""
    pictures: tuple[Path, ...] = ()
    """Folders of real pictures; none for the shared ones, else samples are made."""
    megabytes: float = 150.0
    """Of each set of pictures, about: with 60 the client's start was a sixth of the time."""
    peer: Path | None = None
    """An interpreter with Immaculate; None to find or make one."""
    may_install_peer: bool = True
    tiny_files: int = 100_000
    """Of the folder that is indexed while pictures arrive, and rescanned then."""
    arrivals: int = 40
    """Pictures written one after the other, each awaited until it is found."""
    small_store: int = 1_000_000
    """Pictures in the synthetic store of most questions."""
    large_store: int = 10_000_000
    """Pictures in the synthetic store of the questions of scale."""
    stores: Path | None = None
    """Where synthetic stores are kept from run to run; None for the user's cache folder."""
    seconds: float = 20.0
    """How long a series of queries lasts."""
    queries: int = 24
    """Different query images."""
    pairs: int = 21
    """Processes of the client, and of what it is compared with."""
    clients: int = 64
    """That ask at once."""
    waiting: int = 300
    """Pictures that are kept waiting where indexing is to go on, at least."""
    rest: float = 60.0
    """Most seconds that a daemon is waited for until it rests after its start."""
    changes: int = 12
    """Pictures that are added to a large store and removed again."""
    curve_files: tuple[int, ...] = (100, 300, 1_000, 3_000, 10_000, 30_000)
    """Sizes of folders for the curve of indexing."""
    curve_stores: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    """Sizes of synthetic stores for the curves of queries, memory and disk."""


FULL = Plan()

QUICK = Plan(
    runs=1,
    megabytes=10.0,
    tiny_files=10_000,
    arrivals=10,
    small_store=100_000,
    large_store=100_000,
    seconds=4.0,
    rest=10.0,
    pairs=7,
    changes=4,
    curve_files=(100, 1_000),
    curve_stores=(10_000, 100_000),
)
"""A minute or two: to see where one stands while changing something; no target is judged by it."""

TINY = Plan(
    runs=1,
    megabytes=0.2,
    may_install_peer=False,
    tiny_files=50,
    arrivals=2,
    small_store=2_000,
    large_store=3_000,
    seconds=0.3,
    rest=0.0,
    waiting=30,
    queries=2,
    pairs=1,
    clients=4,
    changes=1,
    curve_files=(10, 20),
    curve_stores=(1_000, 2_000),
)
"""Seconds, for tests: nothing is judged."""

PLANS = {"full": FULL, "quick": QUICK, "tiny": TINY}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that every benchmark has."""
    parser.add_argument("--size", choices=PLANS, default="full", help="how much to do")
    parser.add_argument(
        "--pictures", type=Path, nargs="+", default=[], metavar="DIR", help="real pictures"
    )
    parser.add_argument(
        "--peer-python", type=Path, metavar="PYTHON", help="an interpreter with Immaculate"
    )
    parser.add_argument(
        "--stores", type=Path, metavar="DIR", help="where synthetic stores are kept between runs"
    )


def plan_of(options: argparse.Namespace) -> Plan:
    """Return the plan that the options ask for."""
    return replace(
        PLANS[options.size],
        pictures=tuple(options.pictures),
        peer=options.peer_python,
        stores=options.stores,
    )


def cache_folder() -> Path:
    """Return the folder for what is kept from run to run; `PSP_BENCH_CACHE` names another one."""
    named = os.environ.get("PSP_BENCH_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "psp-benchmarks"

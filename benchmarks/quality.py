"""How well copies are found after the edits that people make, beside the peers.

    python -m benchmarks.quality [--tier hashes] [--no-peers] [--pictures DIR…] [--limit N]
        [--queries N] [--edits NAMES] [--seed S] [--known FILE] [--record FILE]

Every picture that is not flat is indexed. Some are edited (`pspc.selftest.edits`), and the edited
ones are searched for. Two tables in Markdown, for docs/quality.md:

1. Descriptors, in this process: for each edit, the share of queries whose original is within the
   threshold at which 1 % of the pictures, unedited, find a stranger; and the share of which it is
   the nearest. PSP's hashes stand beside ImageHash's and PDQ, and beside Immaculate if it is there.
2. The daemon, by what it calls a copy: what `pspc selftest` prints, on these pictures.

Strangers are all pictures but known copies: those of one group of --known, which has a group a
line, of patterns as of fnmatch with spaces between them. `--tier hashes` leaves out the daemon.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from benchmarks.live_daemon import live_daemon
from benchmarks.machine import machine
from benchmarks.methods import Absent, Distances, Method, methods
from benchmarks.peer import Peer
from benchmarks.peer_sets import peer_shares
from benchmarks.plan import FULL
from pspc.console import Console
from pspc.errors import IndexingStalled
from pspc.selftest.edits import EDITS, Edit, Unreadable, chosen, read_source
from pspc.selftest.figures import Figures, figures_of
from pspc.selftest.sampling import draw
from pspc.selftest.tiers import searches_of
from pspc.selftest.trial import Trial
from pspc.waiting import wait_for_describing
from pspd.core import verdict
from pspd.core.model import Limits
from pspd.errors import FileFailure
from pspd.features.extract import extract
from tests.pictures import shared_pictures

FOREIGN_SHARE = 0.01
"""Of unedited queries that may find a stranger: where a method's threshold is put."""
IMMACULATE = "Immaculate"
KNOWN_COPIES = Path(__file__).with_name("known_copies.txt")

Related = npt.NDArray[np.bool_]
"""Pictures × pictures: whether they are known copies, or the same."""


@dataclass(frozen=True, slots=True)
class Share:
    """What became of one edit by one method; shares are 0 to 1."""

    method: str
    edit: str
    recall: float
    """Within the threshold."""
    first: float | None
    """Nearest of all that are no known copies of it; None where there is no order."""
    foreign: float
    """With a stranger within the threshold."""


@dataclass(slots=True)
class Record:
    """Everything one run found."""

    machine: str
    pictures: int
    queries: list[int]
    """Numbers of the pictures that are edited."""
    seed: int
    thresholds: dict[str, float] = field(default_factory=dict)
    foreign: dict[str, float] = field(default_factory=dict)
    """Share of the unedited that find a stranger within the threshold."""
    shares: list[Share] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)

    def write(self, path: Path | None) -> None:
        """Write it as JSON, if a path is given."""
        if path is not None:
            text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
            path.write_text(text + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Picture:
    """One indexed picture."""

    name: str
    data: bytes


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    shared = shared_pictures()
    folders = options.pictures or ([shared / "photos", shared / "clipart"] if shared else [])
    if not folders:
        print("no pictures: name a folder with --pictures", file=sys.stderr)
        return 2
    edits = chosen(options.edits.split(",") if options.edits else [])
    pictures = indexed_pictures(folders, options.limit)
    queries = Random(options.seed).sample(
        range(len(pictures)), min(options.queries or len(pictures), len(pictures))
    )
    record = Record(machine(), len(pictures), queries, options.seed)
    related = known_copies([each.name for each in pictures], options.known)
    found, record.absent = methods(has_peers=not options.no_peers)
    measure(found, pictures, edits, related, record)
    record.write(options.record)
    if not options.no_peers:
        peer = Peer(replace(FULL, peer=options.peer_python))
        measure_peer(peer, pictures, edits, related, record)
    print(*descriptor_table(record), sep="\n")
    if options.tier != "hashes":
        record.figures = daemon_figures(folders, len(queries), edits, options.seed)
        print(*daemon_table(record.figures), sep="\n")
    record.write(options.record)
    return 0


def indexed_pictures(folders: Iterable[Path], limit: int) -> list[Picture]:
    """Read the pictures that are not flat, at most so many spread over all; 0 for all."""
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    pictures = []
    for path in paths[:: max(1, len(paths) // limit)] if limit else paths:
        data = path.read_bytes()
        try:
            read_source(data, 16)
            quality = extract(data, Limits()).quality
        except (FileFailure, Unreadable):
            continue
        if quality >= verdict.FLAT_QUALITY:
            pictures.append(Picture(path.name, data))
    return pictures


def known_copies(names: Sequence[str], groups: Path) -> Related:
    """Say which pictures are known copies of one another, each of itself too."""
    related = np.eye(len(names), dtype=np.bool_)
    for line in groups.read_text(encoding="utf-8").splitlines():
        patterns = line.partition("#")[0].split()
        members = np.array(
            [any(fnmatch.fnmatchcase(name, each) for each in patterns) for name in names], np.bool_
        )
        related |= np.outer(members, members)
    return related


def measure(
    found: Sequence[Method],
    pictures: Sequence[Picture],
    edits: Sequence[Edit],
    related: Related,
    record: Record,
) -> None:
    """Take the methods' distances, and what is found by them."""
    for method in found:
        method.index([each.data for each in pictures])
        put_thresholds(method, related, record)
        _progress(f"{method.name}: threshold")
    sources = {number: read_source(pictures[number].data) for number in record.queries}
    for edit in edits:
        rows: dict[str, list[tuple[bool, bool, bool]]] = {name: [] for name in record.thresholds}
        for number in record.queries:
            edited = edit.apply(sources[number], record.seed).data
            for method in found:
                distances = method.distances(edited)
                own = float(distances[number])
                stranger = _nearest_stranger(distances, related[number])
                for name in (method.name, _as_set(method)):
                    if name in rows:
                        threshold = record.thresholds[name]
                        rows[name].append((own <= threshold, own < stranger, stranger <= threshold))
        for name, of_method in rows.items():
            recall, first, foreign = np.mean(np.array(of_method, np.float64), axis=0).tolist()
            record.shares.append(Share(name, edit.name, recall, first, foreign))
        _progress(edit.name)
    _progress("")


def _as_set(method: Method) -> str:
    """Name a method at the threshold that its makers put."""
    return f"{method.name}, as set"


def put_thresholds(method: Method, related: Related, record: Record) -> None:
    """Put a method's thresholds by what the pictures find unedited."""
    strangers = [
        _nearest_stranger(method.distances(number), row) for number, row in enumerate(related)
    ]
    thresholds = {method.name: foreign_threshold(strangers, FOREIGN_SHARE)}
    if method.threshold is not None:
        thresholds[_as_set(method)] = method.threshold
    for name, threshold in thresholds.items():
        record.thresholds[name] = threshold
        record.foreign[name] = float(np.mean(np.array(strangers) <= threshold))


def measure_peer(
    peer: Peer,
    pictures: Sequence[Picture],
    edits: Sequence[Edit],
    related: Related,
    record: Record,
) -> None:
    """Have Immaculate do the same work."""
    if not peer.is_there:
        record.absent.append(Absent(IMMACULATE, peer.note))
        return
    sources = {number: read_source(pictures[number].data) for number in record.queries}
    files = [each.data for each in pictures]
    for found in peer_shares(peer, files, sources, edits, related, record.seed, _progress):
        share = Share(IMMACULATE, found.edit, found.recall, None, found.foreign)
        record.shares.append(share)
    _progress("")


def _progress(text: str) -> None:
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def foreign_threshold(nearest: Sequence[float], share: float) -> float:
    """Return the largest distance within which at most a share of queries has its stranger.

    Args:
        nearest: Of each query, the distance of the nearest stranger.
        share: 0 to 1.
    """
    ordered = sorted(nearest)
    allowed = int(share * len(ordered))
    return float(ordered[allowed]) - 1.0 if allowed < len(ordered) else float(ordered[-1])


def descriptor_table(record: Record) -> Iterable[str]:
    """Yield the table of descriptors."""
    names = list(dict.fromkeys(share.method for share in record.shares))
    yield f"\n{record.pictures} pictures, {len(record.queries)} of them edited; {record.machine}\n"
    yield from (f"{each.name} is not there: {each.why}\n" for each in record.absent)
    yield _line("edit", names)
    yield _line("---", ["---:"] * len(names))
    yield _line("threshold", [_threshold(record, name) for name in names])
    shares = [record.foreign.get(name) for name in names]
    yield _line("unedited with a stranger", ["" if s is None else f"{s:.3f}" for s in shares])
    by_edit: dict[str, dict[str, Share]] = {}
    for share in record.shares:
        by_edit.setdefault(share.edit, {})[share.method] = share
    for edit, of_edit in by_edit.items():
        yield _line(edit, [_pair(of_edit[name].recall, of_edit[name].first) for name in names])
    means = [[of_edit[name] for of_edit in by_edit.values()] for name in names]
    yield _line("**mean**", [_pair(_mean(each, "recall"), _mean(each, "first")) for each in means])
    yield _line("edited with a stranger", [f"{_mean(each, 'foreign'):.3f}" for each in means])


def _threshold(record: Record, name: str) -> str:
    return f"≤ {record.thresholds[name]:g}" if name in record.thresholds else "its own"


def _mean(shares: Sequence[Share], field: str) -> float | None:
    values = [getattr(share, field) for share in shares]
    return None if None in values else float(np.mean(values))


def _pair(recall: float | None, first: float | None) -> str:
    assert recall is not None, "every method finds or does not"
    return f"{recall:.3f}" if first is None else f"{recall:.3f} / {first:.3f}"


def daemon_figures(
    folders: Sequence[Path], count: int, edits: Sequence[Edit], seed: int
) -> list[Figures]:
    """Have a daemon of its own index the folders, and try the edits on it."""
    with live_daemon() as daemon, daemon.connect() as connection:
        for folder in folders:
            connection.add(folder)
        connection.sync()
        # Else the first edits would be tried while few pictures have their descriptor.
        with suppress(IndexingStalled):  # without a model
            wait_for_describing(daemon.connect, Console.standard(), None)
        trial = Trial(searches_of(connection), edits, seed)
        samples = draw([os.fsencode(folder) for folder in folders], count, Random(seed))
        return figures_of(trial.run(samples, count).outcomes)


def daemon_table(figures: Iterable[Figures]) -> Iterable[str]:
    """Yield the table of the daemon's tiers."""
    header = ["tier", "queries", "recall", "first", "others", "overlap", "p50", "p95"]
    yield "\n" + _line("edit", header)
    yield _line("---", ["---", *["---:"] * (len(header) - 1)])
    for each in figures:
        yield _line(
            each.edit,
            [
                each.tier,
                str(each.queries),
                *(f"{share:.3f}" for share in (each.recall, each.first, each.foreign)),
                "" if each.overlap is None else f"{each.overlap:.2f}",
                f"{each.p50_ms:.0f} ms",
                f"{each.p95_ms:.0f} ms",
            ],
        )


def _nearest_stranger(distances: Distances, related: npt.NDArray[np.bool_]) -> float:
    strangers = distances[~related]
    return float(strangers.min()) if len(strangers) else np.inf


def _line(first: str, columns: Iterable[str]) -> str:
    return f"| {first} | " + " | ".join(columns) + " |"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tier", choices=("hashes", "all"), default="all")
    parser.add_argument("--no-peers", action="store_true", help="only PSP's own hashes")
    parser.add_argument("--peer-python", type=Path, help="an interpreter with Immaculate")
    parser.add_argument("--pictures", type=Path, nargs="+", default=[], metavar="DIR")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="index about so many")
    parser.add_argument("--queries", type=int, default=90, metavar="N", help="edit so many")
    names = ", ".join(edit.name for edit in EDITS)
    parser.add_argument("--edits", default="", metavar="NAMES", help=f"only some of: {names}")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--known", type=Path, default=KNOWN_COPIES, metavar="FILE")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write what was found as JSON")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

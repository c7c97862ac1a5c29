"""What can be set: one frozen dataclass a section, and the range of every number.

The docstring under a field is what `pspd --print-config` prints above the key.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from pspd.core.model import Limits
from pspd.rpc.wire import DEFAULT_KEEP


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the daemon keeps its own files."""

    state: Path
    """Directory of the store and of its lock; absolute. Follows $PSP_HOME, else
    $XDG_DATA_HOME/psp."""
    runtime: Path
    """Directory of the sockets. Follows $PSP_HOME, else $XDG_RUNTIME_DIR/psp; it cannot be set
    in the file, because the client finds the daemon by the environment alone."""

    @property
    def keys(self) -> Path:
        """Folder of the keys for tcp."""
        return self.state / "keys"


@dataclass(frozen=True, slots=True)
class Watch:
    """How watch roots are kept fresh."""

    quiet_seconds: float = 1.0
    """A file whose writer was not seen to close it is read when it was quiet so long; seconds."""
    max_delay_seconds: float = 30.0
    """A path that never gets quiet is looked at after this long all the same; seconds."""
    coalesce_seconds: float = 0.05
    """Hints below one directory are gathered for so long before anybody looks; seconds."""
    rescan_seconds: float = 3600.0
    """Every root is scanned again after this long, whatever the notifier reported; seconds."""
    notifier: Literal["auto", "inotify", "watchdog", "polling", "none"] = "auto"
    """Where hints come from: auto (the best for this system), inotify (Linux), watchdog, polling,
    or none (rescans only)."""
    poll_seconds: float = 30.0
    """Pause between two looks of the polling notifier; seconds."""
    blind_poll_seconds: float = 5.0
    """A directory that cannot be watched is looked at after so long, and after twice as long each
    time that nothing changed; seconds."""
    blind_poll_longest_seconds: float = 300.0
    """Longest pause between two such looks; seconds."""
    confirm_seconds: float = 600.0
    """When more than half of a root seems gone, at once or bit by bit within so long, and nobody
    was seen deleting it, a second look after so long is believed; seconds."""
    heartbeat_seconds: float = 60.0
    """Pause between two signs of life that the source of hints is asked for; seconds."""
    incomplete_seconds: float = 600.0
    """A picture that ends early may still be on its way: it is read again now and then until its
    last change is so long ago; seconds."""


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that decode pictures."""

    processes: int = 0
    """Worker processes for indexing; 0 is the number of usable processor cores."""
    query_processes: int = 2
    """Worker processes kept for queries, so that a search never waits behind indexing."""
    nice: int = 5
    """Niceness of the indexing workers: 0 competes with the desktop, 19 yields to everything; above
    0 they also get the disk only when nobody else wants it."""
    sandbox: Literal["require", "prefer"] = "require" if sys.platform == "linux" else "prefer"
    """What to do where the system cannot confine a worker (Landlock and seccomp): require (decode
    nothing) or prefer (decode all the same, and say so)."""


@dataclass(frozen=True, slots=True)
class Store:
    """What the daemon remembers, and how it writes."""

    map_bytes: int = 64 << 30
    """Address space reserved for the database, in bytes; it grows when this is not enough, and no
    disk is used before there is data."""
    keep_removed_days: float = 7.0
    """Features of a removed file are kept so long, so that its return costs no decoding; days."""
    min_free_bytes: int = 512 << 20
    """Indexing pauses when less than this is free on the store's disk, or less than a twentieth of
    a small disk; searches are answered all the same. In bytes."""
    backup_days: float = 7.0
    """How often a verified copy of the store is put into `backups` beside it; 0 is never. A damaged
    store is replaced by the newest, which spares reading all pictures again; days."""
    backups_kept: int = 1
    """How many such copies are kept; each is about as large as the store."""
    file_systems: Literal["local", "any"] = "local"
    """Where the store may lie: on local file systems, or on any; on a network or FUSE file system
    it may be damaged."""
    batch_files: int = 256
    """Most files in one write transaction."""
    batch_seconds: float = 0.25
    """Longest time a finished file waits for its transaction to be full; seconds."""


@dataclass(frozen=True, slots=True)
class Search:
    """How queries are answered."""

    copy_distance: int | None = None
    """Largest distance of the 256-bit hashes that is called a copy, in bits; absent means the
    calibrated threshold."""
    mean_difference: float | None = None
    """Largest difference of a channel's mean between copies, in levels of 0 to 255; absent means
    any, for a threshold was measured to lose more copies than foreign pictures."""
    max_hits: int = 10_000
    """Most hits in one reply, when the client does not ask for fewer."""
    pixel_comparisons: int = 64
    """Most candidates whose pixels are compared for one query."""
    verify_seconds: float = 10.0
    """Comparing pixels for one query stops after this long, and the reply says so; seconds."""
    budget_seconds: float = 1.0
    """What learned descriptors and proofs may take for one query; seconds."""
    threads: int = 4
    """Requests that are answered at the same time."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What is proposed about copies."""

    keep: str = DEFAULT_KEEP
    """Which of several copies to keep, unless pspc duplicates --keep says otherwise: rules in their
    order, each asked of those that are still equal: pixels, metadata, lossless, bytes, oldest,
    newest, path:GLOB."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Searching from other machines."""

    listen: str | None = None
    """Address at which clients with a key are answered, such as "tcp://0.0.0.0:7420"; absent means
    that nothing listens on the network. First make keys with: pspd keys add NAME."""


@dataclass(frozen=True, slots=True)
class Log:
    """What the daemon says on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important messages that are written: debug, info, warning or error."""
    format: Literal["auto", "logfmt", "journal"] = "auto"
    """logfmt (one `key=value` line a message), journal (the same with priorities for journald), or
    auto (journal under systemd, else logfmt)."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """An ONNX image encoder of your own, under a name of your own: pspc model add NAME takes it."""

    name: str
    """What it is called."""
    file: Path
    """Where its file lies; absolute. It is copied when the model is added, and not looked at
    again."""
    side: int
    """Width and height of the pictures that it wants, in pixels."""
    resize: Literal["squash", "crop"] = "squash"
    """squash (all of a picture, whatever its shape) or crop (the middle square of it)."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """What is taken from red, green and blue, which go from 0 to 1."""
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """What they are divided by then."""
    layout: Literal["nchw", "nhwc"] = "nchw"
    """Whether the colours come before height and width (nchw) or after them (nhwc)."""
    dtype: Literal["float32", "float16", "uint8"] = "float32"
    """Type of the numbers; uint8 is levels from 0 to 255, which the model normalises itself."""
    input: str = ""
    """Name of its input; empty for the only one."""
    output: str = ""
    """Name of its output; empty for the only one."""
    pool: Literal["none", "class", "mean"] = "none"
    """What is taken of the output: none (it is one row a picture), class (the first token of each
    picture) or mean (the mean of its tokens)."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set."""

    paths: Paths
    watch: Watch = Watch()
    limits: Limits = Limits()
    workers: Workers = Workers()
    store: Store = Store()
    search: Search = Search()
    duplicates: Duplicates = Duplicates()
    remote: Remote = Remote()
    log: Log = Log()
    models: tuple[ModelFile, ...] = ()


class Range(NamedTuple):
    """Smallest and largest value, both allowed."""

    least: float
    most: float


RANGES: Mapping[str, Range] = {
    "watch.quiet_seconds": Range(0.0, 3600.0),
    "watch.max_delay_seconds": Range(0.0, 86_400.0),
    "watch.coalesce_seconds": Range(0.0, 60.0),
    "watch.rescan_seconds": Range(0.1, 31 * 86_400.0),
    "watch.poll_seconds": Range(0.01, 86_400.0),
    "watch.blind_poll_seconds": Range(0.01, 86_400.0),
    "watch.blind_poll_longest_seconds": Range(0.01, 86_400.0),
    "watch.confirm_seconds": Range(0.0, 31 * 86_400.0),
    "watch.heartbeat_seconds": Range(0.1, 86_400.0),
    "watch.incomplete_seconds": Range(0.0, 86_400.0),
    "limits.max_bytes": Range(1, 1 << 40),
    "limits.max_pixels": Range(1, 1 << 40),
    "limits.max_side": Range(1, 1 << 30),
    "limits.max_frames": Range(1, 10_000_000),
    "limits.max_scans": Range(1, 20_000),
    "limits.max_segments": Range(1, 100_000_000),
    "limits.max_metadata": Range(1, 1 << 40),
    "limits.max_seconds": Range(0.1, 3600.0),
    # Below this the libraries themselves find no room; 64 MiB decodes a picture of 10 megapixels.
    "limits.max_memory": Range(64 << 20, 1 << 46),
    "workers.processes": Range(0, 1024),
    "workers.query_processes": Range(1, 64),
    "workers.nice": Range(0, 19),
    "store.map_bytes": Range(1 << 20, 1 << 46),
    "store.keep_removed_days": Range(0.0, 36_500.0),
    "store.min_free_bytes": Range(0, 1 << 46),
    "store.backup_days": Range(0.0, 3650.0),
    "store.backups_kept": Range(1, 1000),
    "store.batch_files": Range(1, 100_000),
    "store.batch_seconds": Range(0.0, 60.0),
    "search.copy_distance": Range(0, 256),
    "search.mean_difference": Range(0.0, 255.0),
    "search.max_hits": Range(1, 10_000_000),
    "search.pixel_comparisons": Range(0, 100_000),
    "search.verify_seconds": Range(0.0, 3600.0),
    "search.budget_seconds": Range(0.01, 60.0),
    "search.threads": Range(1, 256),
}
"""What each number may be. Wide on purpose: they keep out what cannot work, not what is unwise."""

FROM_ENVIRONMENT: Mapping[str, str] = {
    "paths.runtime": "the client finds the sockets by PSP_HOME or XDG_RUNTIME_DIR alone"
}
"""Keys that the file cannot set, and why."""

"""Scenario of G15: the kernel makes the disk under the store read-only, as after a disk's failure.

python -m tests.reliability.read_only FOLDER; needs to be root in a mount namespace.

A real file system on a file, which is told that it met an error: mount(8) would refuse to make it
read-only while the store is open for writing, and a failing disk does not ask.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from pspc import Connection
from tests.e2e.daemon import Daemon
from tests.e2e.home import Home
from tests.e2e.scenes import save
from tests.reliability.ledger import read_ledger
from tests.reliability.namespace import mount
from tests.waiting import until

TOLD_SECONDS = 30.0
"""How long to wait for the notice."""


def can_fail() -> bool:
    """Say whether a file system can be made here that fails when it is told to."""
    return os.getuid() == 0 and Path("/dev/loop-control").exists() and Path("/sys/fs/ext4").exists()


def fail(place: Path) -> None:
    """Let the kernel meet an error in a file system, which it answers as it was mounted."""
    device = os.stat(place).st_dev
    name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
    Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("a test\n")


def notices(connection: Connection) -> list[tuple[str, str]]:
    """Return the causes and cures that `pspc status` tells of the store."""
    told = connection.status().notices
    return [(each.cause, each.cure) for each in told if each.area == "store"]


def scenario(folder: Path) -> dict[str, object]:
    """Run it; returns what was seen."""
    image = folder / "disk"
    with image.open("wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    home = Home()
    mount("-o", "loop,errors=remount-ro", image, home.path)
    home.path.chmod(0o700)
    pictures = home.pictures()
    first = save(1, pictures / "first.png")
    with Daemon(home) as daemon, Connection(home.path, timeout=TOLD_SECONDS) as connection:
        assert daemon.await_ready(), daemon.log()
        connection.add(pictures)
        connection.sync()
        fail(home.path)
        save(2, pictures / "second.png")
        told = until(lambda: bool(notices(connection)), TOLD_SECONDS)
        said = notices(connection)
        hits = connection.search(first).hits
        status, seconds = daemon.stop()
        log = daemon.log()
    subprocess.run(["umount", home.path], check=True)
    subprocess.run(["fsck.ext4", "-fy", image], check=False, capture_output=True)
    mount("-o", "loop", image, home.path)
    with Daemon(home) as daemon, Connection(home.path, timeout=TOLD_SECONDS) as connection:
        assert daemon.await_ready(), daemon.log()
        connection.sync()
        indexed = connection.status().indexed
        daemon.stop()
    ledger = read_ledger(home.path / "store")
    subprocess.run(["umount", home.path], check=True)
    shutil.rmtree(home.folder)
    return {
        "told": told,
        "notices": said,
        "finds": [os.fsdecode(hit.path) for hit in hits] == [str(first)],
        "status": status,
        "seconds": seconds,
        "indexed": indexed,
        "faults": len(ledger.faults),
        "traceback": "Traceback" in log,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(scenario(Path(sys.argv[1]))) + "\n")

"""What a run was taken on: the machine, the versions, and how busy the machine was."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from PIL import features

PACKAGES = (
    "pillow",
    "numpy",
    "lmdb",
    "pyzmq",
    "msgspec",
    "simplejpeg",
    "pywuffs",
    "opencv-python-headless",
)
"""Those that are not installed are left out."""


def machine() -> str:
    """Describe the machine, the versions, and how busy the machine is with other work."""
    versions = ", ".join(each for each in map(_versioned, PACKAGES) if each)
    jpeg = features.version("libjpeg_turbo")
    return (
        f"{cores()} usable cores, {_processor()}, {_memory()}; "
        f"{platform.system()} {platform.release()}; Python {platform.python_version()}, "
        f"{versions}, libjpeg-turbo {jpeg}. Load before the run: {os.getloadavg()[0]:.2f}."
    )


def cores() -> int:
    """Count the processor cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _versioned(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""


def _memory() -> str:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{total / (1 << 30):.0f} GiB"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()

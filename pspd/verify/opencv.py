"""OpenCV, which the extra `proof` brings, imported when something is first to be proven."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from typing import Any

from pspd.errors import MissingExtra


@cache
def is_installed() -> bool:
    """Say whether OpenCV is there, without importing it."""
    return importlib.util.find_spec("cv2") is not None


@cache
def opencv() -> Any:
    """Import OpenCV; return its module.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        library = importlib.import_module("cv2")
    except ImportError as error:
        raise MissingExtra(
            "proving copies needs an extra: pip install 'picsearchpic[proof]'"
        ) from error
    # Several pictures are proven at the same time, each in a thread of ours.
    library.setNumThreads(1)
    return library

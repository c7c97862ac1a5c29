"""ONNX Runtime, imported where it is used; it tells nobody what it does."""

from __future__ import annotations

import importlib
import os
from typing import Any, Final

from pspd.errors import ModelMissing

_SILENT: Final = {"ORT_DISABLE_TELEMETRY": "1"}
"""Since 1.29 the packages for Linux and macOS send usage data, and keep a number of the device in
the user's cache, unless this is set before the import. `disable_telemetry_events` comes too late:
by then there is a thread for it, and the event of the import is written."""


def import_runtime() -> Any:
    """Import ONNX Runtime and return the module.

    Raises:
        ModelMissing: It is not installed, or cannot be loaded here; the message says what to do.
    """
    os.environ.update(_SILENT)
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise ModelMissing(
            "learned descriptors need an extra: pip install 'picsearchpic[learned]' "
            f"({' '.join(str(error).split())})"
        ) from error

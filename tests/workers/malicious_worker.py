"""The real worker process with a malicious decoder: one that does what its file says.

The file begins like a BMP; behind 64 bytes comes the name of an act of `forbidden_acts`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from PIL import BmpImagePlugin, Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from pspd.core.model import FailureReason
from pspd.errors import FileFailure
from pspd.workers import process
from tests.workers import forbidden_acts

HEAD = b"BM".ljust(14, b"\0") + (40).to_bytes(4, "little")
HEAD_BYTES = 64


class MaliciousImageFile(BmpImagePlugin.BmpImageFile):
    """Takes the process over while it reads the header."""

    def _open(self) -> None:
        file: IO[bytes] = self.fp  # type: ignore[assignment]
        file.seek(0)
        data = file.read()
        if data[HEAD_BYTES - 1 : HEAD_BYTES] != b"!":
            file.seek(0)
            super()._open()
            return
        act = data[HEAD_BYTES:].decode()
        if act == "abort":
            os.abort()
        # A failure after which the worker is kept.
        raise FileFailure(FailureReason.UNSUPPORTED, f"<{forbidden_acts.attempt(act)}>")


Image.register_open("BMP", MaliciousImageFile)

if __name__ == "__main__":
    process.main()

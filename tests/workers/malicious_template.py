"""The real template with the malicious decoder: its workers do what their files say."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pspd.workers import template_process
from tests.workers import malicious_worker  # noqa: F401 - registers the decoder

if __name__ == "__main__":
    template_process.main()

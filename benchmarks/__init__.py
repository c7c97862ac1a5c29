"""Measurements; each prints ratios against a limit or a peer of the same run."""

import os

# As the daemon has it; NumPy reads it when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

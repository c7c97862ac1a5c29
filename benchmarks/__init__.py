"""Measurements; each prints ratios against a limit or a peer of the same run."""

import os

# As the daemon has it; NumPy reads it when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Else a checkout is compiled anew at each start of a client, which takes a fifth of its time;
# whoever installs PSP has it compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

"""`python -m pspc` is `pspc`."""

from __future__ import annotations

import sys

from pspc.cli import main

sys.exit(main())

"""Where tests find pictures that are not in the repository."""

from __future__ import annotations

import os
from pathlib import Path


def shared_pictures() -> Path | None:
    """Return the folder of real pictures beside the checkout, or None where it is absent.

    `PSP_PICTURES` names another one.
    """
    named = os.environ.get("PSP_PICTURES")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "pictures"
    return folder.resolve() if folder.is_dir() else None

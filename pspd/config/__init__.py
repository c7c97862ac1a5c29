"""Configuration: frozen values, an optional TOML file, and the daemon's only view of both.

Nothing else in the daemon reads configuration files or the environment.
"""

from pspd.config.loading import config_path, load
from pspd.config.rendering import render
from pspd.config.sections import (
    Config,
    Duplicates,
    Log,
    ModelFile,
    Paths,
    Remote,
    Search,
    Store,
    Watch,
    Workers,
)

__all__ = [
    "Config",
    "Duplicates",
    "Log",
    "ModelFile",
    "Paths",
    "Remote",
    "Search",
    "Store",
    "Watch",
    "Workers",
    "config_path",
    "load",
    "render",
]

"""Landlock: this process gives up every path, every TCP port and every stranger, for good.

A ruleset that handles all rights and grants none. Files opened before stay usable, and so do those
that come over a socket. See https://docs.kernel.org/userspace-api/landlock.html; of two libraries,
one has only development releases and knows no network, the other is an alpha of one release.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Final

from pspd.workers.system_calls import system_call

_VERSION_FLAG: Final = 1
"""LANDLOCK_CREATE_RULESET_VERSION: return the ABI and make nothing."""

_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15}
"""ABI → how many of the lowest bits are rights on files; later ones have 16."""
_NEWEST_FILE_RIGHTS: Final = 16
_NETWORK_ABI: Final = 4
_TCP: Final = 0b11
"""Bind and connect."""
_SCOPE_ABI: Final = 6
_STRANGERS: Final = 0b11
"""Abstract Unix sockets, and signals to processes outside."""


def supported_abi() -> int:
    """Return the version of the kernel's Landlock, from 1.

    Raises:
        OSError: It has none (ENOSYS), or it is switched off (EOPNOTSUPP).
    """
    return system_call("landlock_create_ruleset", 0, 0, _VERSION_FLAG)


def give_up_everything() -> int:
    """Confine the calling thread, and those it starts, as far as the kernel can; return the ABI.

    Must be called before there are other threads, and after "no new privileges" was set.

    Raises:
        OSError: The kernel refuses; nothing has changed.
    """
    abi = supported_abi()
    ruleset = system_call(
        "landlock_create_ruleset", ctypes.cast(_ruleset(abi), ctypes.c_void_p), _SIZE
    )
    try:
        system_call("landlock_restrict_self", ruleset)
    finally:
        os.close(ruleset)
    return abi


_ATTRIBUTES: Final = struct.Struct("=QQQ")
"""struct landlock_ruleset_attr: rights on files, on the network, scopes. An older kernel takes a
longer structure as long as it is zero where it knows nothing."""
_SIZE: Final = _ATTRIBUTES.size


def _ruleset(abi: int) -> ctypes.Array[ctypes.c_char]:
    files = (1 << _FILE_RIGHTS.get(abi, _NEWEST_FILE_RIGHTS)) - 1
    network = _TCP if abi >= _NETWORK_ABI else 0
    scopes = _STRANGERS if abi >= _SCOPE_ABI else 0
    return ctypes.create_string_buffer(_ATTRIBUTES.pack(files, network, scopes), _SIZE)

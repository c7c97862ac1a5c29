"""The real worker process on a kernel that has neither Landlock nor seccomp.

A filter makes the kernel say so (ENOSYS), as an old one does.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from pspd.workers import process
from pspd.workers.system_calls import architecture, system_call

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERROR = 0x7FFF_0000, 0x0005_0000


def make_old() -> None:
    here = architecture()
    assert here is not None
    program = [
        (_LOAD, 0, 0, 0),
        (_EQUAL, 1, 0, here.numbers["landlock_create_ruleset"]),
        (_EQUAL, 0, 1, here.numbers["seccomp"]),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in program))
    header = struct.pack("@HP", len(program), ctypes.addressof(code))
    ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
    buffer = ctypes.create_string_buffer(header, len(header))
    system_call("seccomp", 1, 0, ctypes.cast(buffer, ctypes.c_void_p))


if __name__ == "__main__":
    make_old()
    process.main()

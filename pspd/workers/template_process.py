"""The template: a process that has loaded all that decoding needs, and forks workers on request.

    python -P -m pspd.workers.template_process SOCKET

A worker that is started takes 0.24 s of CPU time to import and warm what this process has already;
one that is forked here takes some milliseconds, and shares that memory. The template sees no file:
whatever a worker does in its sandbox, the next one comes from a process that met nobody's bytes.

A worker is made as the child of the daemon, not of the template (`CLONE_PARENT`): the daemon waits
for it, hears how it died and can kill it without a chance of meeting another process of its number.
The worker itself answers the request: were it the template, one that ends after the fork and before
the answer would leave the daemon a child that it does not know, and so never waits for. It keeps of
the template's descriptors the standard ones alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import signal
import socket
import sys
import traceback

import msgspec

from pspd.workers.channel import Channel, ChannelClosedError
from pspd.workers.messages import Fork, Forked
from pspd.workers.process import prepare_decoders, work
from pspd.workers.system_calls import system_call_with_lock

_CLONE_PARENT = 0x8000
_EVER = math.inf


def main() -> None:
    """Prepare, and fork workers until the other end is gone."""
    # As in a worker, which inherits this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    prepare_decoders()
    require_one_thread()
    with contextlib.suppress(ChannelClosedError):
        serve(channel)


def require_one_thread() -> None:
    """End this process if a library started a thread: a fork would have its locks and not it."""
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        sys.exit(f"the decoders have started {threads - 1} threads")


def serve(channel: Channel) -> None:
    """Fork one worker after the other.

    Raises:
        ChannelClosedError: the other end is gone.
    """
    requests = msgspec.msgpack.Decoder(Fork)
    while True:
        _, descriptor = channel.receive_with_descriptor(requests, deadline=_EVER)
        pid = fork_sibling()
        if pid == 0:
            _be_worker(channel, descriptor)
        os.close(descriptor)


def fork_sibling() -> int:
    """Fork as `os.fork` does, but a child of this process's parent; returns 0 in the child.

    Raises:
        OSError: The system has no room for another process.
    """
    # The lock of the interpreter is kept throughout, and there is no other thread.
    ctypes.pythonapi.PyOS_BeforeFork()
    try:
        pid = system_call_with_lock("clone", _CLONE_PARENT | signal.SIGCHLD)
    except OSError:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
        raise
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    return pid


def _be_worker(template: Channel, descriptor: int) -> None:
    """Be a worker, in the child, to the end of the process."""
    status = 1
    try:
        template.send(Forked(os.getpid()), deadline=_EVER)
        template.close()
        # As one that is started: a signal to a group of processes is not for it.
        os.setsid()
        work(Channel(socket.socket(fileno=descriptor)), _nothing)
        status = 0
    except BaseException:  # noqa: BLE001 - the child must not go on as a template
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _nothing() -> None:
    """Prepare what the template has prepared."""


if __name__ == "__main__":
    main()

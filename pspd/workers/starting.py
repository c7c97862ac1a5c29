"""Starts a worker and its conversation: forked by a template where there is one, else executed."""

from __future__ import annotations

import math
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from pspd.workers.channel import Channel
from pspd.workers.child import Child, ForkedChild
from pspd.workers.messages import Setup
from pspd.workers.template import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pspd.workers.template import Template

START_SECONDS: Final = 60.0
"""How long a worker may take to import its decoders: 0.2 s on an idle machine, but a machine that
has just been switched on is slower by far."""


def started(
    command: Sequence[str], setup: Setup, template: Template | None
) -> tuple[Child | ForkedChild, Channel]:
    """Start a worker that is not yet ready; waits for the template as long as that may take.

    Args:
        command: What to execute where no template forks it.
        setup: Its first message.
        template: Asked first, if there is one.

    Raises:
        OSError: It cannot be executed.
    """
    if template is not None:
        with suppress(TemplateError):
            return _connected(template.fork, setup)
    # Over another socket: of one that failed, somebody may have the other end.
    return _connected(partial(Child, command), setup)


def _connected(
    start: Callable[[int], Child | ForkedChild], setup: Setup
) -> tuple[Child | ForkedChild, Channel]:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    with theirs:
        try:
            # It waits for nobody: nothing else is in the socket's buffer.
            channel.send(setup, deadline=math.inf)
            return start(theirs.fileno()), channel
        except BaseException:
            channel.close()
            raise

"""Templates that fail in one way each: python odd_template.py WAY SOCKET.

hang         never answer
dying word   end before the first answer, and say so
mute worker  fork workers that say something and end before they are ready
cut          end in the moment in which a worker is made
late         answer in time once; then only when the template is gone
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pspd.workers import template_process

fork_sibling = template_process.fork_sibling


def mute(*_arguments: object) -> None:
    """Be a worker that does not get ready."""
    sys.exit("no worker today")


def cut() -> int:
    """Fork, and be gone before anybody can be told; the worker goes on."""
    pid = fork_sibling()
    if pid:
        os.kill(os.getpid(), signal.SIGKILL)
    return pid


class Late:
    """Forks workers of which all but the first go on when their template is gone."""

    def __init__(self) -> None:
        self._forks = 0
        # Only the template has the other end.
        self._is_gone, self._here = os.pipe()

    def __call__(self) -> int:
        self._forks += 1
        pid = fork_sibling()
        if pid == 0:
            os.close(self._here)
            if self._forks > 1:
                os.read(self._is_gone, 1)
        return pid


def main() -> None:
    """Be the template that is wanted."""
    way = sys.argv.pop(1)
    if way == "hang":
        signal.pause()
    elif way == "dying word":
        sys.exit("this template does not work")
    elif way == "mute worker":
        vars(template_process)["work"] = mute
    elif way == "cut":
        template_process.fork_sibling = cut
    elif way == "late":
        template_process.fork_sibling = Late()
    template_process.main()


if __name__ == "__main__":
    main()

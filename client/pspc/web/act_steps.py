"""The steps of an act, as `pspc apply` and `pspc undo` take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspc.deciding import acting, journal, undoing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pspc.deciding.journal import Entry, Journal
    from pspc.deciding.plans import Line
    from pspc.web.act_progress import ActProgress


def apply(lines: Sequence[Line], progress: ActProgress, environ: Mapping[str, str]) -> None:
    """Carry out a plan.

    Raises:
        PspcError: Nothing more can be done; what was done so far can be taken back.
    """
    kept = _kept(lines)
    with journal.new_journal(environ) as acts:
        progress.journal = acts.path
        for line in _steps(lines):
            progress.step(line.path, line.size, _Step(line, kept, acts, environ))


def check(lines: Sequence[Line], progress: ActProgress, environ: Mapping[str, str]) -> None:
    """Look whether a plan could be carried out."""
    kept = _kept(lines)
    for line in _steps(lines):
        progress.step(line.path, line.size, _Step(line, kept, None, environ))


def undo(
    progress: ActProgress,
    environ: Mapping[str, str],
    act_of: Callable[[str], ActProgress | None],
    only: str = "",
) -> None:
    """Take back the acts of the newest journal, the last one first.

    Args:
        progress: How far it is.
        environ: Says where the journals are.
        act_of: Returns the act that wrote a journal, if that was here.
        only: The journal that somebody wants to be taken back; empty for whatever is the newest.

    Raises:
        PspcError: Nothing more can be done.
    """
    with journal.last_journal(environ, only) as acts:
        if acts is None:
            return
        entries = journal.waiting_entries(acts.path)
        progress.total = len(entries)
        for entry in reversed(entries):
            progress.step(entry.act.path, entry.act.size, _Back(entry, acts))
        undone = act_of(acts.path)
        if undone is not None and not journal.waiting_entries(acts.path):
            undone.note_undone()


class _Step:
    """Does, or only looks at, one line of a plan."""

    def __init__(
        self,
        line: Line,
        kept: Mapping[int, Sequence[Line]],
        acts: Journal | None,
        environ: Mapping[str, str],
    ) -> None:
        self._line = line
        self._kept = kept.get(line.group, ())
        self._acts = acts
        self._environ = environ

    def __call__(self) -> None:
        if self._acts is None:
            acting.check(self._line, self._kept, self._environ)
        else:
            acting.carry_out(self._line, self._kept, self._acts, self._environ)


class _Back:
    """Takes back one act."""

    def __init__(self, entry: Entry, acts: Journal) -> None:
        self._entry = entry
        self._acts = acts

    def __call__(self) -> None:
        undoing.take_back(self._entry, self._acts)


def _steps(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.do != "keep"]


def _kept(lines: Sequence[Line]) -> dict[int, list[Line]]:
    kept: dict[int, list[Line]] = {}
    for line in lines:
        if line.do == "keep":
            kept.setdefault(line.group, []).append(line)
    return kept

"""Acts: plans that the page sends, and taking them back; carried out one after the other."""

from __future__ import annotations

import asyncio
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import UnsetType

from pspc.deciding.acting import refuse_aliases
from pspc.deciding.plans import Line
from pspc.web.act_progress import ActProgress
from pspc.web.act_steps import apply, check, undo
from pspc.web.refusals import refused
from pspc.web.schema import ActDocument, ActsDocument, ActStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from pspc.deciding.plans import Do
    from pspc.web.endpoints import Nothing
    from pspc.web.file_keys import FileKeys
    from pspc.web.wishes import ActFile, ActGroup, ActWish, Plan, Undo

_MOST_ACTS = 100
"""That are remembered; of the oldest nothing is told any more, and they can still be taken back."""

_LISTED_FAILED = 20
"""Of each act in the list of all."""


class Acts:
    """Carries out what the page decides; it alone of the gateway touches pictures.

    Args:
        keys: Of files.
        environ: Says where journal and trash are.
        report: Told of errors that nobody expected.
    """

    def __init__(
        self, keys: FileKeys, environ: Mapping[str, str], report: Callable[[Exception], None]
    ) -> None:
        self._keys = keys
        self._environ = environ
        self._report = report
        self._acts: dict[int, ActProgress] = {}
        self._numbers = itertools.count(1)
        self._stopping = threading.Event()
        self._executor = ThreadPoolExecutor(1, "web-acts")

    async def apply(self, _wish: Nothing, plan: Plan) -> ActStarted:
        """Carry out a plan."""
        # Each path is looked up in the file system, and there may be very many.
        lines = await asyncio.to_thread(self._lines, plan)
        steps = sum(line.do != "keep" for line in lines)
        progress = self._begin("apply", steps, is_dry=plan.dry_run)
        work = check if plan.dry_run else apply
        self._submit(progress, lambda: work(lines, progress, self._environ))
        return ActStarted(act=progress.number)

    async def undo(self, _wish: Nothing, body: Undo) -> ActStarted:
        """Take back what was done last, by this gateway or by pspc apply.

        Raises:
            RefusedError: An act is named, and another one was the last.
        """
        only = "" if isinstance(body.act, UnsetType) else self._journal_of(body.act)
        progress = self._begin("undo", 0)
        self._submit(progress, lambda: undo(progress, self._environ, self._find, only))
        return ActStarted(act=progress.number)

    async def one(self, wish: ActWish, _body: Nothing) -> ActDocument:
        """Tell how far an act is."""
        progress = self._acts.get(wish.act)
        if progress is None:
            raise refused(HTTPStatus.NOT_FOUND, "act", "this gateway knows no such act")
        return progress.document(can_undo=self._can_undo(progress))

    async def all(self, _wish: Nothing, _body: Nothing) -> ActsDocument:
        """List the acts of this gateway, newest first."""
        acts = [
            each.document(can_undo=self._can_undo(each), most_failed=_LISTED_FAILED)
            for each in reversed(self._acts.values())
        ]
        return ActsDocument(acts=acts)

    def stop(self) -> None:
        """Begin no further step."""
        self._stopping.set()

    def close(self) -> None:
        """Wait for the step at hand, which is not cut short."""
        self.stop()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _lines(self, plan: Plan) -> list[Line]:
        lines = [
            Line(number, do, self._keys.path(file.key), file.image, file.bytes)
            for number, group in enumerate(plan.groups, 1)
            for do, files in _parts(group)
            for file in files
        ]
        refuse_aliases(lines)
        return lines

    def _begin(
        self, kind: Literal["apply", "undo"], total: int, *, is_dry: bool = False
    ) -> ActProgress:
        progress = ActProgress(next(self._numbers), kind, total, self._stopping, is_dry=is_dry)
        self._acts[progress.number] = progress
        while len(self._acts) > _MOST_ACTS:
            del self._acts[next(iter(self._acts))]
        return progress

    def _submit(self, progress: ActProgress, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                progress.run(work)
            except Exception as error:  # noqa: BLE001 - told, and the act has failed
                self._report(error)

        self._executor.submit(run)

    def _journal_of(self, number: int) -> str:
        """Return the journal of an act that may be the last one."""
        progress = self._acts.get(number)
        if progress is None or not self._can_undo(progress):
            raise refused(
                HTTPStatus.CONFLICT, "order", "this act is not the last one that can be taken back"
            )
        return progress.journal

    def _find(self, journal: str) -> ActProgress | None:
        return next((each for each in self._acts.values() if each.journal == journal), None)

    def _can_undo(self, progress: ActProgress) -> bool:
        """Say whether this is the act that would be taken back, as far as is known here."""
        undoable = [each for each in self._acts.values() if each.can_be_undone()]
        return bool(undoable) and undoable[-1] is progress


def _parts(group: ActGroup) -> tuple[tuple[Do, list[ActFile]], ...]:
    return ("keep", group.keep), ("trash", group.trash), ("link", group.link)

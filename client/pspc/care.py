"""Verbs that keep a library in order: what failed, what is distinct, models, checks, backups."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from pspc.paths import absolute
from pspd.rpc import wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pspc.asking import Asking


class CareVerbs:
    """Methods of a connection."""

    def failures(self: Asking) -> Iterator[wire.FailureEntry]:
        """Yield the files that could not be indexed, page by page as they are looked at."""
        page = self._ask(wire.FailuresRequest(), wire.FailuresReply)
        yield from page.failures
        while page.next is not None:
            page = self._ask(wire.FailuresRequest(after=page.next), wire.FailuresReply)
            yield from page.failures

    def failures_page(
        self: Asking, after: bytes | None = None, limit: int = 1000
    ) -> wire.FailuresReply:
        """Return one page of the files that could not be indexed.

        Args:
            after: The `next` of the page before; None for the beginning.
            limit: Most entries of the page, 1 to 10,000.
        """
        return self._ask(wire.FailuresRequest(after, limit), wire.FailuresReply)

    def distinct(self: Asking) -> list[wire.DistinctPair]:
        """Return the contents that are said to be no copies of one another, the oldest first."""
        pairs: list[wire.DistinctPair] = []
        after: int | None = 0
        while after is not None:
            page = self._ask(wire.DistinctRequest(after=after), wire.DistinctReply)
            pairs += page.pairs
            after = page.next
        return pairs

    def mark_distinct(self: Asking, images: Iterable[str]) -> int:
        """Say that pictures are no copies of one another, each of each; returns the new pairs.

        Args:
            images: Content digests in hexadecimal; two at least. They need not be indexed.

        Raises:
            DaemonError: `bad_request`, when there are fewer than two, or too many.
        """
        request = wire.DistinctRequest("mark", list(images))
        return self._ask(request, wire.DistinctReply).changed

    def forget_distinct(self: Asking, images: Iterable[str]) -> int:
        """Take that back for all pairs among some pictures; returns how many there were.

        Args:
            images: Content digests in hexadecimal; of one alone, all that is said of it.
        """
        request = wire.DistinctRequest("forget", list(images))
        return self._ask(request, wire.DistinctReply).changed

    def foreign_distances(self: Asking) -> list[float]:
        """Return the foreign hits that a query has on average within each distance, 0 to 256.

        Empty when too little is known of the library.
        """
        return self._ask(wire.DistancesRequest(), wire.DistancesReply).expected

    def quarantine(
        self: Asking, path: str | bytes | os.PathLike[str] | None = None, *, retry: bool = False
    ) -> list[wire.QuarantineEntry]:
        """Return the contents that cost workers their lives.

        Args:
            path: Only the one that was met here; None for all.
            retry: Whether to let them out: their files are read again.
        """
        where = None if path is None else absolute(path)
        return self._ask(wire.QuarantineRequest(retry, where), wire.QuarantineReply).entries

    def pause(self: Asking, path: str | bytes | os.PathLike[str]) -> wire.RootStatus:
        """Have nothing below a watched directory looked at; what is known of it answers.

        Raises:
            PathError: the path is empty, or relative to a folder that is gone.
            DaemonError: `root`, when it is not watched.
        """
        return self._ask(wire.PauseRoot(absolute(path), "pause"), wire.RootReply).root

    def resume(self: Asking, path: str | bytes | os.PathLike[str]) -> wire.RootStatus:
        """Have a directory that was paused scanned, and watched again.

        Raises:
            PathError: as for `pause`.
            DaemonError: likewise.
        """
        return self._ask(wire.PauseRoot(absolute(path), "resume"), wire.RootReply).root

    def models(self: Asking) -> list[wire.ModelStatus]:
        """Return the models that make learned descriptors."""
        return self._ask(wire.ModelsRequest(), wire.ModelsReply).models

    def change_model(
        self: Asking,
        action: Literal["add", "use", "remove", "pause", "resume"],
        name: str = "",
        path: str | bytes | os.PathLike[str] | None = None,
        *,
        sha256: str = "",
        timeout: float | None = None,
    ) -> list[wire.ModelStatus]:
        """Add, use or remove a model, or pause describing; returns all of them.

        Args:
            action: What; `pause` has nothing described until `resume`.
            name: Which, for the first three.
            path: For `add`: the file, which is copied; None where the configuration names it.
            sha256: For `add`: what the file has to be, in hexadecimal.
            timeout: Seconds it may take; None for those of every request.

        Raises:
            DaemonError: `model`, when there is no such model, or its file is not right.
        """
        where = None if path is None else absolute(path)
        request = wire.ModelChange(action, name, where, sha256)
        return self._ask(request, wire.ModelsReply, timeout=timeout).models

    def start_job(self: Asking, request: wire.StartJob) -> wire.JobReply:
        """Begin a check, a repair or a backup; the reply comes at once.

        Raises:
            DaemonError: `bad_request`, when there is no such part.
        """
        return self._ask(request, wire.JobReply)

    def job(self: Asking, number: int, after: int = 0) -> wire.JobReply:
        """Return how far a job is, and the findings that follow the first `after`.

        Raises:
            DaemonError: `bad_request`, when the daemon has no such job: it was started anew.
        """
        return self._ask(wire.JobRequest(number, after), wire.JobReply)

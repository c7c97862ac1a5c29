"""Makes edits of pictures that are indexed, searches for each, and notes what was found.

    Sample ──search──▶ is it indexed? which known copies has it?
       └──Edit──▶ Edited ──search──▶ Outcome: found? first? others? where?

What is searched, and how, is the caller's: the daemon's tiers, or anything else that answers.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pspc.errors import DaemonError
from pspc.selftest import geometry
from pspc.selftest.edits import Edit, Edited, Source, Unreadable, read_source
from pspc.selftest.geometry import Points

UNEDITED: Final = "unedited"
"""Stands in the place of an edit's name for the picture as it is."""

PROVEN: Final = frozenset({"same_file", "same_pixels", "copy"})
"""Verdicts that say: this is the same picture."""

_EQUAL: Final = frozenset({"same_file", "same_pixels"})


class Sample(NamedTuple):
    """A picture to make edits of."""

    path: bytes
    data: bytes
    """The whole file."""


@dataclass(frozen=True, slots=True, eq=False)
class Find:
    """One file that a search found."""

    path: bytes
    content: str
    """Stands for the file's content: equal files, equal texts."""
    verdict: str
    """As on the wire: `same_file`, `same_pixels`, `copy` or `alike`."""
    part: Points | None = None
    """Where the query sits in it: a polygon in its upright pixels; None where the search does not
    say."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found."""

    content: str
    """Of the query; as in `Find`."""
    is_flat: bool
    """Whether the query has too little structure for any edit of it to be known again."""
    finds: Sequence[Find]
    """Best first."""


Search = Callable[[bytes], Answer]
"""Searches for the bytes of a picture; raises `DaemonError` where they are refused."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one query."""

    path: bytes
    """Of the original."""
    edit: str
    """Its name, or `UNEDITED`."""
    tier: str
    is_found: bool
    """Whether the original is among the hits, as a copy or surer."""
    is_first: bool
    """Whether it is before all pictures that are no known copies of it."""
    foreign: tuple[bytes, ...]
    """Other pictures that the search calls copies: of each content one file. They are not copies of
    the original as it is either, but for `UNEDITED`: there, a person has to say what they are."""
    overlap: float | None
    """Intersection over union of the part where it was found and the part that it shows, 0 to 1;
    None where it was not found, or the search says no part."""
    milliseconds: float
    error: str = ""
    """Why the query was refused."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A query that went wrong, with what is needed to look at it."""

    outcome: Outcome
    query: bytes
    """The file that was searched for."""


@dataclass(slots=True)
class Results:
    """What a trial noted."""

    outcomes: list[Outcome] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)
    """At most as many as were asked for: not found, not first, or others called copies."""
    pictures: int = 0
    """Of which edits were made."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Why pictures were not used, and how many: `flat`, `not_indexed`, `refused` by the daemon, or
    `unreadable` here."""


class _Known(NamedTuple):
    """What a search says of a picture as it is, by content."""

    own: frozenset[str]
    """The picture itself, in all its files of equal pixels."""
    others: frozenset[str]
    """Known copies."""


class Trial:
    """Tries edits on searches.

    Args:
        searches: The tiers to try, each by its name.
        edits: What is tried.
        seed: Of what the edits leave to chance.
        most_misses: How many misses are kept.
        progress: Called with the number of queries done after each.
    """

    def __init__(
        self,
        searches: Mapping[str, Search],
        edits: Sequence[Edit],
        seed: int,
        *,
        most_misses: int = 0,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> None:
        self._searches = searches
        self._edits = edits
        self._seed = seed
        self._most_misses = most_misses
        self._progress = progress
        self._results = Results()

    @property
    def queries_of_picture(self) -> int:
        """How many queries one picture takes."""
        return len(self._searches) * (1 + len(self._edits))

    def run(self, samples: Iterable[Sample], count: int) -> Results:
        """Try the first `count` samples that can be used.

        A sample that cannot be read, is not indexed or is flat is left out, and counted.
        """
        for sample in samples:
            if self._results.pictures >= count:
                break
            self._try(sample)
        return self._results

    def _try(self, sample: Sample) -> None:
        try:
            source = read_source(sample.data)
        except Unreadable:
            self._results.left_out["unreadable"] += 1
            return
        known: dict[str, _Known] = {}
        unedited: list[Outcome] = []
        for tier, search in self._searches.items():
            answer, milliseconds, _error = _asked(search, sample.data)
            if answer is None or answer.is_flat:
                self._results.left_out["refused" if answer is None else "flat"] += 1
                return
            if all(find.content != answer.content for find in answer.finds):
                self._results.left_out["not_indexed"] += 1
                return
            known[tier] = _known(answer)
            alone = _Known(known[tier].own, frozenset())
            unedited.append(_judged(sample, UNEDITED, tier, answer, alone, None, milliseconds))
        self._results.pictures += 1
        for outcome in unedited:
            self._note(outcome, sample.data)
        self._try_edits(sample, source, known)

    def _try_edits(self, sample: Sample, source: Source, known: Mapping[str, _Known]) -> None:
        for edit in self._edits:
            edited = edit.apply(source, self._seed)
            for tier, search in self._searches.items():
                answer, milliseconds, error = _asked(search, edited.data)
                outcome = (
                    _refused(sample, edit.name, tier, milliseconds, error)
                    if answer is None
                    else _judged(sample, edit.name, tier, answer, known[tier], edited, milliseconds)
                )
                self._note(outcome, edited.data)

    def _note(self, outcome: Outcome, query: bytes) -> None:
        results = self._results
        results.outcomes.append(outcome)
        is_right = outcome.is_found and outcome.is_first and not outcome.foreign
        if not is_right and len(results.misses) < self._most_misses:
            results.misses.append(Miss(outcome, query))
        self._progress(len(results.outcomes))


def _asked(search: Search, data: bytes) -> tuple[Answer | None, float, str]:
    """Search; returns the answer, the milliseconds it took, and why there is none."""
    began = time.perf_counter()
    answer, error = None, ""
    try:
        answer = search(data)
    except DaemonError as refusal:
        if refusal.code != "bad_query":
            raise
        error = str(refusal)
    return answer, 1000 * (time.perf_counter() - began), error


def _known(answer: Answer) -> _Known:
    """Say what a picture is in the index, by the answer to the picture as it is."""
    own = {answer.content, *(find.content for find in answer.finds if find.verdict in _EQUAL)}
    others = {find.content for find in answer.finds if find.verdict in PROVEN} - own
    return _Known(frozenset(own), frozenset(others))


def _judged(  # noqa: PLR0913, PLR0917 - what an outcome consists of
    sample: Sample,
    edit: str,
    tier: str,
    answer: Answer,
    known: _Known,
    edited: Edited | None,
    milliseconds: float,
) -> Outcome:
    """Compare an answer with the truth."""
    strangers = [find for find in answer.finds if find.content not in known.own | known.others]
    ours = [find for find in answer.finds if find.content in known.own]
    proven = [find for find in ours if find.verdict in PROVEN]
    counted = [find for find in answer.finds if find.content not in known.others]
    foreign = {find.content: find.path for find in strangers if find.verdict in PROVEN}
    overlap = None
    if edited is not None and proven and proven[0].part is not None:
        overlap = geometry.overlap(proven[0].part, edited.seen)
    return Outcome(
        path=sample.path,
        edit=edit,
        tier=tier,
        is_found=bool(proven),
        is_first=bool(counted) and counted[0].content in known.own,
        foreign=tuple(foreign.values()),
        overlap=overlap,
        milliseconds=milliseconds,
    )


def _refused(sample: Sample, edit: str, tier: str, milliseconds: float, error: str) -> Outcome:
    return Outcome(
        path=sample.path,
        edit=edit,
        tier=tier,
        is_found=False,
        is_first=False,
        foreign=(),
        overlap=None,
        milliseconds=milliseconds,
        error=error,
    )

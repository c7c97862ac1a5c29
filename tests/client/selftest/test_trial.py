"""What a trial notes of answers that are made up: a search here is a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from pspc.errors import DaemonError, NotRunning
from pspc.selftest import geometry
from pspc.selftest.edits import Edit, chosen, encode, read_source
from pspc.selftest.made_pictures import scene
from pspc.selftest.trial import UNEDITED, Answer, Find, Outcome, Sample, Search, Trial

SAMPLE = Sample(b"/own.png", encode(scene(Random(1), (64, 48)), "PNG"))
OWN, TWIN, COPY, STRANGER, OTHER = "own", "twin", "copy", "stranger", "other"
CROP = chosen(["crop-50"])


def find(content: str, verdict: str = "copy", part: geometry.Points | None = None) -> Find:
    return Find(b"/" + content.encode(), content, verdict, part)


UNEDITED_FINDS = [
    find(OWN, "same_file"),
    find(TWIN, "same_pixels"),
    find(COPY),
    find(OTHER, "alike"),
]


def answering(*finds: Find, unedited: list[Find] | None = None) -> Search:
    """Answer for the sample as it is with its known copies, for anything else with `finds`."""

    def search(data: bytes) -> Answer:
        if data == SAMPLE.data:
            return Answer(OWN, False, UNEDITED_FINDS if unedited is None else unedited)
        return Answer("edited", False, finds)

    return search


def outcome_of(search: Search) -> Outcome:
    """The outcome of the one edit."""
    results = Trial({"tier": search}, CROP, 0).run([SAMPLE], 1)
    assert [outcome.edit for outcome in results.outcomes] == [UNEDITED, "crop-50"]
    return results.outcomes[1]


def test_the_original_among_the_copies_is_found_and_first() -> None:
    outcome = outcome_of(answering(find(OWN), find(COPY)))
    assert (outcome.path, outcome.edit, outcome.tier) == (b"/own.png", "crop-50", "tier")
    assert (outcome.is_found, outcome.is_first, outcome.foreign) == (True, True, ())
    assert outcome.milliseconds > 0


def test_files_of_equal_pixels_are_as_good_as_the_original() -> None:
    outcome = outcome_of(answering(find(TWIN)))
    assert (outcome.is_found, outcome.is_first) == (True, True)


def test_known_copies_neither_count_as_the_original_nor_against_it() -> None:
    assert outcome_of(answering(find(COPY), find(OWN))).is_first
    outcome = outcome_of(answering(find(COPY)))
    assert (outcome.is_found, outcome.is_first, outcome.foreign) == (False, False, ())


def test_an_original_that_is_only_alike_is_not_found_but_may_be_first() -> None:
    outcome = outcome_of(answering(find(OWN, "alike")))
    assert (outcome.is_found, outcome.is_first) == (False, True)


def test_strangers_that_are_called_copies_are_foreign_and_take_the_first_place() -> None:
    outcome = outcome_of(answering(find(STRANGER), find(STRANGER), find(OWN), find(OTHER, "alike")))
    assert (outcome.is_found, outcome.is_first) == (True, False)
    assert outcome.foreign == (b"/stranger",)


def test_what_was_only_alike_before_the_edit_is_foreign_as_a_copy_after_it() -> None:
    assert outcome_of(answering(find(OTHER))).foreign == (b"/other",)


def test_nothing_found_is_not_first() -> None:
    outcome = outcome_of(answering())
    assert (outcome.is_found, outcome.is_first, outcome.overlap) == (False, False, None)


def test_of_the_picture_as_it_is_every_other_copy_is_told() -> None:
    results = Trial({"tier": answering()}, CROP, 0).run([SAMPLE], 1)
    unedited = results.outcomes[0]
    assert (unedited.is_found, unedited.is_first, unedited.foreign) == (True, True, (b"/copy",))


def test_the_place_is_compared_with_the_truth() -> None:
    (edit,) = CROP
    truth = edit.apply(read_source(SAMPLE.data), 0).seen
    right = outcome_of(answering(find(OWN, part=truth)))
    assert right.overlap == pytest.approx(1.0)
    whole = outcome_of(answering(find(OWN, part=geometry.frame((64, 48)))))
    assert whole.overlap == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("search", "reason"),
    [
        (lambda _data: Answer(OWN, True, []), "flat"),
        (lambda _data: Answer(OWN, False, [find(STRANGER)]), "not_indexed"),
    ],
)
def test_what_cannot_be_tried_is_left_out_and_counted(search: Search, reason: str) -> None:
    results = Trial({"tier": search}, CROP, 0).run([SAMPLE], 1)
    assert (results.pictures, results.outcomes) == (0, [])
    assert results.left_out == {reason: 1}


def test_what_is_no_picture_is_left_out_and_the_next_one_tried() -> None:
    samples = [Sample(b"/text", b"text"), SAMPLE, SAMPLE]
    results = Trial({"tier": answering(find(OWN))}, CROP, 0).run(samples, 1)
    assert results.pictures == 1
    assert results.left_out == {"unreadable": 1}


def test_no_more_samples_are_asked_for_than_are_wanted() -> None:
    def samples() -> Iterator[Sample]:
        yield SAMPLE
        yield SAMPLE
        raise AssertionError("one too many")

    assert Trial({"tier": answering(find(OWN))}, (), 0).run(samples(), 1).pictures == 1


def _failing(error: Exception) -> Search:
    def search(data: bytes) -> Answer:
        if data == SAMPLE.data:
            return Answer(OWN, False, UNEDITED_FINDS)
        raise error

    return search


def test_a_query_that_is_refused_is_a_miss_with_its_reason() -> None:
    outcome = outcome_of(_failing(DaemonError("bad_query", "it is broken", "broken")))
    assert (outcome.is_found, outcome.error) == (False, "it is broken")


@pytest.mark.parametrize("error", [DaemonError("stopping", "it ends"), NotRunning("it is gone")])
def test_a_daemon_that_goes_away_ends_the_trial(error: Exception) -> None:
    with pytest.raises(type(error)):
        outcome_of(_failing(error))


def test_misses_are_kept_with_their_query_up_to_a_bound() -> None:
    edits: tuple[Edit, ...] = chosen(["gray", "mirror", "half-turn"])
    results = Trial({"tier": answering()}, edits, 0, most_misses=3).run([SAMPLE], 1)
    # As it is, the sample has a copy that nobody vouches for.
    assert [miss.outcome.edit for miss in results.misses] == [UNEDITED, "gray", "mirror"]
    assert results.misses[0].query == SAMPLE.data
    assert results.misses[1].query.startswith(b"\xff\xd8")


def test_every_tier_is_tried_and_progress_told() -> None:
    told: list[int] = []
    progress: Callable[[int], None] = told.append
    searches = {"fast": answering(find(OWN)), "slow": answering()}
    trial = Trial(searches, CROP, 0, progress=progress)
    results = trial.run([SAMPLE], 1)
    assert [(o.tier, o.is_found) for o in results.outcomes if o.edit == "crop-50"] == [
        ("fast", True),
        ("slow", False),
    ]
    assert told == [1, 2, 3, 4]
    assert trial.queries_of_picture == 4

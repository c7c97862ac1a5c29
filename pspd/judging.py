"""What hashes, learned descriptors and proofs say of the candidates of one query → verdicts.

Hashes that are nearly equal need no proof. Those that are only near are believed until a closer
look speaks against them: without OpenCV, without time, or of pictures too soft to be laid on each
other there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from pspd.core import verdict as verdicts
from pspd.core.model import ImageNumber, ImageRecord, Turn, Verdict
from pspd.core.proof import turn_of
from pspd.found import Recognized, Wishes

if TYPE_CHECKING:
    from pspd.deep_search import Deep


class Near(NamedTuple):
    """An image and how far its hashes are."""

    image: ImageRecord
    distance: int
    """Of the 256-bit hashes after the turn that brings them nearest."""
    turn: Turn
    is_inner: bool = False
    """Whether they are those of a part of the query."""


def by_hash(
    near: Iterable[Near], wishes: Wishes, copy_distance: int
) -> dict[ImageNumber, Recognized]:
    """Decide by hashes alone."""
    recognized = {}
    for image, distance, turn, _ in near:
        found = verdicts.similar_verdict(distance, wishes.distance, copy_distance)
        if found is not None:
            recognized[image.number] = Recognized(image, found, distance, turn)
    return recognized


def is_sure(recognized: Recognized) -> bool:
    """Say whether hashes alone make it a copy, so that a closer look is not worth its time."""
    return recognized.distance <= verdicts.SURE_DISTANCE


def judged(
    recognized: Mapping[ImageNumber, Recognized],
    deep: Deep,
    distances: Mapping[ImageNumber, Near],
    wishes: Wishes,
) -> dict[ImageNumber, Recognized]:
    """Decide by all that is known.

    Args:
        recognized: What hashes alone say.
        deep: What was found beyond them.
        distances: Of the images that `deep` looked at.
        wishes: Of the search.

    Returns:
        What is to be shown, by number.
    """
    result = dict(recognized)
    for number, candidate in deep.candidates.items():
        before = result.get(number)
        near = distances.get(number)
        if near is None:
            continue
        proof = deep.proofs.get(number)
        found = before or Recognized(candidate.image, Verdict.ALIKE, near.distance, near.turn)
        found = replace(found, likeness=candidate.likeness, proof=proof)
        if proof is not None and verdicts.proof_verdict(proof) is Verdict.COPY:
            result[number] = replace(found, verdict=Verdict.COPY, turn=turn_of(proof))
        elif before is None:
            if wishes.wants_alike and _is_alike(found):
                result[number] = found
        elif _is_contradicted(number, deep) and not is_sure(before):
            # Laid on each other, or not to be laid on each other, they are not the same.
            result.pop(number)
            if wishes.wants_alike:
                result[number] = replace(found, verdict=Verdict.ALIKE)
        elif proof is not None and verdicts.is_small(proof):
            # To have little in common says nothing of a whole copy.
            result[number] = replace(found, proof=None)
        else:
            result[number] = found
    return result


def _is_contradicted(number: ImageNumber, deep: Deep) -> bool:
    likeness = deep.candidates[number].likeness
    return number in deep.unproven and verdicts.contradicts(deep.proofs.get(number), likeness)


def _is_alike(found: Recognized) -> bool:
    is_near = found.distance <= verdicts.ALIKE_DISTANCE
    return is_near or (found.likeness or -1.0) >= verdicts.ALIKE_LIKENESS

"""Distances → verdicts, and every threshold with where it comes from.

The figures are those of `python -m benchmarks.thresholds`, which prints them again on any folder of
pictures; `docs/quality.md` keeps the table.
"""

from __future__ import annotations

from typing import Final

from pspd.core.model import Verdict
from pspd.core.proof import Proof

FLAT_QUALITY: Final[int] = 42
"""Quality below which the perceptual hashes mean nothing. Of 344 real pictures those below it are
blank on white, or so symmetric that half of their bits are noise: JPEG 50 moved the hashes of stars
by 66 to 93 bits, and other stars are within 19. Those from 42 to 59 (soft wood, faint symbols) are
moved by 46 at most and have no stranger within 88; so it is below a first guess of 60."""

COPY_DISTANCE: Final[int] = 48
"""Distance of the 256-bit hashes up to which two pictures are copies, inclusive. Finds 96 to 100 %
of real pictures after each of 19 edits (71 % after a crop to 95 %). Of 314 as queries with their
eight turns, 9 playing cards found cards of another number or suit in the same layout; all else that
was found were themes, turns and recolourings of the queried drawing. The closest pair beyond is a
round button and a clock, 50 bits apart."""

SURE_DISTANCE: Final[int] = 10
"""Distance of the 256-bit hashes up to which a copy needs no closer look, inclusive. Most copies in
another size or compression are within; slides of one design begin at 14, calendars at 10."""

PROVEN_DISTANCE: Final[int] = 64
"""Distance of the 256-bit hashes up to which a proof is looked for though a learned descriptor says
nothing, inclusive: after each edit that leaves a hash anything to go by, nearly all copies."""

ALIKE_DISTANCE: Final[int] = 96
"""Distance of the 256-bit hashes up to which pictures may be copies if that is proven, and resemble
each other if it is not, inclusive."""

ALIKE_LIKENESS: Final[float] = 0.5
"""Cosine of two learned descriptors from which on pictures resemble each other."""

HASH_FOREIGN: Final[float] = 1.0
HASH_AGREEMENT: Final[float] = 0.9
"""Most foreign structure, and least agreement, of a copy that hashes have found and a proof does
not confirm. Of 1,188 edited pictures, those with six watermarks have 0.95 at most and 0.92 at
least; cards of one layout within 48 bits 1.12 and more, 0.85 and less."""

SHORTLIST_RADIUS: Final[int] = 16
"""Distance of the 64-bit hashes within which the 256-bit ones are looked at, inclusive. Keeps 99.7
to 100 % of the copies after each edit, and 0.8 % of other pictures; 20 would keep 8 % of those."""

MEAN_DIFFERENCE: Final[float | None] = None
"""Largest difference of a channel's mean between copies; None for no threshold. Off: 40 levels
would lose 24 % of the copies made gray and 96 % of those darkened to 0.6, and would keep the only
wrong hits within `COPY_DISTANCE`, playing cards, whose means are alike."""

PIXELS_DISTANCE: Final[int] = 24
"""Largest distance of the 256-bit hashes of pictures with equal pixels, neither flat. A JPEG,
hashed from a scaled decode, and a lossless copy of its full decode were at most 4 bits apart,
turned copies 6; a candidate more costs one comparison, a candidate less is a wrong answer."""

PIXELS_MEAN_DIFFERENCE: Final[float] = 2.0
"""Largest difference of a channel's mean (0 to 255) between pictures with equal pixels, flat or
not. Scaled decoding and averaging moved it by 0.83 at most."""

PROOF_INLIERS: Final[int] = 6
"""Fewest distinct places that lie right in a proven copy. What convinces is what is seen there, not
their number: of 2,858 foreign pairs, two with fewer than 12 agreed at all, and they were the same
arrow. (The figures of proofs are those of `python -m benchmarks.proofs`; docs/proofs.md.)"""

PROOF_SHARE: Final[float] = 0.35
"""Least share of one of the two pictures that the common part has. Below are the icons, toolbars
and grounds that foreign pictures share; half of a collage, a tenth of a picture and a quarter of a
screenshot are the whole of the one or the other."""

PROOF_FOREIGN: Final[float] = 0.7
"""Most foreign structure of a whole copy. The worst of 20 in copies after noise, blur, JPEG 10 or a
turn of hue has 0.6; other digits in the same frame, another sign on the same button, another text
in the same lines 0.98 and more."""

PROOF_AGREEMENT: Final[float] = 0.9
"""Least agreement of a whole copy: the worst of 20 after those edits has 0.94, screenshots of one
program with two pictures in it up to 0.82."""

PLAIN: Final[float] = 0.45
"""Plainness from where what lies over a picture cannot be told from another picture in the same
frame. Photographs are below 0.3, mostly below 0.2; text, charts, cards, calendars are from 0.54 to
1, buttons at 0.8; ornamental cards at 0.49."""

PLAIN_INTACT: Final[float] = 0.8
PLAIN_AGREEMENT: Final[float] = 0.95
"""Least share of intact blocks of a plain copy, or least agreement: a card with a pip more lacks
little of the other one, and has 0.78 and 0.93 at most. With a watermark drawings have less of the
one (0.5 to 0.8), but mostly all of what is below it."""

COVERED_PLAIN: Final[float] = 0.42
"""Plainness up to which something may be laid over a copy: of photographs 0.41 at most; stars of
another number of points have 0.43."""

COVERED_FOREIGN: Final[float] = 2.8
COVERED_PART_FOREIGN: Final[float] = 2.3
"""Most foreign structure of a copy that has something laid over it, where the whole of one picture
lies on the whole of the other, and elsewhere. What a logo or another photograph hides of a
photograph is about as strong as the rest of it, 2.7 at most; two logos on one textured ground are
much stronger than it, 3.2 and more. Frames of one scene that lie on each other in part have 2.2 to
2.8."""

COVERED_SHARE: Final[float] = 0.9
"""Least share of both pictures from where the whole of one lies on the whole of the other."""

COVERED_INTACT: Final[float] = 0.2
COVERED_AGREEMENT: Final[float] = 0.7
"""Least share of intact blocks of such a copy, or least agreement: a logo over 30 % leaves half of
the blocks intact, six watermarks few, but most of the structure shows through. Foreign pictures
with many tones have neither: at most 0.16 and 0.35."""

COVERED_COVERAGE: Final[float] = 0.05
"""Least coverage of such a copy."""

COVERED_INLIERS: Final[int] = 28
"""Fewest distinct places that lie right in such a copy: photographs have 36 and more, glossy
buttons with another sign up to 26."""

PART_SHARE: Final[float] = 0.9
PART_OF_COLLAGE: Final[float] = 0.53
"""Least share of the indexed picture that a plain part of a query has, or most share of the query,
to be a copy of it: whole, or a half of two that stand beside each other. The first weeks of two
calendars are equal as well, 0.57 and 0.77 of each."""


def hamming(a: bytes, b: bytes) -> int:
    """Count the bits in which two hashes of equal length differ.

    Raises:
        ValueError: The lengths differ.
    """
    if len(a) != len(b):
        raise ValueError(f"hashes of {len(a)} and {len(b)} bytes cannot be compared")
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()


def similar_verdict(
    distance: int, threshold: int | None = None, copy_distance: int = COPY_DISTANCE
) -> Verdict | None:
    """Decide what a distance of 256-bit hashes proves.

    Args:
        distance: 0 to 256 bits, of two pictures neither of which is flat.
        threshold: How far the user wants to see, inclusive; None for `copy_distance`.
        copy_distance: Up to where a picture is called a copy, inclusive.

    Returns:
        `COPY` up to `copy_distance`, `ALIKE` beyond it where the user asked for more, None outside
        the threshold.
    """
    if distance > (copy_distance if threshold is None else threshold):
        return None
    return Verdict.COPY if distance <= copy_distance else Verdict.ALIKE


def means_agree(
    a: tuple[float, float, float], b: tuple[float, float, float], most: float | None
) -> bool:
    """Say whether no channel's mean differs by more than `most` levels; None asks for nothing."""
    return most is None or all(abs(x - y) <= most for x, y in zip(a, b, strict=True))


def proof_verdict(proof: Proof) -> Verdict:
    """Decide whether a proof makes a copy, or leaves two pictures alike."""
    if proof.inliers < PROOF_INLIERS or is_small(proof):
        return Verdict.ALIKE
    is_plain = proof.plainness > PLAIN
    if proof.foreign <= PROOF_FOREIGN and proof.agreement >= PROOF_AGREEMENT:
        is_whole = proof.intact >= PLAIN_INTACT or proof.agreement >= PLAIN_AGREEMENT
        return Verdict.COPY if is_whole or not is_plain else Verdict.ALIKE
    is_covered_copy = (
        proof.plainness <= COVERED_PLAIN
        and (proof.intact >= COVERED_INTACT or proof.agreement >= COVERED_AGREEMENT)
        and proof.coverage >= COVERED_COVERAGE
        and proof.foreign <= _most_foreign(proof)
        and proof.inliers >= COVERED_INLIERS
    )
    return Verdict.COPY if is_covered_copy else Verdict.ALIKE


def part_verdict(proof: Proof) -> Verdict:
    """Decide on a part of the query that may be a picture by itself: of a collage, in a window.

    Of several such parts the one is taken that agrees. So nothing may lie over it: what two
    screenshots have in common beside the pictures in them would be a covered copy.
    """
    if proof.foreign > PROOF_FOREIGN or proof.agreement < PROOF_AGREEMENT:
        return Verdict.ALIKE
    if proof.plainness > PLAIN:
        is_whole = proof.indexed_share >= PART_SHARE or proof.query_share <= PART_OF_COLLAGE
        if not is_whole or proof.intact < PLAIN_INTACT:
            return Verdict.ALIKE
    return proof_verdict(proof)


def _most_foreign(proof: Proof) -> float:
    """Return how much foreign structure may lie over a copy."""
    is_whole = min(proof.query_share, proof.indexed_share) >= COVERED_SHARE
    return COVERED_FOREIGN if is_whole else COVERED_PART_FOREIGN


def is_small(proof: Proof) -> bool:
    """Say whether the common part is too little of both pictures to prove anything."""
    return max(proof.query_share, proof.indexed_share) < PROOF_SHARE


def contradicts(proof: Proof | None, likeness: float | None) -> bool:
    """Say whether a closer look speaks against a copy that hashes have found.

    Args:
        proof: What was found; None if the two could not be laid on each other at all. To have a
            small part in common says nothing either way.
        likeness: Cosine of the learned descriptors; None when they were not compared.
    """
    if proof is None or is_small(proof):
        return likeness is None or likeness < ALIKE_LIKENESS
    return proof.foreign > HASH_FOREIGN or proof.agreement < HASH_AGREEMENT

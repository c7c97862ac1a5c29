"""Every reason amounts to something, and every disposition but two is some reason's."""

from __future__ import annotations

from pspd.core.disposition import Disposition, disposition_of
from pspd.core.model import FailureReason


def test_every_reason_has_a_disposition() -> None:
    found = {disposition_of(reason) for reason in FailureReason}
    assert found == set(Disposition) - {Disposition.INDEXED, Disposition.PENDING}


def test_only_what_cost_workers_their_lives_is_quarantined() -> None:
    deadly = {
        reason for reason in FailureReason if disposition_of(reason) is Disposition.QUARANTINED
    }
    assert deadly == {FailureReason.CRASHED, FailureReason.TIMEOUT}

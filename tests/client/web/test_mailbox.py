"""What a slow tab loses, and what it does not."""

from __future__ import annotations

import asyncio

from pspc.web.events import Change, DaemonState, Progress
from pspc.web.mailbox import MOST_CHANGES, Mailbox


def _progress(indexed: int) -> Progress:
    return Progress(indexed=indexed, pending=0, failed=0, rate=0.0)


def test_a_slow_tab_gets_the_newest_progress_and_the_last_changes() -> None:
    async def scene() -> list[bytes]:
        mailbox = Mailbox()
        for number in range(MOST_CHANGES + 100):
            mailbox.put("progress", _progress(number))
            mailbox.put("change", Change(kind="indexed", path=f"/{number}"))
        mailbox.put("daemon", DaemonState(state="up"))
        assert await mailbox.wait(1.0)
        return list(mailbox.take())

    events = asyncio.run(scene())
    assert len(events) == MOST_CHANGES + 2
    assert b'"indexed":%d,' % (MOST_CHANGES + 99) in events[0]
    assert events[1] == b'event: daemon\ndata: {"state":"up","message":""}\n\n'
    assert events[2].startswith(b"event: change\n")
    assert b'"path":"/100"' in events[2]


def test_what_was_read_is_not_told_again() -> None:
    async def scene() -> None:
        mailbox = Mailbox()
        assert not await mailbox.wait(0.0)
        mailbox.put("progress", _progress(1))
        assert len(list(mailbox.take())) == 1
        assert not await mailbox.wait(0.0)
        mailbox.close()
        assert await mailbox.wait(0.0)
        assert mailbox.is_closed

    asyncio.run(scene())

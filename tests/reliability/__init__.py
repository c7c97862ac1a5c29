"""What PSP promises under fault and attack, as tests in three sizes.

    make test            the commit size: all goals together in 90 seconds
    make test-nightly    the nightly size: within an hour
    make test-release    the release size

A test that measures a goal says which with `@pytest.mark.goal("G1")`, takes the `goal` fixture and
tells it the figure that was reached. At the end one table is printed, and written to
`reliability-SIZE.json`; `python -m tests.reliability.document` renews docs/reliability.md from it.
"""

"""Coverage-guided fuzzing of everything that parses what strangers wrote.

    make fuzz                        a minute for each target
    make fuzz FUZZ_SECONDS=300       five
    make fuzz FUZZ_TARGETS=config    one target alone

`targets` says for each parser what it may do with any bytes; `python -m tests.fuzz` hunts for bytes
with which it does something else. What was found, and the smallest inputs that together reach all
that was reached, lie in `corpus/TARGET/` and are replayed by `test_corpus` in every `make test`.
"""

"""The words by which people say which of several copies to keep, for daemon and client alike."""

from __future__ import annotations

KEEP_RULES = ("pixels", "metadata", "lossless", "bytes", "oldest", "newest")
"""Each says what is better; beside them there is `path:GLOB`."""

DEFAULT_KEEP = "pixels, metadata, lossless, bytes, oldest"
"""Metadata go before what is lossless: a PNG that somebody made of a camera's JPEG is no better."""

PATH_RULE = "path:"


def rule_words(text: str) -> list[str]:
    """Split rules as people write them, `lossless, pixels, path:/photos/**`, into words.

    Raises:
        ValueError: There is no such rule; the message has the word alone.
    """
    words = [each.strip() for each in text.split(",")]
    for word in words:
        is_path = word.startswith(PATH_RULE) and len(word) > len(PATH_RULE)
        if not is_path and word not in KEEP_RULES:
            raise ValueError(word)
    return words

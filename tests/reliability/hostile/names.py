"""Names that shells, terminals, logs and encodings trip over; each is legal on Linux."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

LONGEST_NAME = 255

_SUFFIX = b".png"

_TEXTS = (
    # Terminals: controls of both ranges, titles, colours, hyperlinks, clearing, answers.
    *("\x1b[31mred", "\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\link", "\x1b[6n"),
    *("\x9b31m", "\x85", "\x07", "\b" * 20, "\r\r\r", "\x7f", "\x0e\x0f", "\x1bc"),
    # Lines and columns.
    *("line\nbreak", "two\n\nbreaks", "tab\tbed", "carriage\rreturn", "a\r\nb", "\v\f", "\n", "\t"),
    *("\u2028line", "\u2029paragraph", "next\u0085line"),
    # Bidirectional and invisible.
    *("gpj.\u202egnp", "\u202a\u202b\u202c\u202d", "\u2066a\u2067b\u2068c\u2069", "\u200fb"),
    *(
        "zero\u200bwidth",
        "\u200djoin",
        "\ufeffmark",
        "soft\u00adhyphen",
        "\u2060",
        "\u034f",
        "\U000e0041",
    ),
    # Shells.
    *("*", "?", "[a-z]", "[!]", "{a,b}", "$HOME", "$(reboot)", "`id`", ";ls", "|cat", "&", ">out"),
    *("'", '"', "it's", '"quoted"', "\\", "\\n", "a\\", "~", "!1", "#", "%s%n", "%00", "a=b", "^x"),
    # Spaces and dashes.
    *(" ", "  two", "trail ", "trail.", "\u00a0", "\u3000wide", "-rf", "--help", "-", "--", "-0"),
    *("--json", "-n"),
    # Formats of documents.
    *("<script>alert(1)</script>", "&amp;", "]]>", '{"a":1}', "a,b;c", "null", "NaN", "0", "-1"),
    *("../x", "..\u2024", "con", "nul", "C:\\x", "http:\\\\x", "file:x"),
    # Writing systems, forms of the same letters, and letters beyond 16 bits.
    *(
        "caf\u00e9",
        "cafe\u0301",
        "\u212bngstr\u00f6m",
        "A\u030angstrom",
        "\ufb01",
        "\u0130i",
        "\u00df",
    ),
    *(
        "\u732b\u306e\u5199\u771f",
        "\u0645\u0631\u062d\u0628\u0627",
        "\u05e9\u05dc\u05d5\u05dd",
        "\U0001f600",
    ),
    *(
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "Z\u0351\u036b\u0343",
        "\uffff",
        "\ufffd",
        "\U0010ffff",
    ),
)

_BYTES = (
    *(b"\xff", b"\xfe\xff", b"caf\xe9", b"\x80\x81\x82", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98"),
    # Overlong, surrogates, beyond Unicode: none of it is UTF-8.
    *(
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xed\xb2\x80",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xf4\x90\x80\x80",
    ),
    *(
        b"\x1b[31m\xff",
        b"\xff\n",
        b"\xff\t\\xff",
        b"\\xff",
        b"\xb1\xe8\xbc\xae",
        b"\x83\x65\x83\x58",
    ),
)


def hostile_names(count: int, seed: int = 1) -> list[bytes]:
    """Return so many different names, each of 1 to 255 bytes, none with a slash or a NUL."""
    names = (name.replace(b"/", b"\xe2\x88\x95") for name in _names(random.Random(seed)))
    # One that begins with a dot is hidden, and not looked at.
    legal = (name for name in names if len(name) <= LONGEST_NAME and not name.startswith(b"."))
    return list(itertools.islice(dict.fromkeys(legal), count))


def _names(chance: random.Random) -> Iterator[bytes]:
    fixed = [*(text.encode() for text in _TEXTS), *_BYTES]
    fixed = [part for part in fixed if part]
    for part in fixed:
        yield part + _SUFFIX
        yield b"a" + part
    for part in fixed[::7]:
        yield (part * LONGEST_NAME)[: LONGEST_NAME - len(_SUFFIX)] + _SUFFIX
    yield b"x" * LONGEST_NAME
    yield b"\xff" * LONGEST_NAME
    for _ in range(300):
        length = chance.choice((1, 2, 5, 40, LONGEST_NAME))
        raw = bytes(chance.choice((*range(1, 0x2E), *range(0x30, 256))) for _ in range(length))
        yield raw
    for _ in range(300):
        parts = chance.sample(fixed, 3)
        yield b"".join(parts)[: LONGEST_NAME - 1] + b"-"

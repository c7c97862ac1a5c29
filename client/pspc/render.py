"""Replies → text for people and for pipes. Every path goes through this module to the screen.

A path is any bytes but NUL: it may hold terminal controls, bidirectional marks, line breaks and
bytes that are no UTF-8. `printable` makes it harmless to look at, `field` makes it one column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspd.rpc.wire.text import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pspd.rpc import wire

SEARCH_COLUMNS = ("verdict", "distance", "turn", "width", "height", "bytes", "format", "path")
"""Of a search in a pipe, in this order; several queries have `query` before them."""

LEAST_TOLD = 0.01
"""Foreign hits a query below which nobody cares how many they are."""

TENS = 10.0

WHOLE = 0.97
"""Share of an area from which on all of it is said to be there."""

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_KIBI = 1024
_LAST_CONTROL = 0x9F


def field(path: str | bytes) -> str:
    r"""Make a path one tab-separated column, from which its bytes can be had back.

    Backslash, tab and newline become \\, \t and \n; the bytes of other controls (C0, DEL and C1)
    and bytes that are no UTF-8 become \xNN. Everything else stays as it is.
    """
    text = _encoded(path).replace(b"\\", rb"\\").decode("utf-8", "backslashreplace")
    text = text.replace("\t", r"\t").replace("\n", r"\n")
    return "".join(
        character if character.isprintable() or ord(character) > _LAST_CONTROL else _hex(character)
        for character in text
    )


def _encoded(text: str | bytes) -> bytes:
    # Not `os.fsencode`: a sentence may have characters that the locale has not.
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def _hex(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


def human_bytes(size: float) -> str:
    """Return a size in bytes as people read it: `1.2 MiB`."""
    for unit in _UNITS[:-1]:
        if abs(size) < _KIBI:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _KIBI
    return f"{size:.1f} {_UNITS[-1]}"


def human_duration(seconds: float) -> str:
    """Return a duration as people read it: `4:07`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return `1 file` or `1,234 files`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def are_no_pictures(number: int) -> str:
    """Return what is said of so many files that no picture format begins like."""
    return "is no picture" if number == 1 else "are no pictures"


def local_time(moment: str) -> str:
    """Return an ISO 8601 moment as the clock here shows it: `2026-01-02 04:04:05 CET`."""
    from datetime import datetime  # noqa: PLC0415 - of no use to other output

    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    except (ValueError, OverflowError):
        return moment


def state_word(root: wire.RootStatus) -> str:
    """Return the word for how a watch root is."""
    return "paused" if root.paused else root.state


def filters(root: wire.RootStatus) -> str:
    """Say which files of a watch root are looked at; empty when all are."""
    parts = []
    if root.include:
        parts.append(f"only {', '.join(root.include)}")
    if root.exclude:
        parts.append(f"without {', '.join(root.exclude)}")
    if root.hidden:
        parts.append("also hidden names")
    return "; ".join(parts)


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()
) -> str:
    """Lay out rows in columns.

    Args:
        header: Names of the columns.
        rows: Printable cells; the last column may be of any width.
        right: Numbers of the columns that are aligned to the right.

    Returns:
        Lines without the last line break.
    """
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header) - 1)]
    return "\n".join(
        "  ".join(
            [
                cell.rjust(width) if column in right else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=False))
            ]
            + [line[-1]]
        ).rstrip()
        for line in lines
    )


def _turned(hit: wire.Hit) -> str:
    """Say how a hit is turned: its pixels against the query's, or only its orientation tag."""
    if hit.proof is not None:
        degrees = round(hit.proof.angle) % 360
        parts = ["mirrored"] * hit.proof.mirrored + [f"{degrees}°"] * bool(degrees)
        return " ".join(parts)
    if hit.turn != "none":
        return printable(hit.turn).replace("_", " ")
    return "by its tag" if hit.upright else ""


def search_table(hits: Sequence[wire.Hit], columns: int | None = None) -> str:
    """Return hits as a table for a terminal of so many columns; None when nobody knows."""
    rows = [
        (
            hit.verdict.replace("_", " "),
            str(hit.distance),
            _turned(hit),
            f"{hit.width}x{hit.height}",
            human_bytes(hit.size),
            printable(hit.format),
            "",
        )
        for hit in hits
    ]
    header = ("verdict", "bits", "turn", "pixels", "size", "format", "")
    right = (1, 3, 4)
    paths = [printable(hit.path) for hit in hits]
    if columns is not None:
        from pspc.fitting import fitted_paths  # noqa: PLC0415 - for terminals only

        # The header is as wide as any row: all columns but the last are padded.
        before = len(table((*header[:-1], "|"), rows, right=right).split("\n", 1)[0]) - 1
        paths = fitted_paths(paths, columns - before)
    shown = [(*row[:-1], path) for row, path in zip(rows, paths, strict=True)]
    head, *lines = table((*header[:-1], "path"), shown, right=right).split("\n")
    for hit, line in zip(hits, lines, strict=True):
        place = "" if hit.proof is None else place_line(hit.proof)
        head += f"\n{line}" + (f"\n  {place}" if place else "")
    return head


def place_line(proof: wire.Proof) -> str:
    """Say where the query lies in a picture, or that in the query; empty when that is all of it."""
    parts = []
    if proof.indexed_share < WHOLE:
        parts.append(f"{proof.indexed_share:.0%} of it, at {_extent(proof.quadrilateral)}")
    if proof.query_share < WHOLE:
        parts.append(
            f"{proof.query_share:.0%} of the query, at {_extent(proof.query_quadrilateral)}"
        )
    if proof.colour:
        parts.append(printable(proof.colour))
    return "; ".join(parts)


def _extent(corners: Sequence[tuple[float, float]]) -> str:
    """Return the upright rectangle around some corners as `--crop` takes it."""
    across, down = [x for x, _ in corners], [y for _, y in corners]
    left, top = max(0, round(min(across))), max(0, round(min(down)))
    return f"{left},{top},{round(max(across)) - left},{round(max(down)) - top}"


def search_line(hit: wire.Hit) -> str:
    """Return a hit as one line of `SEARCH_COLUMNS`, separated by tabs."""
    cells = (hit.verdict, hit.distance, hit.turn, hit.width, hit.height, hit.size, hit.format)
    return "\t".join([*map(str, cells), field(hit.path)])


def freshness_notes(freshness: wire.Freshness) -> list[str]:
    """Say what a reply could not see; empty when the index is complete."""
    notes = [printable(freshness.problem)] if freshness.problem else []
    if freshness.pending:
        are = "is" if freshness.pending == 1 else "are"
        notes.append(
            f"{counted(freshness.pending, 'file')} {are} still pending; results may be incomplete"
        )
    if freshness.scanning_roots:
        count = len(freshness.scanning_roots)
        is_being = "is" if count == 1 else "are"
        notes.append(
            f"{counted(count, 'watch root')} {is_being} still being scanned; "
            "results may be incomplete"
        )
    notes.extend(
        f"{printable(path)} is unavailable; its files are answered for as they were last seen"
        for path in freshness.unavailable_roots
        if path not in freshness.paused_roots
    )
    notes.extend(
        f"{printable(path)} is paused; its files are answered for as they were last seen; "
        f"to go on: pspc resume {quoted(path)}"
        for path in freshness.paused_roots
    )
    if freshness.unverified:
        files = counted(freshness.unverified, "candidate")
        notes.append(f"{files} could not be compared pixel by pixel")
    if freshness.described < freshness.describable:
        notes.append(
            f"learned descriptors for {freshness.described:,} of {freshness.describable:,} "
            "pictures; crops and the like of the others are not found yet"
        )
    if freshness.cut:
        notes.append(f"cut short: {printable(freshness.cut)}; a larger --budget finds more")
    return notes


def foreign_hits(expected: float) -> str:
    """Return how many foreign hits are to be expected: `0.3 foreign hits`."""
    if expected < LEAST_TOLD:
        return f"less than {LEAST_TOLD:g} foreign hits"
    return f"{expected:.2g} foreign hits" if expected < TENS else f"{expected:,.0f} foreign hits"


def is_complete(freshness: wire.Freshness) -> bool:
    """Tell whether nothing found means that there is nothing."""
    return not (freshness.pending or freshness.scanning_roots or freshness.unavailable_roots)

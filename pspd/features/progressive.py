"""A progressive JPEG → a smaller one that decodes alike at a fraction of its size.

A progressive JPEG has each 8 × 8 block in several scans (ITU-T T.81, annex G): its mean first, by
the DC coefficient, and then finer and finer detail. libjpeg decodes all of them at whatever scale
it is asked for. At 1/8 only the DC scans count, some hundredths of the file.

So the other scans are left out here, by their headers, and one scan for each component that says
"and all the rest is zero" takes their place: without it libjpeg would think the file cut short, and
would guess the detail. What is left decodes at 1/8 to the same pixels, bit by bit.

Where anything is out of the ordinary, the whole file is decoded: it must fail as it would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pspd.features.jpeg_markers import APPLICATION, Marker, Segment, segments

EXACT_SCALE: Final = 8
"""Scaled to 1/8, a block is one pixel, and that is its DC coefficient."""

_BLOCK: Final = 8
_BITS: Final = 8
_SAMPLINGS: Final = range(1, 5)
_LAST: Final = 63
"""The highest coefficient of a block, in zigzag order; 0 is DC."""
_UNKNOWN: Final = -1
_MOST_SHIFTS: Final = 13
_MOST_BLOCKS_AT_ONCE: Final = 10
"""Blocks in a minimum coded unit (T.81, B.2.3)."""
_COARSE: Final = 5
"""Coefficients up to this one make up what 2 × 2 or 4 × 4 pixels of a block show, mostly; encoders
begin with 1 to 5, or with 1 to 8 or more."""
_SCAN_BYTES: Final = 6
"""Of a scan's header for one component, its length not counted."""
_FRAME_BYTES: Final = 6
"""Of a frame's header, without components."""
_COMPONENTS: Final = (1, 3)
_LONGEST_CODE: Final = 16
_MOST_TABLES: Final = 4
_MOST_TABLES_SEEN: Final = 1_000
"""Four a scan, of at most 100 (`Limits.max_scans`), are 400; a file may have millions of them."""
_AC: Final = 0x10
"""Set in the number of a Huffman table for AC coefficients."""

_START: Final = b"\xff\xd8"
_HARMLESS: Final = frozenset({Marker.RESTART_INTERVAL, Marker.COMMENT, *APPLICATION})

_NO_RESTARTS: Final = b"\xff\xdd\x00\x04\x00\x00"
_RUN_BLOCKS: Final = 1 << 14
_RUN_BITS: Final = 15
_RUN_TABLE: Final = b"\xff\xc4\x00\x14\x10" + bytes([1, *[0] * 15]) + b"\xe0"
"""AC table 0 with one code, a bit of zero, for the symbol EOB14: it and 14 bits more say that
`_RUN_BLOCKS` blocks, and as many more as the bits say, have no coefficients (T.81, G.1.2.2)."""


class _DoubtError(Exception):
    """Something is not as nearly all encoders write it."""


@dataclass(slots=True)
class _Component:
    horizontal: int
    vertical: int
    shifts: list[int] = field(default_factory=lambda: [_UNKNOWN] * (_LAST + 1))
    """Of each coefficient: how many of its lowest bits are not there yet."""


@dataclass(slots=True)
class _Frame:
    width: int
    height: int
    components: dict[int, _Component]

    def blocks(self, component: _Component) -> int:
        """Count the blocks of a scan of one component (T.81, A.2.2)."""
        widest = max(each.horizontal for each in self.components.values())
        highest = max(each.vertical for each in self.components.values())
        across = -(-self.width * component.horizontal // widest)
        down = -(-self.height * component.vertical // highest)
        return -(-across // _BLOCK) * -(-down // _BLOCK)


def without_detail(data: bytes, scale: int) -> bytes | None:
    """Leave out of a progressive JPEG what decoding at a fraction of its size can do without.

    Args:
        data: The whole file, of which nothing is believed.
        scale: What its sides will be divided by.

    Returns:
        A JPEG whose luma decodes at that scale to the same values if it is `EXACT_SCALE`, and
        nearly so at others; its chroma has the same mean, nearly. None if the file is not
        progressive, not whole, or unusual in any way, so that all of it has to be decoded.
    """
    try:
        return b"".join(_Thinning(data, keeps_coarse=scale < EXACT_SCALE).parts())
    except _DoubtError:
        return None


@dataclass(frozen=True, slots=True)
class _Scan:
    tables: dict[int, int]
    """Component → the Huffman table that it needs."""
    first: int
    last: int
    shifts_before: int
    """0 for the first scan of these coefficients."""
    shifts: int

    @property
    def is_dc(self) -> bool:
        return self.first == 0


class _Thinning:
    """One pass over the segments of a file."""

    def __init__(self, data: bytes, *, keeps_coarse: bool) -> None:
        self._data = data
        self._keeps_coarse = keeps_coarse
        self._frame: _Frame | None = None
        self._tables: set[int] = set()
        self._tables_seen = 0
        """Huffman tables that were defined: 0 to 3 for DC, 16 to 19 for AC."""
        self._has_scan = False

    def parts(self) -> Iterator[bytes]:
        """Yield what is kept.

        Raises:
            _DoubtError: The whole file has to be decoded.
        """
        kept_to = 0
        dropped_from: int | None = None
        for segment in segments(self._data):
            if dropped_from is not None:
                # A decoder of all would fail here, and so must this.
                _require(self._data.find(_START, dropped_from, segment.start) < 0)
                yield self._data[kept_to:dropped_from]
                kept_to, dropped_from = segment.start, None
            if segment.marker == Marker.END:
                self._require_complete()
                yield self._data[kept_to : segment.start]
                yield from self._empty_scans()
                return
            if self._is_detail(segment):
                dropped_from = segment.start
        raise _DoubtError

    def _is_detail(self, segment: Segment) -> bool:
        """Take a segment in; say whether it is a scan that is not needed."""
        body = self._data[segment.body : segment.end]
        match segment.marker:
            case Marker.SCAN:
                return not self._is_needed(body)
            case Marker.PROGRESSIVE_FRAME:
                _require(self._frame is None)
                self._frame = _read_frame(body)
            case Marker.HUFFMAN_TABLES:
                self._take_tables(body)
            case Marker.QUANTIZATION_TABLES:
                # A decoder of all latches those of a component when its first scan begins.
                _require(not self._has_scan)
            case marker:
                _require(marker in _HARMLESS)
        return False

    def _take_tables(self, body: bytes) -> None:
        """Check Huffman tables as libjpeg does, for a scan that is dropped may use them."""
        at = 0
        while at < len(body):
            number, counts = body[at], body[at + 1 : at + 1 + _LONGEST_CODE]
            _require(len(counts) == _LONGEST_CODE and number & ~_AC < _MOST_TABLES)
            code = 0
            for length, count in enumerate(counts, 1):
                code += count
                _require(code < 1 << length)
                code <<= 1
            at += 1 + _LONGEST_CODE + sum(counts)
            self._tables.add(number)
            self._tables_seen += 1
            _require(self._tables_seen <= _MOST_TABLES_SEEN)
        _require(at == len(body))

    def _is_needed(self, body: bytes) -> bool:
        """Take a scan in; say whether it is to be kept."""
        self._has_scan = True
        frame = _present(self._frame)
        scan = _read_scan(body)
        _require(scan.tables.keys() <= frame.components.keys())
        components = [frame.components[each] for each in scan.tables]
        if len(components) > 1:
            blocks = sum(each.horizontal * each.vertical for each in components)
            _require(blocks <= _MOST_BLOCKS_AT_ONCE)
        if not scan.is_dc:
            _require(components[0].shifts[0] != _UNKNOWN)
        if not (scan.is_dc and scan.shifts_before):
            _require(self._tables.issuperset(scan.tables.values()))
        expected = scan.shifts_before or _UNKNOWN
        for component in components:
            band = component.shifts[scan.first : scan.last + 1]
            _require(set(band) == {expected})
            component.shifts[scan.first : scan.last + 1] = [scan.shifts] * len(band)
        is_coarse = scan.first <= _COARSE and not scan.shifts_before
        is_luma = components[0] is next(iter(frame.components.values()))
        return scan.is_dc or (self._keeps_coarse and is_coarse and is_luma)

    def _require_complete(self) -> None:
        """See that all was there to the last bit: else libjpeg guesses detail, at any scale."""
        for component in _present(self._frame).components.values():
            _require(not any(component.shifts))

    def _empty_scans(self) -> Iterator[bytes]:
        """Make the scans that say of each component that its detail is zero, and the end."""
        frame = _present(self._frame)
        yield _NO_RESTARTS + _RUN_TABLE
        for name, component in frame.components.items():
            runs = -(-frame.blocks(component) // _RUN_BLOCKS)
            yield b"\xff\xda\x00\x08" + bytes([1, name, 0, 1, _LAST, 0])
            yield bytes(-(-runs * _RUN_BITS // 8))
        yield b"\xff\xd9"


def _read_frame(body: bytes) -> _Frame:
    """Read the header of a progressive frame of 8 bits a value."""
    _require(len(body) >= _FRAME_BYTES and body[0] == _BITS)
    count = body[_FRAME_BYTES - 1]
    _require(count in _COMPONENTS and len(body) == _FRAME_BYTES + 3 * count)
    components = {
        body[at]: _Component(body[at + 1] >> 4, body[at + 1] & 15)
        for at in range(_FRAME_BYTES, len(body), 3)
    }
    _require(len(components) == count)
    luma = next(iter(components.values()))
    for each in components.values():
        _require(each.horizontal in _SAMPLINGS and each.vertical in _SAMPLINGS)
        # Where luma is sampled less than another component libjpeg scales it less, by its AC too.
        _require(each.horizontal <= luma.horizontal and each.vertical <= luma.vertical)
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    _require(height > 0 and width > 0)
    return _Frame(width, height, components)


def _read_scan(body: bytes) -> _Scan:
    """Read the header of a scan and check it as libjpeg does."""
    _require(len(body) >= _SCAN_BYTES and len(body) == _SCAN_BYTES - 2 + 2 * body[0])
    *_, first, last, shifts = body
    is_dc = first == 0
    tables = {
        body[at]: body[at + 1] >> 4 if is_dc else body[at + 1] & 15 | _AC
        for at in range(1, len(body) - 3, 2)
    }
    scan = _Scan(tables, first, last, shifts >> 4, shifts & 15)
    _require(len(tables) == body[0])
    _require(last == 0 if is_dc else len(tables) == 1 and first <= last <= _LAST)
    _require(scan.shifts <= _MOST_SHIFTS and scan.shifts_before in {0, scan.shifts + 1})
    return scan


def _present(frame: _Frame | None) -> _Frame:
    if frame is None:
        raise _DoubtError
    return frame


def _require(is_so: bool) -> None:  # noqa: FBT001 - reads as a sentence
    if not is_so:
        raise _DoubtError

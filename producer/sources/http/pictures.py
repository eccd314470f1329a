"""Finds the pictures in what a camera sends over HTTP: in a multipart body, or one directly after the other.

A JPEG says itself where it ends (ITU-T T.81, annex B), so neither the boundaries nor the lengths that a
camera declares have to be right. They only matter for pictures without an end and for other formats.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from pipeline.wire import jpeg
from pipeline.wire.jpeg import END, START

LARGEST_PART: Final = 32 * 1024 * 1024
"""Bytes of a picture, or of another part, above which a camera is given up."""
LONGEST_HEAD: Final = 64 * 1024
"""Bytes without a picture that are kept: the head of one is never longer."""

_START: Final = START + b"\xff"
# In entropy-coded data, 0xff is followed by 0, by the byte of a restart marker, or by another 0xff.
_MARKER: Final = re.compile(rb"\xff[^\xff\x00\xd0-\xd7]")
# Tables, comments, another scan and the number of lines may stand between two scans of a picture.
_LINES: Final = 0xDC
_BETWEEN_SCANS: Final = {
    jpeg.HUFFMAN_TABLES,
    jpeg.QUANTIZATION_TABLES,
    jpeg.RESTART_INTERVAL,
    jpeg.COMMENT,
    jpeg.START_OF_SCAN,
    _LINES,
}
_WITHOUT_BODY: Final = {0x01, *range(0xD0, 0xD8)}  # TEM and RST0 to RST7

_FILL: Final = 0xFF

_BOUNDARY: Final = re.compile(rb"\r?\n--[^\r\n]{1,200}\r?\n")
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
# Without parts that could match the same bytes: a long line would take the time of its length cubed.
_FIELD: Final = re.compile(rb"([A-Za-z][A-Za-z0-9-]*)[ \t]*:([^\r\n]*)\r?")
_MOST_FIELDS: Final = 50
_LONGEST_LINE: Final = 4096
_JPEG: Final = re.compile(rb"|image/(?:p?jpe?g|jfif|\*).*|application/octet-stream.*|video/.*")
_FORMATS: Final = (b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"RIFF", b"BM")
_LONGEST_START: Final = 16  # bytes of an empty line and what an image begins with


class NoPicturesError(ValueError):
    """The camera sends something other than pictures; the text says what."""


class _Part(NamedTuple):
    """What precedes a part says this about it; `begin` and `end` are where that stands in the data."""

    is_jpeg: bool = True
    length: int | None = None
    begin: int = 0
    end: int = 0


class Pictures:
    """Takes bytes as they arrive, and yields each picture when its last byte is there.

    Pictures are JPEGs, with an end marker even if the camera omits it, or images of other formats in parts of
    their own. Everything else is skipped. A JPEG that has neither an end marker nor a correct length is only
    known to be complete when the next one begins.
    """

    def __init__(self) -> None:
        self.incomplete = 0
        """Pictures that were skipped because they are broken, or lack the end that others have."""
        self._data = bytearray()
        self._ended = False
        self._part: _Part | None = None  # of the data's beginning
        self._at = 0  # how far the data has been searched
        self._start = 0  # no JPEG starts before this
        self._head: _Part | None = None  # the last head of a JPEG in what has been searched
        self._in_scan = False  # whether that is within entropy-coded data
        self._skipped = 0  # bytes since the last part
        self._first = b""  # of these
        self._has_ends = False  # a picture with an end marker has been seen
        self._has_lengths = False  # the last picture without an end had the length that was declared

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the pictures that this data completes.

        Raises `NoPicturesError` for a part that is too large, or for too much that is no picture.
        """
        self._data += data
        while (picture := self._next()) is not None:
            if picture:
                yield picture

    def end(self) -> Iterator[bytes]:
        """Yield the pictures that are complete because nothing follows them."""
        self._ended = True
        yield from self.feed(b"")

    def _next(self) -> bytes | None:
        """Remove a part, and return its picture, or nothing; None if more data is needed."""
        if self._part is None:
            self._part = self._begin()
            if self._part is None:
                return None
        part = self._part
        end = self._end_of_jpeg(part) if part.is_jpeg else self._end_of_other(part)
        if (len(self._data) if end is None else end) > LARGEST_PART:
            raise NoPicturesError(f"a picture of more than {LARGEST_PART >> 20} MiB")
        if end is None:
            return None
        found = bytes(memoryview(self._data)[:end])
        self._remove(end)
        self._part = None
        if not part.is_jpeg:
            return found if found.startswith(_FORMATS) else b""
        return self._checked(found, part)

    def _checked(self, picture: bytes, part: _Part) -> bytes:
        if picture.endswith(END):
            self._has_ends = True
            return picture
        self._has_lengths = len(picture) == part.length
        if self._has_ends or not self._in_scan:
            self.incomplete += 1
            return b""
        return picture + END

    def _remove(self, count: int) -> None:
        del self._data[:count]
        self._at, self._start = 0, max(0, self._start - count)

    def _begin(self) -> _Part | None:
        """Remove what precedes the next part, and return what it says; None if more data is needed."""
        data = self._data
        start = data.find(_START, self._start)
        until = start if start >= 0 else len(data)
        self._start = start if start >= 0 else max(0, len(data) - 2)
        # What a head is of shows in the bytes behind it.
        head = _first_other_or_last(_heads(data, max(0, self._at - _LONGEST_START), until)) or self._head
        if head is not None and not head.is_jpeg:
            self._remove(head.end)
        elif start >= 0:
            if head is None or data[head.end : start].strip():  # it is of something else
                head = _Part()
            self._remove(start)
            self._at, self._in_scan = len(START), False
        else:
            self._head = head
            self._skip()
            return None
        self._skipped, self._head = 0, None
        return head

    def _skip(self) -> None:
        """Forget data that no longer matters."""
        excess = len(self._data) - LONGEST_HEAD
        if excess > 0:
            if self._skipped == 0:
                self._first = bytes(self._data[:24])
            self._skipped += excess
            self._remove(excess)
            head = self._head
            if head is not None:
                self._head = head._replace(end=head.end - excess) if head.end >= excess else None
        if self._skipped > LARGEST_PART:
            raise NoPicturesError(f"no picture in {LARGEST_PART >> 20} MiB, which begin with {self._first!r}")
        self._at = len(self._data)

    def _end_of_jpeg(self, part: _Part) -> int | None:
        """Return where the JPEG at the data's beginning ends, or breaks; None if more data is needed."""
        while True:
            before = self._at, self._in_scan
            end = self._search_scan(part) if self._in_scan else self._skip_segment()
            if end is not None or (self._at, self._in_scan) == before:
                ended = end is None and self._ended
                return _boundary_before(self._data, len(self._data)) if ended else end

    def _search_scan(self, part: _Part) -> int | None:
        data = self._data
        found = _MARKER.search(data, self._at)
        declared = self._declared_end(part)
        # A marker counts from its second byte on: the first may be the last one that has arrived.
        if declared is not None and self._at <= declared <= (found.start() + 1 if found else len(data)):
            return declared
        if found is None:
            self._at = max(self._at, len(data) - 1)
            return None
        at = found.start()
        marker = data[at + 1]
        if marker == END[1]:
            return at + len(END)
        if marker == START[1]:
            return _boundary_before(data, at)
        self._in_scan = marker not in _BETWEEN_SCANS  # any other is damage
        self._at = at + 2 if self._in_scan else at
        return None

    def _declared_end(self, part: _Part) -> int | None:
        """Return the declared end of a picture without an end marker, if the lengths seem to be right."""
        length = part.length
        if self._has_ends or length is None or len(self._data) < length:
            return None
        trusted = self._has_lengths or bytes(self._data[length : length + 2]) in (b"\r\n", b"--")
        return length if trusted else None

    def _skip_segment(self) -> int | None:
        data, at = self._data, self._at
        if len(data) < at + 4:
            return None
        marker = data[at + 1]
        if data[at] != _FILL or marker == START[1]:
            return at
        if marker == _FILL:
            self._at = at + 1
        elif marker in _WITHOUT_BODY:
            self._at = at + 2
        elif marker == END[1]:
            return at + len(END)
        else:
            end = at + 2 + (data[at + 2] << 8 | data[at + 3])
            if end < at + 4:
                return at
            if end <= len(data):
                self._at, self._in_scan = end, marker == jpeg.START_OF_SCAN
        return None

    def _end_of_other(self, part: _Part) -> int | None:
        data = self._data
        if part.length is not None and part.length <= LARGEST_PART:
            end = part.length if len(data) >= part.length else None
        else:
            begin = max(0, self._at - _LONGEST_LINE)
            found = _BOUNDARY.search(data, begin)
            head = next(_heads(data, begin, len(data)), None)
            ends = [each for each in (found and found.start(), head and head.begin) if each is not None]
            end = min(ends, default=None)
            self._at = len(data)
        return len(data) if end is None and self._ended else end


def _heads(data: bytearray, since: int, until: int) -> Iterator[_Part]:
    """Yield the blocks of header fields that end, with an empty line, in a part of the data."""
    for blank in _BLANK_LINE.finditer(data, since, until):
        fields: dict[bytes, bytes] = {}
        at = blank.start()
        while len(fields) < _MOST_FIELDS and at > 0:
            lowest = max(0, at - _LONGEST_LINE)
            line = data.rfind(b"\n", lowest, at) + 1 or lowest
            field = _FIELD.fullmatch(data, line, at)
            if field is None:
                at = line if data.startswith(b"--", line) else at  # the boundary belongs to the head
                break
            fields[field[1].lower()] = field[2].strip(b" \t")
            at = max(0, line - 1)
        if fields:
            kind = fields.get(b"content-type", b"").lower()
            length = fields.get(b"content-length", b"")
            yield _Part(
                is_jpeg=_JPEG.fullmatch(kind) is not None and not data.startswith(_FORMATS, blank.end()),
                length=int(length) if length.isdigit() and len(length) < 10 else None,
                begin=at,
                end=blank.end(),
            )


def _first_other_or_last(heads: Iterator[_Part]) -> _Part | None:
    found = None
    for found in heads:
        if not found.is_jpeg:
            break
    return found


def _boundary_before(data: bytearray, end: int) -> int:
    """Return where the line of the boundary in front of `end` begins, or `end`."""
    at = data.rfind(b"\n--", max(0, end - _LONGEST_LINE), end)
    if at < 0:
        return end
    return at - 1 if data[at - 1] == ord("\r") else at

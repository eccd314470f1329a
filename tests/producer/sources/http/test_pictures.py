"""Pictures are found in whatever cameras send over HTTP, at whatever places the network cuts it."""

import re
import tracemalloc
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import picture
from producer.sources.http.pictures import LARGEST_PART, NoPicturesError, Pictures
from tests.jpegs import segment, segments

IMAGES = [np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8) for seed in range(4)]
JPEGS = [picture.encode(image, 85) for image in IMAGES]
ENDLESS = [data[:-2] for data in JPEGS]
PNG = cv2.imencode(".png", IMAGES[0])[1].tobytes()
PROGRESSIVE = [
    cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes() for image in IMAGES
]
TYPE = b"Content-Type: image/jpeg\r\n"


def body(jpegs: list[bytes], head: bytes = b"--b\r\n" + TYPE + b"\r\n", tail: bytes = b"\r\n") -> bytes:
    """Return a multipart body; {length} in the head is replaced by the picture's length."""
    return b"".join(head.replace(b"{length}", b"%d" % len(each)) + each + tail for each in jpegs)


def read(data: bytes, cuts: list[int] | None = None) -> list[bytes]:
    """Return the pictures in data that arrives in pieces."""
    pictures, at = Pictures(), 0
    found: list[bytes] = []
    for cut in [*sorted(cuts or []), len(data)]:
        found += pictures.feed(data[at:cut])
        at = cut
    return found + list(pictures.end())


def with_delimiter(data: bytes) -> bytes:
    """Return a JPEG with a comment that looks like the beginning of another part."""
    return data[:2] + segment(0xFE, b"\r\n--b\r\n" + TYPE + b"\r\n\xff\xd8\xff\xe0") + data[2:]


SCANLESS = JPEGS[0][: next(end for marker, _, end in segments(JPEGS[0]) if marker == 0xDA)]

BODIES = {
    "as usual": (body(JPEGS), JPEGS),
    "with lengths": (body(JPEGS, b"--b\r\n" + TYPE + b"Content-Length: {length}\r\n\r\n"), JPEGS),
    "lengths too short": (body(JPEGS, b"--b\r\n" + TYPE + b"Content-Length: 100\r\n\r\n"), JPEGS),
    "lengths too long": (body(JPEGS, b"--b\r\n" + TYPE + b"Content-Length: 99999\r\n\r\n"), JPEGS),
    "lengths that are none": (body(JPEGS, b"--b\r\n" + TYPE + b"Content-Length: many\r\n\r\n"), JPEGS),
    "negative lengths": (body(JPEGS, b"--b\r\n" + TYPE + b"Content-Length: -1\r\n\r\n"), JPEGS),
    "no first boundary": (body(JPEGS)[5:], JPEGS),
    "no blank line": (body(JPEGS, b"--b\r\n" + TYPE), JPEGS),
    "no headers": (body(JPEGS, b"--b\r\n\r\n"), JPEGS),
    "line feeds only": (body(JPEGS, b"--b\nContent-Type: image/jpeg\n\n", b"\n"), JPEGS),
    "no dashes": (body(JPEGS, b"boundary\r\n" + TYPE + b"\r\n"), JPEGS),
    "more dashes": (body(JPEGS, b"----b\r\n" + TYPE + b"\r\n"), JPEGS),
    "boundaries that change": (b"".join(body([e], b"--b%d\r\n\r\n" % n) for n, e in enumerate(JPEGS)), JPEGS),
    "no line before the boundary": (body(JPEGS, tail=b""), JPEGS),
    "no multipart": (b"".join(JPEGS), JPEGS),
    "bytes after the end": (body(JPEGS, tail=bytes(100) + b"\r\n"), JPEGS),
    "fill bytes in front": (body([b"\xff" + data for data in JPEGS]), JPEGS),
    "no end markers": (body(ENDLESS) + b"--b--\r\n", JPEGS),
    "no end markers, with lengths": (
        body(ENDLESS, b"--b\r\n" + TYPE + b"Content-Length: {length}\r\n\r\n"),
        JPEGS,
    ),
    "no end markers, no multipart": (b"".join(ENDLESS), JPEGS),
    "no end markers, no headers": (body(ENDLESS, b"--b\r\n\r\n") + b"--b--\r\n", JPEGS),
    "progressive": (body(PROGRESSIVE), PROGRESSIVE),
    "progressive, no multipart": (b"".join(PROGRESSIVE), PROGRESSIVE),
    "a boundary within": (body([with_delimiter(e) for e in JPEGS]), [with_delimiter(e) for e in JPEGS]),
    "the last boundary": (body(JPEGS) + b"--b--\r\n", JPEGS),
    "a preamble": (b"This is a camera.\r\n\r\n" + body(JPEGS), JPEGS),
    "text in between": (
        body(JPEGS, b"--b\r\nContent-Type: text/plain\r\n\r\nmotion\r\n--b\r\n" + TYPE + b"\r\n"),
        JPEGS,
    ),
    "sound in between": (
        body(
            JPEGS,
            b"--b\r\nContent-Type: audio/basic\r\nContent-Length: 6\r\n\r\n"
            b"\xff\xd8\xff\xd8\xff\xe0\r\n--b\r\n" + TYPE + b"\r\n",
        ),
        JPEGS,
    ),
    "PNG": (body([PNG] * 2, b"--b\r\nContent-Type: image/png\r\n\r\n") + b"--b--\r\n", [PNG] * 2),
    "PNG with lengths": (
        body([PNG] * 2, b"--b\r\nContent-Type: image/png\r\nContent-Length: {length}\r\n\r\n"),
        [PNG] * 2,
    ),
    "PNG that claims to be JPEG": (body([PNG] * 2) + b"--b--\r\n", [PNG] * 2),
    "PNG and JPEG": (
        body([PNG], b"--b\r\nContent-Type: image/png\r\n\r\n") + body(JPEGS),
        [PNG, *JPEGS],
    ),
    "a broken picture": (body([JPEGS[0], b"\xff\xd8\xff\xe0\x00\x01broken", JPEGS[1]]), JPEGS[:2]),
    "a marker where the scan begins": (
        body([JPEGS[0], SCANLESS + b"\xff\xdd\x00\x04\x00\x01\xff\xda\x00\x02\xff\xd9", JPEGS[1]]),
        [JPEGS[0], SCANLESS + b"\xff\xdd\x00\x04\x00\x01\xff\xda\x00\x02\xff\xd9", JPEGS[1]],
    ),
    "spaces around a field": (body(JPEGS, b"--b\r\nContent-Type \t: \t image/jpeg \t\r\n\r\n"), JPEGS),
    "no end markers, damage behind a length": (
        body(
            [ENDLESS[0]],
            b"--b\r\nContent-Length: {length}\r\n\r\n",
            b"\r\n--b\r\n\xff\xdd\x00\x04\x00\x01\r\n",
        ),
        JPEGS[:1],
    ),
    "a truncated picture": (body([JPEGS[0], JPEGS[1][:-300], JPEGS[2]]), [JPEGS[0], JPEGS[2]]),
}


@pytest.mark.parametrize("name", BODIES)
@given(data=st.data())
def test_pictures_are_found_wherever_the_network_cuts(name: str, data: st.DataObject) -> None:
    sent, expected = BODIES[name]
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=8))

    assert read(sent, cuts) == expected


@pytest.mark.parametrize("name", BODIES)
def test_pictures_are_found_byte_by_byte(name: str) -> None:
    sent, expected = BODIES[name]

    assert read(sent, list(range(len(sent)))) == expected


@pytest.mark.parametrize(
    "name",
    [name for name in BODIES if "no end" not in name and "PNG" not in name]
    + ["no end markers, with lengths"],
)
def test_a_picture_is_found_when_its_last_byte_has_arrived(name: str) -> None:
    sent, expected = BODIES[name]
    pictures = Pictures()

    for number, each in enumerate(expected[: 2 if "trunc" not in name else 1]):
        body = each[:-2] if "no end" in name else each
        end = sent.index(body) + len(body)
        found = list(pictures.feed(sent[:end]))
        sent = sent[end:]

        if number == 0 and "no end" in name:
            continue  # whether the lengths are right shows only with what follows
        assert found[-1] == each


@given(st.binary(max_size=2000))
def test_anything_is_read_without_a_crash(data: bytes) -> None:
    read(data)
    read(JPEGS[0] + data + JPEGS[1])


def test_a_long_line_takes_no_longer_than_its_length() -> None:
    # This would take minutes if the pattern of a field had parts that match the same bytes.
    line = b"A:" + b" " * 4000 + b"\rx"

    assert read(line + b"\r\n\r\n" + body(JPEGS)) == JPEGS


def test_text_that_trickles_in_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    pattern = re.compile(rb"\n\r?\n")

    class Counting:
        def finditer(self, data: bytearray, begin: int, until: int) -> Iterator[re.Match[bytes]]:
            nonlocal looked_at
            looked_at += until - begin
            return pattern.finditer(data, begin, until)

    monkeypatch.setattr("producer.sources.http.pictures._BLANK_LINE", Counting())
    text = b"a: b\r\n\r\n" * 2000

    assert read(text + body(JPEGS), list(range(0, len(text), 64))) == JPEGS

    assert looked_at < 3 * len(text)


def pour(*data: bytes) -> None:
    """Feed data that holds no complete picture."""
    pictures = Pictures()
    for each in data:
        assert list(pictures.feed(each)) == []


def test_a_page_is_not_pictures_and_takes_no_memory() -> None:
    page = b"<html>" + b"a line\r\n" * 8000
    tracemalloc.start()

    with pytest.raises(NoPicturesError, match="<html>"):
        pour(*[page] * (2 * LARGEST_PART // len(page)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


@pytest.mark.parametrize(
    "start",
    [
        JPEGS[0][:-2],
        b"--b\r\nContent-Type: image/png\r\n\r\n",
        b"--b\r\nContent-Length: 999999999\r\n\r\n\xff\xd8\xff\xe0",
    ],
)
def test_a_picture_without_an_end_is_given_up(start: bytes) -> None:
    with pytest.raises(NoPicturesError):
        pour(start, *[bytes(1_000_000)] * 80)


@pytest.mark.exceeds("producer.sources.http.pictures.LARGEST_PART")
def test_a_picture_of_the_largest_size_is_found_and_a_larger_one_is_refused() -> None:
    filled = ENDLESS[0].ljust(LARGEST_PART - 2, b"\0")

    assert read(filled + b"\xff\xd9") == [filled + b"\xff\xd9"]
    with pytest.raises(NoPicturesError, match="more than 32 MiB"):
        read(filled + b"\0\xff\xd9")

"""MJPEG: the framing."""

import io
import re

from hypothesis import given
from hypothesis import strategies as st

from tests.video.fakes import PROPERTY, a_frame, by_boundary, by_length
from video.streams.mjpeg.framing import FIRST, HEADERS, PROBE, part

BOUNDARY = HEADERS["Content-Type"].partition("boundary=")[2].encode()


def test_the_bytes_are_those_of_ustreamer() -> None:
    made = FIRST + part(a_frame(17, captured=123_456_789_000, jpeg=b"JPEG"))

    assert made == (
        b"--frame\r\n"
        b"Content-Type: image/jpeg\r\nContent-Length: 4\r\nX-Seq: 17\r\nX-Captured: 123456789000\r\n"
        b"\r\n"
        b"JPEG\r\n"
        b"--frame\r\n"
    )


def test_the_headers_name_the_boundary_and_keep_caches_out() -> None:
    assert HEADERS["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
    assert HEADERS["Cache-Control"] == "no-store, no-cache, must-revalidate"


@PROPERTY
@given(jpegs=st.lists(st.binary(max_size=100), max_size=6), first=st.integers(0, 10**18))
def test_any_frames_are_read_back_by_their_lengths(jpegs: list[bytes], first: int) -> None:
    frames = [a_frame(first + number, jpeg=jpeg) for number, jpeg in enumerate(jpegs)]

    stream = FIRST + b"".join(PROBE * (frame.seq % 3) + part(frame) for frame in frames)

    parts = list(by_length(io.BytesIO(stream), BOUNDARY))
    assert [body for _, body in parts] == jpegs
    assert [int(headers["x-seq"]) for headers, _ in parts] == [frame.seq for frame in frames]
    assert {headers["content-type"] for headers, _ in parts} <= {"image/jpeg"}


@PROPERTY
@given(jpegs=st.lists(st.binary(max_size=100).filter(lambda jpeg: b"--frame" not in jpeg), max_size=6))
def test_any_frames_are_read_back_by_the_boundary_alone(jpegs: list[bytes]) -> None:
    stream = FIRST + b"".join(PROBE + part(a_frame(jpeg=jpeg)) for jpeg in jpegs)

    assert by_boundary(stream, BOUNDARY) == jpegs


@PROPERTY
@given(jpegs=st.lists(st.binary(max_size=50), min_size=1, max_size=4))
def test_each_frame_is_complete_without_the_next(jpegs: list[bytes]) -> None:
    stream = FIRST

    for number, jpeg in enumerate(jpegs, start=1):
        stream += part(a_frame(jpeg=jpeg))

        assert stream.endswith(b"\r\n--" + BOUNDARY + b"\r\n")
        assert len(list(by_length(io.BytesIO(stream), BOUNDARY))) == number


def test_a_part_holds_the_jpeg_once() -> None:
    jpeg = bytes(range(256)) * 40

    made = part(a_frame(jpeg=jpeg))

    assert len(re.findall(re.escape(jpeg), made)) == 1
    assert len(made) < len(jpeg) + 200

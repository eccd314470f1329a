import base64
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import mat
from pipeline.wire.picture import Image


@st.composite
def images(draw: st.DrawFn) -> Image:
    rows, columns = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    size = rows * columns * 3
    pixels = draw(st.binary(min_size=size, max_size=size))
    return np.frombuffer(pixels, np.uint8).reshape(rows, columns, 3)


@given(images())
def test_an_image_comes_back_as_it_was_sent(image: Image) -> None:
    again = mat.decode(mat.encode(image))

    assert again.dtype == np.uint8
    assert again.shape == image.shape
    assert (again == image).all()


def test_the_message_is_to_the_byte_what_the_original_writes() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)

    assert mat.encode(image) == b'{"mat":"AAECAwQF","channels":3,"rows":1,"cols":2,"type":16}'


def test_a_view_on_a_larger_image_is_sent_row_after_row() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)[1:3, 1:3]

    fields = json.loads(mat.encode(image))

    assert base64.b64decode(fields["mat"]) == bytes([15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32])


@pytest.mark.parametrize(
    ("kind", "pixels", "expected"),
    [
        (0, [7, 9], [[7, 7, 7], [9, 9, 9]]),
        (16, [1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]]),
        (24, [1, 2, 3, 0, 4, 5, 6, 255], [[1, 2, 3], [4, 5, 6]]),
    ],
    ids=["grey", "BGR", "BGRA"],
)
def test_every_kind_is_read_as_bgr(kind: int, pixels: list[int], expected: list[list[int]]) -> None:
    text = base64.b64encode(bytes(pixels)).decode()
    value = json.dumps({"mat": text, "channels": 1, "rows": 1, "cols": 2, "type": kind}).encode()

    assert mat.decode(value).tolist() == [expected]


@pytest.mark.exceeds("pipeline.wire.mat.LONGEST_SIDE")
@pytest.mark.parametrize(
    ("rows", "columns"), [(0, 1), (1, 0), (-1, -1), (16_385, 1), (1, 16_385), (10**400, 1)]
)
def test_sides_out_of_bounds_are_refused_before_anything_is_reserved(rows: int, columns: int) -> None:
    value = json.dumps({"mat": "", "rows": rows, "cols": columns, "type": 16}).encode()

    with pytest.raises(mat.MatError, match="expected 1x1 to 16384x16384 pixels"):
        mat.decode(value)


def test_a_message_with_more_pixels_than_are_accepted_is_not_decoded() -> None:
    image = np.zeros((1000, 1001, 3), np.uint8)

    assert mat.decode(mat.encode(image), 1_001_000).shape == (1000, 1001, 3)
    with pytest.raises(mat.TooLargeError, match=r"1001x1000 pixels.*MAXPIXELS"):
        mat.decode(mat.encode(image), 1_000_000)
    with pytest.raises(mat.TooLargeError, match=r"bytes.*MAXPIXELS=1000000"):
        mat.decode(b'{"mat":"' + bytes(4_300_000), 1_000_000)


@pytest.mark.parametrize(
    "value",
    [
        b'{"mat":"AAAA',
        b'{"mat":"AAAA","rows":1,"cols":1,"type":16,"other":"' + bytes(1000) + b'"}',
        b'{"mat":"AAAA","mat":"AAAA","rows":1,"cols":1,"type":16}',
        b'{"mat":"AAAA","rows":1,"cols":1,"type":16' + b" " * 1000 + b"}",
        b'{"a":' * 200 + b'{"mat":"AAAA","rows":1,"cols":1,"type":16}' + b"}" * 200,
        b'{"mat":"AAAA","rows":1,"cols":2,"type":16}',
        b'{"mat":"AAA=","rows":1,"cols":1,"type":16}',
        b'{"mat":"AA!A","rows":1,"cols":1,"type":16}',
        b'{"mat":["AAAA"],"rows":1,"cols":1,"type":16}',
        b'{"rows":1,"cols":1,"type":16}',
    ],
)
def test_fields_that_do_not_fit_each_other_are_refused(value: bytes) -> None:
    with pytest.raises(mat.MatError):
        mat.decode(value)


@pytest.mark.exceeds("pipeline.wire.mat._LONGEST_REST")
def test_besides_the_pixels_there_may_be_a_thousand_bytes() -> None:
    message = b'{"mat":"AQID","rows":1,"cols":1,"type":16%b}'
    room = 1000 - len(message % b"") + len("AQID")

    assert mat.decode(message % (b" " * room)).tolist() == [[[1, 2, 3]]]
    with pytest.raises(mat.MatError, match="more than 1000 bytes besides its pixels"):
        mat.decode(message % (b" " * (room + 1)))


def test_a_large_message_is_refused_without_being_copied() -> None:
    value = b'{"mat":"' + b"A" * 1_000_000 + b'"' + b" " * 3_000_000

    tracemalloc.start()
    try:
        with pytest.raises(mat.MatError, match="bytes besides its pixels"):
            mat.decode(value)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 100_000


def test_the_fields_may_be_in_any_order() -> None:
    value = b'{ "type": 16, "rows": 1, "cols": 1, "channels": 3, "mat" : "AQID" }'

    assert mat.decode(value).tolist() == [[[1, 2, 3]]]


def test_the_largest_side_is_read() -> None:
    image = np.zeros((1, 16_384, 3), np.uint8)

    assert mat.decode(mat.encode(image)).shape == (1, 16_384, 3)

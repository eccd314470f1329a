import base64
import json
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import mat, picture
from pipeline.wire.frame import UNNAMED, Frame, FrameError, Message, age_of, decode, encode
from pipeline.wire.predictions import LARGEST_NUMBER, Prediction, Result, as_json
from tests.pipeline.wire.strategies import predictions

KINDS = {"bad_jpeg", "bad_mat", "bad_key", "bad_header"}
PICTURE = np.full((48, 70, 3), (200, 100, 50), np.uint8)
JPEG = picture.encode(PICTURE, 85)

names = st.text(
    st.characters(exclude_categories=("C", "Zl", "Zp", "Zs"), include_characters=" "),
    min_size=1,
    max_size=200,
)
counts = st.integers(0, LARGEST_NUMBER)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


def message_of(value: bytes, key: bytes | None = b"front", **headers: bytes) -> Message:
    return Message(key, value, list(headers.items()))


def mat_of(**changed: Any) -> bytes:
    fields = {"mat": base64.b64encode(bytes(12)).decode(), "channels": 3, "rows": 2, "cols": 2, "type": 16}
    return json.dumps(fields | changed).encode()


def kind_or_frame(message: Message) -> str | Frame:
    try:
        return decode(message, offset=0, timestamp=0)
    except FrameError as error:
        return error.kind


def kind_of_error(message: Message) -> str:
    with pytest.raises(FrameError) as caught:
        decode(message, offset=0, timestamp=0)
    assert len(str(caught.value).splitlines()) == 1
    return caught.value.kind


@given(names, counts, st.integers(0, 10**19 - 1), predictions)
def test_a_frame_comes_back_as_it_was_sent(
    camera: str, seq: int, captured: int, said: tuple[Prediction, ...]
) -> None:
    frame = Frame(camera, seq, captured, JPEG, 70, 48, said)

    message = encode(frame)

    assert decode(message, offset=-1, timestamp=-1) == frame


@given(st.binary(max_size=9))
def test_what_the_labels_cover_comes_back(covered: bytes) -> None:
    frame = Frame("front", 17, 4, JPEG, 70, 48, covered=covered)

    message = encode(frame)

    assert decode(message, offset=-1, timestamp=-1) == frame
    assert ("covered" in dict(message.headers)) == bool(covered)


@given(st.from_regex(r"[0-9A-Za-z]{0,40}", fullmatch=True), st.none() | st.tuples(st.just("0a1b"), counts))
def test_the_runs_and_numbers_of_both_writers_come_back(run: str, labelled: tuple[str, int] | None) -> None:
    frame = Frame("front", 17, 4, JPEG, 70, 48, run=run, labelled=labelled)

    message = encode(frame)

    assert decode(message, offset=-1, timestamp=-1) == frame
    assert message.number == frame.number == (labelled or (run, 17))


@pytest.mark.exceeds("pipeline.wire.frame.LONGEST_RUN")
@pytest.mark.parametrize("run", [b"a" * 41, b"", b"a-b", b"\xff", "é".encode(), b"a b", b"a\n"])
def test_a_run_that_no_service_writes_is_left_out(run: bytes) -> None:
    frame = kind_or_frame(message_of(JPEG, seq=b"5", run=run, labelled=run + b"-7"))

    assert isinstance(frame, Frame)
    assert (frame.run, frame.labelled) == ("", None)


@pytest.mark.parametrize("text", [b"", b"a", b"-", b"a-", b"a--1", b"a-1.5", b"a-" + b"9" * 30, b"a-1-2"])
def test_a_number_that_no_consumer_writes_is_left_out(text: bytes) -> None:
    frame = kind_or_frame(message_of(JPEG, seq=b"5", run=b"b", labelled=text))

    assert isinstance(frame, Frame)
    assert frame.number == ("b", 5)


def test_without_a_number_there_is_no_run() -> None:
    frame = kind_or_frame(message_of(JPEG, run=b"b"))

    assert isinstance(frame, Frame)
    assert frame.run == ""


def test_the_message_is_the_documented_one() -> None:
    said = (Prediction("imagenet_1", (Result("unicycle", 0.93, (1, 2, 3, 4)),), 16, 41),)

    message = encode(Frame("front", 17, 1_700_000_000_000_000_001, JPEG, 70, 48, said))

    assert message.key == b"front"
    assert message.value == JPEG
    assert message.headers == [
        ("seq", b"17"),
        ("captured", b"1700000000000000001"),
        (
            "predictions",
            b'[{"model": "imagenet_1", "results": [{"label": "unicycle", "score": 0.93, '
            b'"box": [1, 2, 3, 4]}], "seq": 16, "age_ms": 41}]',
        ),
    ]


def test_a_frame_without_predictions_carries_no_header_for_them() -> None:
    message = encode(Frame("front", 0, 0, JPEG, 70, 48))

    assert [name for name, _ in message.headers] == ["seq", "captured"]


@pytest.mark.parametrize("key", [None, b""])
def test_what_key_and_headers_do_not_tell_comes_from_the_message_itself(key: bytes | None) -> None:
    message = Message(key, JPEG, [])

    frame = decode(message, offset=12, timestamp=34_000_000)

    assert frame == Frame(UNNAMED, 12, 34_000_000, JPEG, 70, 48)
    assert UNNAMED == "camera"


def test_unknown_headers_are_left_alone() -> None:
    message = message_of(JPEG, seq=b"5", traceparent=b"\xff\x00")

    assert decode(message, offset=0, timestamp=0).seq == 5


def test_the_first_byte_tells_the_original_message_from_a_jpeg() -> None:
    original = Message(None, mat.encode(PICTURE), [])

    frame = decode(original, offset=7, timestamp=9)

    assert (frame.camera, frame.seq, frame.captured) == (UNNAMED, 7, 9)
    assert (frame.width, frame.height) == (70, 48)
    assert frame.jpeg.startswith(b"\xff\xd8")
    assert np.abs(picture.decode(frame.jpeg).astype(int) - PICTURE).max() <= 4


@pytest.mark.parametrize(
    ("kind", "channels", "pixel"),
    [(0, 1, [90]), (16, 3, [200, 100, 50]), (24, 4, [200, 100, 50, 7])],
    ids=["grey", "BGR", "BGRA"],
)
def test_the_originals_pictures_of_every_kind_are_read(kind: int, channels: int, pixel: list[int]) -> None:
    raw = base64.b64encode(bytes(pixel * 6)).decode()
    value = f'{{"mat":"{raw}","channels":{channels},"rows":2,"cols":3,"type":{kind}}}'.encode()

    frame = decode(Message(None, value, []), offset=0, timestamp=0)

    expected = pixel * 3 if channels == 1 else pixel[:3]
    assert (frame.width, frame.height) == (3, 2)
    assert np.abs(picture.decode(frame.jpeg).astype(int) - expected).max() <= 4


def test_a_mat_with_key_and_headers_keeps_them() -> None:
    message = message_of(mat.encode(PICTURE), seq=b"3", captured=b"4")

    frame = decode(message, offset=0, timestamp=0)

    assert (frame.camera, frame.seq, frame.captured) == ("front", 3, 4)


@pytest.mark.parametrize(
    "value",
    [
        b"{",
        b"{}",
        b'{"mat": 5, "rows": 1, "cols": 1, "type": 16}',
        b'{"mat": "AAAA", "rows": 1e999, "cols": 1, "type": 16}',
        b"{" + b'"a":[' * 100_000,
        b'{"mat": "\xff"}',
        mat_of(mat=None),
        mat_of(mat="AAA"),
        mat_of(mat="AA*A"),
        mat_of(mat="\ud800"),
        mat_of(mat=""),
        mat_of(rows=1),
        mat_of(rows=3),
        mat_of(rows=0),
        mat_of(rows=-2, cols=-2),
        mat_of(rows=2**31, cols=2**31),
        mat_of(rows=10**400),
        mat_of(rows="two"),
        mat_of(rows=None),
        mat_of(type=17),
        mat_of(type=-1),
        mat_of(type=0),
        mat_of(type=24),
    ],
)
def test_what_is_no_mat_is_told_so(value: bytes) -> None:
    assert kind_of_error(message_of(value)) == "bad_mat"


@pytest.mark.parametrize(
    "value", [b"", b"hello", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\x89PNG\r\n", b"[1]"]
)
def test_what_is_not_a_jpeg_is_rejected(value: bytes) -> None:
    assert kind_of_error(message_of(value)) == "bad_jpeg"


@pytest.mark.parametrize("key", [b"\xff", b"a\nb", b"a\x00", "\u200b".encode()])
def test_a_key_that_is_not_a_name_is_rejected(key: bytes) -> None:
    assert kind_of_error(message_of(JPEG, key)) == "bad_key"


@pytest.mark.exceeds("pipeline.wire.frame.LONGEST_NAME")
def test_a_name_has_200_characters_at_most() -> None:
    name = "\N{CAMERA WITH FLASH}" * 200

    frame = kind_or_frame(message_of(JPEG, name.encode()))

    assert isinstance(frame, Frame)
    assert frame.camera == name
    assert kind_of_error(message_of(JPEG, b"x" * 201)) == "bad_key"


@pytest.mark.exceeds("pipeline.wire.frame._MOST_HEADERS")
def test_a_message_with_many_headers_is_rejected() -> None:
    message = Message(b"front", JPEG, [("other", b"")] * 33)

    assert kind_of_error(message) == "bad_header"
    assert isinstance(kind_or_frame(message._replace(headers=message.headers[1:])), Frame)


@pytest.mark.parametrize(("key", "value"), [(b"\xff", JPEG), (b"front", JPEG[:-2]), (b"front", b'{"mat"')])
def test_headers_are_not_read_without_a_picture(key: bytes, value: bytes) -> None:
    class Received:
        def __init__(self) -> None:
            self.key, self.value = key, value

        @property
        def headers(self) -> list[tuple[str, bytes | None]]:
            raise AssertionError("read")

    with pytest.raises(FrameError):
        decode(Received(), offset=0, timestamp=0)


@pytest.mark.exceeds("pipeline.wire.predictions.LARGEST_NUMBER")
def test_a_seq_that_javascript_cannot_hold_is_rejected() -> None:
    assert isinstance(kind_or_frame(message_of(JPEG, seq=b"9007199254740991")), Frame)
    assert kind_of_error(message_of(JPEG, seq=b"9007199254740992")) == "bad_header"


@pytest.mark.parametrize("name", ["seq", "captured"])
@pytest.mark.parametrize("text", [b"", b"-1", b"1.5", b"1e3", b" 1", b"\xd9\xa1", b"9" * 20, b"9" * 10_000])
def test_a_header_that_is_not_a_number_is_rejected(name: str, text: bytes) -> None:
    assert kind_of_error(message_of(JPEG, **{name: text})) == "bad_header"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"5",
        b"null",
        b"{",
        b'{"model": 1}',
        b"[5]",
        b"[{}]",
        b'[{"model": "m", "results": ["x"], "seq": 1, "age_ms": 1}]',
        b'[{"model": "m", "results": [{"label": "a"}], "seq": 1, "age_ms": 1}]',
        b'[{"model": "m", "results": [{"label": "a", "score": NaN}], "seq": 1, "age_ms": 1}]',
        b'[{"model": "m", "results": [{"label": "a", "score": 1e999}], "seq": 1, "age_ms": 1}]',
        b'[{"model": "m", "results": [{"label": "a", "score": 1, "box": [1, 2]}], "seq": 1, "age_ms": 1}]',
        b'[{"model": "m", "results": [], "seq": Infinity, "age_ms": 1}]',
        b"[" * 10_000,
        b'[{"model": "m", "results": [], "seq": ' + b"9" * 5_000 + b', "age_ms": 1}]',
        b" " * 16_384 + b"[]",
    ],
)
def test_invalid_predictions_are_left_out_of_their_frame(text: bytes) -> None:
    faults: list[FrameError] = []

    frame = decode(message_of(JPEG, predictions=text), offset=0, timestamp=0, left_out=faults.append)

    assert (frame.jpeg, frame.predictions) == (JPEG, ())
    assert [fault.kind for fault in faults] == ["bad_predictions"]
    assert len(str(faults[0])) < 200


@given(
    st.none() | st.binary(max_size=300),
    st.one_of(
        st.binary(), st.binary().map(b"{".__add__), st.binary().map(b"\xff\xd8".__add__), st.just(JPEG)
    ),
    st.lists(st.tuples(st.sampled_from(["seq", "captured", "predictions", "other"]), st.binary(max_size=30))),
)
def test_no_bytes_raise_anything_but_a_frame_error(
    key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]
) -> None:
    outcome = kind_or_frame(Message(key, value, headers))

    assert outcome in KINDS or (isinstance(outcome, Frame) and outcome.jpeg == value)


@given(st.dictionaries(st.sampled_from(["mat", "rows", "cols", "type", "channels"]), json_values))
def test_no_json_in_place_of_a_mat_raises_anything_but_a_frame_error(changed: dict[str, Any]) -> None:
    outcome = kind_or_frame(message_of(mat_of(**changed)))

    assert outcome == "bad_mat" or isinstance(outcome, Frame)


@given(
    json_values
    | st.lists(
        st.fixed_dictionaries(
            {
                "model": json_values,
                "results": json_values
                | st.lists(
                    json_values
                    | st.fixed_dictionaries({"label": json_values, "score": json_values, "box": json_values})
                ),
                "seq": json_values,
                "age_ms": json_values,
                "took_ms": json_values,
            }
        ),
        max_size=2,
    )
)
def test_the_frame_survives_any_json_in_place_of_predictions(said: Any) -> None:
    outcome = kind_or_frame(message_of(JPEG, predictions=json.dumps(said).encode()))

    assert isinstance(outcome, Frame)
    json.dumps(as_json(outcome.predictions), allow_nan=False)  # as a browser gets it
    assert isinstance(kind_or_frame(encode(outcome)), Frame)


def test_a_jpeg_cut_off_anywhere_is_told_so() -> None:
    for length in range(len(JPEG)):
        assert kind_of_error(message_of(JPEG[:length])) == "bad_jpeg", length


def test_a_jpeg_with_any_byte_changed_raises_nothing_but_a_frame_error() -> None:
    outcomes = [
        kind_or_frame(message_of(JPEG[:at] + bytes([byte]) + JPEG[at + 1 :]))
        for at in range(len(JPEG))
        for byte in (0x00, 0xD9, 0xFF)
    ]

    assert {outcome for outcome in outcomes if not isinstance(outcome, Frame)} == {"bad_jpeg"}


def test_the_pixels_of_the_frame_are_what_opencv_decodes() -> None:
    frame = decode(message_of(JPEG), offset=0, timestamp=0)

    image = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (frame.height, frame.width, 3)


def test_the_age_counts_from_the_capture_and_is_never_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.wire.frame.time", FixedTime())

    assert age_of(FixedTime.now - 1_500_000_000) == 1.5
    assert age_of(FixedTime.now + 1_500_000_000) == 0


class FixedTime:
    now = 1_700_000_000_000_000_000

    def time_ns(self) -> int:
        return self.now

"""Pictures and texts as WebSocket frames, and what a browser may say."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.video.fakes import PROPERTY
from tests.video.streams.socket.fakes import Picture, read
from video.streams.message import text_message
from video.streams.socket import wire
from video.streams.socket.wire import Ack, MessageError, Time, Watch

LENGTHS = st.one_of(st.integers(0, 200), st.integers(65_400, 65_700))
NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=200)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {"type": st.sampled_from(["watch", "ack", "time"]) | JSON},
    optional=dict.fromkeys(("cameras", "id", "number", "echo"), JSON),
)


@PROPERTY
@given(
    length=LENGTHS,
    scale=st.sampled_from([1, 2, 4, 8]),
    camera=st.integers(0, 2**16 - 1),
    number=st.integers(0, 2**40),
    seq=st.integers(0, 2**64 - 1),
    captured=st.integers(0, 2**64 - 1),
    width=st.integers(1, 2**16 - 1),
    height=st.integers(1, 2**16 - 1),
)
def test_any_picture_is_read_back(length: int, **head: int) -> None:
    jpeg = b"\xff" * length

    (read_back,) = read(wire.picture(jpeg, **head))

    assert read_back == Picture(kind=1, jpeg=jpeg, **{**head, "number": head["number"] % 2**32})


@PROPERTY
@given(st.lists(st.text() | LENGTHS.map(lambda length: "x" * length), max_size=4))
def test_any_texts_are_read_back_one_after_the_other(texts: list[str]) -> None:
    sent = b"".join(text_message(json.dumps(text)) for text in texts)

    assert read(sent) == texts


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (125, "81 7d"),
        (126, "81 7e 007e"),
        (65_535, "81 7e ffff"),
        (65_536, "81 7f 0000000000010000"),
    ],
)
def test_a_length_takes_no_more_bytes_than_it_must(length: int, head: str) -> None:
    sent = text_message("x" * length)

    assert sent == bytes.fromhex(head) + b"x" * length


def test_a_picture_begins_as_the_protocol_says() -> None:
    made = wire.picture(b"JPEG", scale=4, camera=3, number=17, seq=4711, captured=5, width=320, height=180)

    assert made == bytes.fromhex(
        "82 20  01 04 0003 00000011 0000000000001267 0000000000000005 0140 00b4  4a504547"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type": "watch", "cameras": {}}', Watch({})),
        ('{"type": "watch", "cameras": {"door": 640, "a/b ü": 0}}', Watch({"door": 640, "a/b ü": 0})),
        ('{"type": "watch", "cameras": {"door": 319.5}}', Watch({"door": 320})),
        ('{"type": "watch", "cameras": {"door": 1, "door": 2}}', Watch({"door": 2})),
        ('{"type": "ack", "id": 3, "number": 17}', Ack(3, 17)),
        ('{"type": "ack", "id": 65535, "number": 4294967295, "more": 1}', Ack(65_535, 4_294_967_295)),
        ('{"type": "time", "echo": 12345.6}', Time(12345.6)),
        ('{"type": "time", "echo": 0}', Time(0)),
    ],
)
def test_what_a_browser_may_say(text: str, message: Watch | Ack | Time) -> None:
    assert wire.parse(text) == message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 1007),
        ("{", 1007),
        ("[" * 60_000, 1007),
        ('{"type":' * 8_000, 1007),
        ("9" * 60_000, 1007),
        ("null", 1008),
        ("[]", 1008),
        ('"watch"', 1008),
        ('{"type": "hello"}', 1008),
        ('{"type": ["watch"], "cameras": {}}', 1008),
        ('{"type": "watch"}', 1008),
        ('{"type": "watch", "cameras": []}', 1008),
        ('{"type": "watch", "cameras": {"door": true}}', 1008),
        ('{"type": "watch", "cameras": {"door": "640"}}', 1008),
        ('{"type": "watch", "cameras": {"door": -1}}', 1008),
        ('{"type": "watch", "cameras": {"door": NaN}}', 1008),
        ('{"type": "watch", "cameras": {"door": Infinity}}', 1008),
        ('{"type": "watch", "cameras": {"door": 65536}}', 1008),
        ('{"type": "watch", "cameras": {"": 1}}', 1008),
        ('{"type": "watch", "cameras": {"a\\nb": 1}}', 1008),
        ('{"type": "watch", "cameras": {"\\ud800": 1}}', 1008),
        ('{"type": "watch", "cameras": {"' + "x" * 201 + '": 1}}', 1008),
        (json.dumps({"type": "watch", "cameras": {f"{number}": 1 for number in range(1025)}}), 1008),
        ('{"type": "ack", "id": 3}', 1008),
        ('{"type": "ack", "id": true, "number": 1}', 1008),
        ('{"type": "ack", "id": 3.0, "number": 1}', 1008),
        ('{"type": "ack", "id": 65536, "number": 1}', 1008),
        ('{"type": "ack", "id": 3, "number": -1}', 1008),
        ('{"type": "ack", "id": 3, "number": 4294967296}', 1008),
        ('{"type": "time", "echo": null}', 1008),
        ('{"type": "time", "echo": NaN}', 1008),
        ('{"type": "time", "echo": 1e16}', 1008),
    ],
)
@pytest.mark.exceeds("video.streams.socket.wire._MOST_CAMERAS")
def test_what_a_browser_may_not_say(text: str, code: int) -> None:
    with pytest.raises(MessageError) as caught:
        wire.parse(text)

    assert caught.value.code == code
    assert len(str(caught.value).encode()) <= 123


@PROPERTY
@given(st.text() | JSON.map(json.dumps) | FIELDS.map(json.dumps))
def test_anything_else_is_an_error_of_its_own_kind(text: str) -> None:
    with suppress(MessageError):
        assert type(wire.parse(text)) in {Watch, Ack, Time}


@PROPERTY
@given(st.dictionaries(NAMES, st.integers(0, 65_535), max_size=20))
def test_any_cameras_may_be_watched(cameras: dict[str, int]) -> None:
    assert wire.parse(json.dumps({"type": "watch", "cameras": cameras})) == Watch(cameras)

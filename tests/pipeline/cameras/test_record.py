"""Cameras as records."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cameras import record
from pipeline.cameras.record import CameraRecord, RecordError, decode, encode, name_of, writable

LINK = "rtsp://192.168.1.20/stream1"


@given(
    st.builds(
        CameraRecord,
        link=st.text(min_size=1, max_size=50).map(lambda text: f"rtsp://{text}"),
        interval=st.none() | st.floats(0.001, 3600),
        scale=st.tuples(st.floats(0.01, 8), st.floats(0.01, 8)),
        rotate=st.sampled_from([0, 90, 180, 270]),
        models=st.none() | st.lists(st.text(max_size=10), max_size=3),
        paused=st.booleans(),
        weight=st.floats(0.01, 100),
        deadline=st.none() | st.floats(0.001, 3600),
        group=st.sampled_from(["", "Yard", "Étage 2"]),
        partition=st.none() | st.integers(0, 100),
        until=st.none() | st.floats(0, 10**9),
    )
)
def test_a_record_survives_its_message(camera: CameraRecord) -> None:
    again = decode(encode(camera))

    assert again == camera


def test_a_link_is_enough_and_defaults_are_left_out() -> None:
    assert decode(b'{"link": "0"}') == CameraRecord(link="0")
    assert json.loads(encode(CameraRecord(link=LINK))) == {"link": LINK}


def test_durations_are_written_as_settings_are() -> None:
    camera = decode(json.dumps({"link": LINK, "interval": "40ms", "deadline": "1.5s", "scale": 0.5}).encode())

    assert (camera.interval, camera.deadline, camera.scale) == (0.04, 1.5, (0.5, 0.5))
    assert json.loads(encode(camera)) == {"link": LINK, "interval": "0.04s", "deadline": "1.5s", "scale": 0.5}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"nonsense", "expected a JSON object"),
        (b"[1]", "expected a JSON object"),
        (b"{}", "link: is missing"),
        (b'{"link": 5}', "link:"),
        (b'{"link": "0", "rotate": 45}', "rotate: expected 0, 90, 180 or 270"),
        (b'{"link": "0", "interval": "soon"}', "interval: expected a Go duration"),
        (b'{"link": "0", "interval": "0s"}', "interval: expected a Go duration from 1ms to 1h"),
        (b'{"link": "0", "deadline": -5}', "deadline: expected a Go duration from 1ms to 1h"),
        (b'{"link": "0", "scale": [1]}', "scale: expected a factor above 0, at most 8, or two"),
        (b'{"link": "0", "scale": {}}', "scale: expected a factor above 0, at most 8, or two"),
        (b'{"link": "0", "weight": NaN}', "weight: expected a number above 0, at most 100"),
        (b'{"link": "0", "partition": -1}', "partition: expected a whole number from 0 to 100000"),
        (b'{"link": "0", "group": 5}', "group: expected a text of at most 100 characters"),
        (b'{"link": "0", "group": "\\ud800"}', "group: expected text in UTF-8"),
        (b'{"link": "0", "paused": "perhaps"}', "paused: expected true or false"),
        (b'{"link": "0", "until": "soon"}', "until: expected a time"),
        (b'{"link": "0", "models": "all"}', "models: expected a list"),
        (b"[" * 5000, "expected a JSON object"),
    ],
)
def test_other_values_say_what_was_expected(value: bytes, why: str) -> None:
    with pytest.raises(RecordError) as caught:
        decode(value)

    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("models", "why"),
    [(["m" * 1000] * 20, "expected a record of at most 10000 bytes, found"), (["\udcff"], "text in UTF-8")],
)
def test_what_no_reader_would_take_is_not_written(models: list[str], why: str) -> None:
    with pytest.raises(RecordError, match=why):
        writable({"link": LINK, "models": models})


@pytest.mark.parametrize("name", sorted(CameraRecord.model_fields.keys() - {"link"}))
def test_every_field_says_in_its_own_words_what_was_expected(name: str) -> None:
    with pytest.raises(RecordError, match=f"{name}: {record._EXPECTED[name]}"):
        record.checked({"link": LINK, name: [{}]})


def test_an_error_does_not_repeat_a_link() -> None:
    link = "rtsp://user:hunter22@host/" + "x" * record.LONGEST_LINK

    with pytest.raises(RecordError) as caught:
        decode(json.dumps({"link": link}).encode())

    assert "hunter22" not in str(caught.value)


@pytest.mark.exceeds("pipeline.cameras.record.LARGEST")
@pytest.mark.exceeds("pipeline.cameras.record.LONGEST_LINK")
@pytest.mark.exceeds("pipeline.cameras.record.LONGEST_GROUP")
@pytest.mark.exceeds("pipeline.cameras.record.MOST_MODELS")
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"other": "x" * 10_000}, "at most 10000 bytes"),
        ({"link": "x" * 2_001}, "link:"),
        ({"group": "x" * 101}, "group:"),
        ({"models": ["m"] * 21}, "models:"),
    ],
)
def test_what_is_too_large_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(RecordError) as caught:
        decode(json.dumps({"link": LINK, **fields}).encode())

    assert why in str(caught.value)


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"a\nb", b"x" * 201])
def test_a_key_that_is_not_a_name_is_refused(key: bytes | None) -> None:
    with pytest.raises(RecordError):
        name_of(key)


def test_the_key_is_the_name() -> None:
    assert name_of("Tür".encode()) == "Tür"


def test_a_preview_ends() -> None:
    preview = CameraRecord(link=LINK, until=100)

    assert preview.is_preview
    assert not preview.has_ended(99.9)
    assert preview.has_ended(100)
    assert not CameraRecord(link=LINK).has_ended(10**10)

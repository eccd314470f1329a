"""Figures in messages: what is written is read, and what is not figures is refused."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.figures import CameraFigures, Dropped, Figures, decode, encode
from pipeline.wire.frame import is_name
from pipeline.wire.status import StatusError, decode_key
from pipeline.wire.status import decode as decode_status

RATES = st.none() | st.integers(0, 10**6).map(float)
CAMERAS = st.dictionaries(
    st.text(max_size=200).filter(is_name),
    st.builds(
        CameraFigures,
        RATES,
        RATES,
        st.none() | st.integers(0, 1000).map(float),
        st.dictionaries(
            st.from_regex(r"[a-z_]{1,40}", fullmatch=True),
            st.builds(Dropped, st.integers(0, 2**63 - 1), RATES),
            max_size=3,
        ),
    ),
    max_size=5,
)
DOOR = CameraFigures(25.0, 12.5, 0.041, {"not_due": Dropped(130, 12.5)})


def value(**changes: Any) -> bytes:
    """Return a value of one camera, with some fields changed."""
    camera = {"in": 25, "out": 12.5, "age": 0.041, "dropped": {"not_due": [130, 12.5]}}
    fields = {"service": "producer", "instance": "host-1", "time": 1e9, "cameras": {"door": camera}}
    return json.dumps(fields | changes).encode()


def camera(**changes: Any) -> bytes:
    """Return a value whose camera has some fields changed."""
    fields: dict[str, Any] = {"in": 25, "out": 12.5, "age": None, "dropped": {}}
    return value(cameras={"door": fields | changes})


@given(CAMERAS)
def test_what_is_written_is_read(cameras: dict[str, CameraFigures]) -> None:
    written = list(encode(Figures("producer", "host-1", 1e9, cameras)))

    found: dict[str, CameraFigures] = {}
    for _, each in written:
        read = decode(each)
        assert (read.service, read.instance, read.time) == ("producer", "host-1", 1e9)
        found |= read.cameras
    assert found == cameras


@pytest.mark.exceeds("pipeline.wire.figures.LONGEST_PART")
def test_many_cameras_take_several_parts_each_with_its_key() -> None:
    cameras = {f"{number:03}{'é' * 197}": DOOR for number in range(200)}

    parts = list(encode(Figures("producer", "host-1", 1e9, cameras)))

    assert len(parts) > 20
    assert [key for key, _ in parts] == [f"figures/host-1.{number}".encode() for number in range(len(parts))]
    assert all(len(each) <= 10_000 for _, each in parts)
    assert {name for _, each in parts for name in decode(each).cameras} == cameras.keys()
    assert refusal(value().ljust(10_001)) == "bad_figures"


def test_a_process_without_cameras_writes_that_it_has_none() -> None:
    ((key, written),) = encode(Figures("video", "host-1", 1e9, {}))

    assert key == b"figures/host-1.0"
    assert decode(written).cameras == {}


def test_readers_that_know_no_figures_read_a_state() -> None:
    """Earlier versions read every message as a record, and pass over services that they do not know."""
    ((key, written),) = encode(Figures("producer", "host-1", 1e9, {"door": DOOR}))

    subject = decode_key(key)

    assert subject.service not in {"producer", "consumer", "video"}
    assert decode_status(subject, written).state == "ready"


@pytest.mark.exceeds("pipeline.wire.figures.MOST_REASONS")
def test_a_camera_has_fifty_reasons_at_most() -> None:
    reasons = {f"reason_{number:03}": Dropped(number) for number in range(60)}
    ((_, written),) = encode(Figures("producer", "host-1", 1e9, {"door": CameraFigures(1, 1, None, reasons)}))
    more = camera(dropped={reason: [1, None] for reason in reasons})

    for each in written, more:
        assert len(decode(each).cameras["door"].dropped) == 50


@pytest.mark.exceeds("pipeline.wire.figures._LONGEST_REASON")
def test_a_reason_is_one_line_of_limited_length() -> None:
    (reason,) = decode(camera(dropped={"a\nb\x00" + "x" * 100: [1, 0]})).cameras["door"].dropped

    assert len(reason) == 40
    assert reason.isprintable()


def refusal(text: bytes) -> str:
    """Return the kind of the error about a value."""
    with pytest.raises(StatusError) as caught:
        decode(text)
    assert "\n" not in str(caught.value)
    return caught.value.kind


BAD = {
    "nothing": b"",
    "not_json": b"{",
    "list": b"[]",
    "deep": b"[" * 9_000,
    "no_service": value(service=None),
    "bad_service": value(service="a b"),
    "bad_instance": value(instance="a/b"),
    "no_time": value(time=None),
    "negative_time": value(time=-1),
    "far_time": value(time=1e12),
    "cameras_are_a_list": value(cameras=[]),
    "camera_is_a_number": value(cameras={"door": 7}),
    "bad_name": value(cameras={"a\x00b": {"in": 1, "out": 1, "age": None, "dropped": {}}}),
    "no_rate": value(cameras={"door": {"out": 1, "age": None, "dropped": {}}}),
    "negative_rate": camera(**{"in": -1}),
    "endless_rate": camera(out=float("inf")),
    "no_number": camera(out=float("nan")),
    "true": camera(out=True),
    "text": camera(age="1"),
    "dropped_is_a_list": camera(dropped=[]),
    "count_is_missing": camera(dropped={"late": []}),
    "count_is_no_integer": camera(dropped={"late": [1.5, 0]}),
    "count_is_negative": camera(dropped={"late": [-1, 0]}),
    "count_is_huge": camera(dropped={"late": [2**63, 0]}),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_figures_is_refused(name: str) -> None:
    assert refusal(BAD[name]) == "bad_figures"


def test_a_new_field_is_ignored() -> None:
    assert decode(value(more=7)).cameras == {"door": DOOR}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(StatusError):
        decode(data)

"""Status records: written and read, and strict about everything else."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.frame import is_name
from pipeline.wire.status import (
    State,
    Status,
    StatusError,
    Subject,
    decode,
    decode_key,
    encode_key,
    encode_value,
)
from pipeline.wire.text import one_line

DOOR = Subject("producer", "host-1a2b3c", "front/door")
FIELDS = {"state": "no-signal", "reason": "it is away", "since": "2026-11-21T19:46:47Z", "health": "h:9000"}
KINDS = {"bad_key", "bad_value", "bad_state", "bad_reason", "bad_since", "bad_health", "bad_interval"}

words = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
subjects = st.builds(Subject, words, words, st.just("") | st.text(max_size=200).filter(is_name))
statuses = st.builds(
    Status,
    subject=subjects,
    state=st.sampled_from(get_args(State)),
    reason=st.none() | st.text(min_size=1).map(one_line).filter(bool),
    since=st.integers(0, 4_000_000_000).map(float),
    health=st.text(max_size=40).map(one_line),
    interval=st.floats(0, 4000),
)


def value(**changed: Any) -> bytes:
    return json.dumps(FIELDS | changed).encode()


def kind_of(read: Callable[[], object]) -> str | None:
    try:
        read()
    except StatusError as error:
        return error.kind
    return None


def test_a_record_has_the_documented_form() -> None:
    status = Status(DOOR, "no-signal", "it is away", 1795290407.9, "h:9000")

    assert encode_key(DOOR) == b"producer/host-1a2b3c/front/door"
    assert json.loads(encode_value(status)) == FIELDS
    assert encode_key(Subject("video", "host-1")) == b"video/host-1"


def test_a_cameras_record_may_have_its_interval() -> None:
    slow = Status(DOOR, "no-signal", "it is away", 1795290407.9, "h:9000", 10.0)

    assert json.loads(encode_value(slow)) == FIELDS | {"interval": 10.0}
    assert decode(DOOR, value(interval=10)).interval == 10.0
    assert decode(DOOR, value()).interval == 0.0
    assert decode(DOOR, encode_value(replace(slow, interval=1e9))).interval == 86_400


@given(statuses)
def test_what_is_written_is_read(status: Status) -> None:
    subject = decode_key(encode_key(status.subject))

    assert decode(subject, encode_value(status)) == status


@pytest.mark.exceeds("pipeline.wire.status._LONGEST_KEY")
def test_a_key_of_the_longest_names_is_read() -> None:
    subject = Subject("s" * 200, "i" * 200, "\N{CAMERA WITH FLASH}" * 200)
    key = encode_key(subject)

    assert len(key) == 1_202
    assert decode_key(key) == subject
    assert kind_of(lambda: decode_key(key + b"x")) == "bad_key"


@pytest.mark.exceeds("pipeline.wire.status._LONGEST_VALUE")
def test_a_value_has_ten_thousand_bytes_at_most() -> None:
    assert decode(DOOR, value().ljust(10_000)).state == "no-signal"
    assert kind_of(lambda: decode(DOOR, value().ljust(10_001))) == "bad_value"


@pytest.mark.exceeds("pipeline.wire.status._LONGEST_INTERVAL")
def test_an_interval_is_a_day_at_most() -> None:
    assert decode(DOOR, value(interval=86_400)).interval == 86_400
    assert kind_of(lambda: decode(DOOR, value(interval=86_401))) == "bad_interval"


@pytest.mark.parametrize(
    "key",
    [
        None,
        b"",
        b"producer",
        b"producer/",
        b"/x",
        b"a b/x",
        b"p/x/",
        b"p/x/\n",
        b"p/\xff",
        b"p/x/" + b"n" * 201,
        b"p/x/" + b"n" * 1_497,
    ],
)
def test_other_keys_are_rejected(key: bytes | None) -> None:
    with pytest.raises(StatusError) as caught:
        decode_key(key)

    assert caught.value.kind == "bad_key"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "bad_value"),
        (b"[]", "bad_value"),
        (b"\xff", "bad_value"),
        (b"{}", "bad_state"),
        (value(state="stale"), "bad_state"),
        (value(state=["live"]), "bad_state"),
        (value(reason=7), "bad_reason"),
        (value(since="soon"), "bad_since"),
        (value(since="2026-11-21T19:46:47"), "bad_since"),
        (value(since="1900-01-01T00:00:00Z"), "bad_since"),
        (value(since=7), "bad_since"),
        (value(health=7), "bad_health"),
        (value(interval="10s"), "bad_interval"),
        (value(interval=True), "bad_interval"),
        (value(interval=None), "bad_interval"),
        (value(interval=-1), "bad_interval"),
        (value(interval=math.inf), "bad_interval"),
        (value(interval=math.nan), "bad_interval"),
        (value(interval=10**400), "bad_interval"),
        (value(since="9999-12-31T23:59:59-23:59"), "bad_since"),
        (value(since="0001-01-01T00:00:00+23:59"), "bad_since"),
        (value().replace(b'"h:9000"', b"9" * 5_000), "bad_value"),
        (b"[" * 9_999, "bad_value"),
    ],
)
def test_other_values_are_rejected(data: bytes, kind: str) -> None:
    with pytest.raises(StatusError) as caught:
        decode(DOOR, data)

    assert caught.value.kind == kind


@given(
    st.binary()
    | st.dictionaries(st.sampled_from([*FIELDS]), st.text() | st.integers()).map(json.dumps).map(str.encode)
)
def test_whatever_comes_is_a_record_or_one_error(data: bytes) -> None:
    assert kind_of(lambda: decode_key(data)) in {None, "bad_key"}
    assert kind_of(lambda: decode(DOOR, data)) in {None, *KINDS}


def test_composite_emoji_stay_whole_in_a_reason() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one emoji of three

    assert one_line(f"camera {family}\nis\u200baway") == f"camera {family} is away"


@pytest.mark.exceeds("pipeline.wire.text._LONGEST_REASON")
def test_a_reason_is_one_line_of_limited_length() -> None:
    long = decode(DOOR, value(reason="a\nb\x00c \ud800" + "x" * 1000)).reason

    assert long is not None
    assert long.startswith("a b c x")
    assert len(long) == 500
    assert long.isprintable()
    assert decode(DOOR, value(reason=" \n")).reason is None


def test_a_new_field_is_ignored() -> None:
    assert decode(DOOR, value(frames=7)).state == "no-signal"

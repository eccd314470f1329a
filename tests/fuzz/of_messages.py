"""Messages from Kafka: frames, predictions, status records and beats."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import numpy as np

from pipeline.kafka.members import Members
from pipeline.wire import mat, predictions, status
from pipeline.wire.frame import FrameError, Message, decode, encode, is_name
from pipeline.wire.predictions import Prediction, Result
from pipeline.wire.status import Status, StatusError, Subject, encode_key, encode_value
from producer.sharing import plan

_MOST_PIXELS: Final = 256 * 256


def predicted(data: bytes) -> None:
    """Read the header with a frame's predictions."""
    with suppress(ValueError):
        said = predictions.decode(data)
        assert predictions.decode(predictions.encode(said)) == predictions.decode(predictions.encode(said))
        json.dumps(predictions.as_json(said), allow_nan=False).encode()


def framed(data: bytes) -> None:
    """Read a message: its key, three headers and the picture, one after another."""
    key, seq, captured, said, value = (*data.split(b"\0", 4), *[b""] * 4)[:5]
    headers = [("seq", seq), ("captured", captured), ("predictions", said)]
    with suppress(FrameError):
        frame = decode(Message(key, value, headers), offset=0, timestamp=0, most_pixels=_MOST_PIXELS)
        assert is_name(frame.camera)
        assert 0 <= frame.seq < 2**53
        assert 0 <= frame.captured < 2**64
        assert decode(encode(frame), offset=0, timestamp=0).camera == frame.camera


def reported(data: bytes) -> None:
    """Read a status record: its key and its value, one after the other."""
    key, _, value = data.partition(b"\0")
    with suppress(StatusError):
        subject = status.decode_key(key)
        assert status.decode_key(status.encode_key(subject)) == subject
    with suppress(StatusError):
        record = status.decode(status.Subject("producer", "host", "door"), value)
        assert status.decode(record.subject, status.encode_value(record)).state == record.state


def beaten(data: bytes) -> None:
    """Hear a member of a group, or its plan."""
    members = Members("me")
    members.hear(members.beat())
    members.hear(data)
    assert len(members._heard) <= 1
    if (said := plan.decode(data)) is not None:
        after = plan.renewed(said, ["door", "hall"], ("host-1", "me"), "me")
        assert plan.decode(plan.encode(after)) == after


def headers() -> Sequence[bytes]:
    """Return headers with predictions."""
    results = [Result("person", 0.5, (3, 5, 20, 30)), Result("bike", 1.0)]
    said = Prediction("detect_1", tuple(results), 17, 41), Prediction("imagenet_2")
    return [predictions.encode(said), predictions.encode(said[1:])]


def messages(data: bytes) -> Sequence[bytes]:
    """Return the parts of messages with a JPEG and with a matrix, one after another."""
    matrix = mat.encode(np.zeros((2, 2, 3), np.uint8))
    return [
        b"\0".join((b"door", b"17", b"1795290407000000000", headers()[0], each)) for each in (data, matrix)
    ]


def records() -> Sequence[bytes]:
    """Return status records: the key and the value, one after the other."""
    subject = Subject("producer", "host-1", "door")
    values = [
        encode_value(Status(subject, "no-signal", "it is away", 1795290407.0, "h:9000", 10.0)),
        encode_value(Status(subject, "live", None, 1795290407.0)),
    ]
    return [encode_key(subject) + b"\0" + value for value in values]


def beats() -> Sequence[bytes]:
    """Return beats of another member, and its plan."""
    shared = plan.renewed(plan.Plan(), ["door", "hall"], ("host-1", "host-2"), "host-1")
    return [Members("host-1").beat(), Members("host-1").leave(), plan.encode(shared)]

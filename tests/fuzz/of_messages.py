"""Messages from Kafka: frames, predictions, status records and beats."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import numpy as np

from pipeline.kafka.members import Members
from pipeline.wire import figures, mat, model_figures, predictions, status
from pipeline.wire.figures import CameraFigures, Dropped, Figures
from pipeline.wire.frame import FrameError, Message, decode, encode, is_name
from pipeline.wire.model_figures import ModelFigures, Models
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
    """Read a status record or figures: the key and the value, one after the other."""
    key, _, value = data.partition(b"\0")
    with suppress(StatusError):
        subject = status.decode_key(key)
        assert status.decode_key(status.encode_key(subject)) == subject
    with suppress(StatusError):
        record = status.decode(status.Subject("producer", "host", "door"), value)
        assert status.decode(record.subject, status.encode_value(record)).state == record.state
    with suppress(StatusError):
        found = figures.decode(value)
        again = [figures.decode(part) for _, part in figures.encode(found)]
        assert {name for part in again for name in part.cameras} == found.cameras.keys()
    with suppress(StatusError):
        models = model_figures.decode(value)
        _, written = model_figures.encode(models, 0)
        assert model_figures.decode(written).models.keys() <= models.models.keys()


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
    said = Prediction("detect_1", tuple(results), 17, 41, 23), Prediction("imagenet_2")
    return [predictions.encode(said), predictions.encode(said[1:])]


def messages(data: bytes) -> Sequence[bytes]:
    """Return the parts of messages with a JPEG and with a matrix, one after another."""
    matrix = mat.encode(np.zeros((2, 2, 3), np.uint8))
    return [
        b"\0".join((b"door", b"17", b"1795290407000000000", headers()[0], each)) for each in (data, matrix)
    ]


def records() -> Sequence[bytes]:
    """Return status records and figures: the key and the value, one after the other."""
    door = CameraFigures(25.0, 12.5, 0.041, {"not_due": Dropped(130, 12.5)})
    written = figures.encode(Figures("producer", "host-1", 1795290407.0, {"door": door}))
    subject = Subject("producer", "host-1", "door")
    values = [
        encode_value(Status(subject, "no-signal", "it is away", 1795290407.0, "h:9000", 10.0)),
        encode_value(Status(subject, "live", None, 1795290407.0)),
    ]
    states = [encode_key(subject) + b"\0" + value for value in values]
    failed = {"timeout": Dropped(3, 0.1)}
    model = ModelFigures("tfserving:8501", "connection refused", 21.5, 40.0, 0.046, 0.112, failed)
    models = model_figures.encode(Models("consumer", "host-1", {"imagenet_1": model}), 1795290407.0)
    return [*states, *(key + b"\0" + value for key, value in (*written, models))]


def beats() -> Sequence[bytes]:
    """Return beats of another member, and its plan."""
    shared = plan.renewed(plan.Plan(), ["door", "hall"], ("host-1", "host-2"), "host-1")
    return [Members("host-1").beat(), Members("host-1").leave(), plan.encode(shared)]

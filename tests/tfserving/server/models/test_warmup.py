"""A version's warm-up requests are replayed before it is served."""

from pathlib import Path
from typing import Any

import pytest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tfserving.runtime import tf
from tfserving.server.errors import Code, ServingError
from tfserving.server.models import warmup


def predict(name: str) -> PredictionLog:
    """Return a logged predict request for a model."""
    log = PredictionLog()
    log.predict_log.request.model_spec.name = name
    return log


def write(folder: Path, *records: bytes) -> Path:
    """Write a version's warm-up file, and return its path."""
    file = folder / warmup.FILE
    file.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in records:
            writer.write(record)
    return file


def replayed(folder: Path, iterations: int = 1) -> list[Any]:
    logs: list[Any] = []
    assert warmup.run(folder, logs.append, iterations) * iterations == len(logs)
    return logs


def test_each_record_is_replayed_in_order(tmp_path: Path) -> None:
    logs = [predict("a"), predict("b"), PredictionLog()]
    write(tmp_path, *(log.SerializeToString() for log in logs))

    assert replayed(tmp_path) == logs


def test_each_record_may_be_replayed_several_times(tmp_path: Path) -> None:
    write(tmp_path, predict("a").SerializeToString(), predict("b").SerializeToString())

    logs = replayed(tmp_path, iterations=2)

    assert logs == [predict("a"), predict("a"), predict("b"), predict("b")]


def test_the_file_is_optional(tmp_path: Path) -> None:
    assert replayed(tmp_path) == []


def test_the_largest_number_of_records_is_replayed(tmp_path: Path) -> None:
    write(tmp_path, *[b""] * warmup.MAX_RECORDS)

    assert len(replayed(tmp_path)) == 1000


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([b"\xff"], "Failed to parse warmup record: "),
        ([b""] * 1001, "Number of warmup records exceeds the maximum (1000) at "),
    ],
)
def test_invalid_records_are_refused(tmp_path: Path, records: list[bytes], message: str) -> None:
    file = write(tmp_path, *records)

    with pytest.raises(ServingError) as caught:
        replayed(tmp_path)
    assert caught.value.code == Code.INVALID_ARGUMENT
    assert caught.value.message.startswith(message)
    assert str(file) in caught.value.message


def test_a_file_of_another_format_is_reported(tmp_path: Path) -> None:
    write(tmp_path, b"x").write_bytes(b"not a TFRecord file")

    with pytest.raises(ServingError, match="Please verify your warmup data is in TFRecord format") as caught:
        replayed(tmp_path)
    assert caught.value.code == Code.DATA_LOSS


def test_a_record_that_fails_ends_the_warm_up(tmp_path: Path) -> None:
    write(tmp_path, b"", b"")
    calls = []

    def fail(log: Any) -> None:
        calls.append(log)
        raise ServingError(Code.NOT_FOUND, "no")

    with pytest.raises(ServingError, match="no"):
        warmup.run(tmp_path, fail)
    assert len(calls) == 1

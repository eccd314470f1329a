"""Warm-up: replay the requests stored with a model before it is served."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from tfserving.runtime import tf
from tfserving.server.errors import Code, ServingError, invalid

log = logging.getLogger(__name__)

FILE = "assets.extra/tf_serving_warmup_requests"
MAX_RECORDS = 1000


def run(folder: Path, replay: Callable[[Any], None], iterations: int = 1) -> int:
    """Pass each warm-up PredictionLog in a version's folder to `replay`, and return their number.

    Raises ServingError: from `replay`, INVALID_ARGUMENT for a record that is not a PredictionLog and for too
    many records, DATA_LOSS for a file that is not a TFRecord file.
    """
    file = folder / FILE
    if not file.exists():
        return 0
    count = 0
    for record in _records(file):
        count += 1
        if count > MAX_RECORDS:
            raise invalid(f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {file}")
        prediction_log = _parse(record, file)
        for _ in range(iterations):
            replay(prediction_log)
    log.info("Finished reading warmup data for model at %s. Number of warmup records read: %d.", file, count)
    return count


def _records(file: Path) -> Iterator[bytes]:
    try:
        yield from tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    except tf.errors.DataLossError as error:
        text = f"{error.message}. Please verify your warmup data is in TFRecord format."
        raise ServingError(Code.DATA_LOSS, text) from error


def _parse(record: bytes, file: Path) -> Any:
    try:
        return prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError as error:
        text = record.decode("utf-8", "replace")
        raise invalid(f"Failed to parse warmup record: {text} from {file}") from error

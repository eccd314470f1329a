"""Batching parameters from a file."""

import os
from pathlib import Path

import pytest

from tfserving.server.batching.batch_parameters import MODEL_FILE, Parameters, Threads, read, read_of_model
from tfserving.server.errors import Code, ServingError

ALL = """
max_batch_size { value: 128 } batch_timeout_micros: { value: 2500 } max_enqueued_batches { value: 3 }
num_batch_threads { value: 4 } thread_pool_name { value: 'pool' }
allowed_batch_sizes: 8, allowed_batch_sizes: 128
pad_variable_length_inputs: true  # as long as the longest
enable_large_batch_splitting { value: true } max_execution_batch_size { value: 32 }
"""


def written(folder: Path, text: str) -> Path:
    file = folder / MODEL_FILE
    file.write_text(text)
    return file


def test_all_fields_are_read(tmp_path: Path) -> None:
    parameters, threads = read(written(tmp_path, ALL))

    assert threads == Threads(4, "pool")
    assert parameters == Parameters(
        max_size=128,
        timeout=0.0025,
        max_enqueued=3,
        allowed_sizes=(8, 128),
        pad_inputs=True,
        split=True,
        max_execution_size=32,
    )


def test_missing_fields_have_their_defaults(tmp_path: Path) -> None:
    expected = Parameters(max_size=1000, timeout=0, max_enqueued=10, max_execution_size=1000)

    assert read(written(tmp_path, "")) == (expected, Threads(os.cpu_count() or 1, "batch_threads"))
    assert read(None) == (expected, Threads(os.cpu_count() or 1, "model_server_batch_threads"))


def test_without_splitting_a_batch_can_hold_the_largest_request(tmp_path: Path) -> None:
    text = "max_batch_size { value: 5 } max_execution_batch_size { value: 2 }"

    assert read(written(tmp_path, text))[0].max_execution_size == 5


def test_a_queue_length_of_zero_becomes_one(tmp_path: Path) -> None:
    assert read(written(tmp_path, "max_enqueued_batches { value: 0 }"))[0].max_enqueued == 1


SPLIT = "enable_large_batch_splitting { value: true } "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_size { value: 0 }", "input_batch_size_limit must be positive; was 0"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros must be non-negative; was -1"),
        ("num_batch_threads { value: 0 }", "num_batch_threads must be positive; was 0"),
        (SPLIT + "max_enqueued_batches { value: 0 }", "max_enqueued_batches must be positive; was 0"),
        (SPLIT + "max_execution_batch_size { value: 1001 }", "greater than or equal to max_execution"),
        (SPLIT + "max_execution_batch_size { value: 0 }", "max_execution_batch_size must be positive; was 0"),
        (
            "allowed_batch_sizes: 8 max_batch_size { value: 9 }",
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 8; expected 9",
        ),
        ("allowed_batch_sizes: 8", "last entry was 8; expected 1000"),
        ("allowed_batch_sizes: 2000 allowed_batch_sizes: 1000", "must be monotonically increasing"),
        ("max_batch_size: 8", "Invalid protobuf file: '.*batching_params.pbtxt'"),
        ("nonsense", "Invalid protobuf file: '.*batching_params.pbtxt'"),
    ],
)
def test_inconsistent_values_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        read(written(tmp_path, text))

    assert caught.value.code == Code.INVALID_ARGUMENT


def test_a_version_has_its_own_file_or_none(tmp_path: Path) -> None:
    assert read_of_model(tmp_path) is None

    written(tmp_path, "max_batch_size { value: 7 }")

    assert read_of_model(tmp_path) == Parameters(max_size=7, max_execution_size=7)

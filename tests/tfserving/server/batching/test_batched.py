"""Concurrent requests run as one batch."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parts import wait_for
from tfserving.server.batching.batch_parameters import MODEL_FILE, Parameters, Threads
from tfserving.server.batching.batched import BatchedModel
from tfserving.server.batching.threads import BatchThreads
from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import Runtime
from tfserving.server.json.values import Array
from tfserving.server.monitoring.monitoring import Monitor
from tfserving.server.opening import Batching, Opener

TWO = Parameters(max_size=2, max_execution_size=2, timeout=60)
HASTY = Parameters(max_size=8, max_execution_size=8)
SLOW = {"turns": np.array([10**12])}

Make = Callable[..., BatchedModel]
Runs = Callable[..., list[Future[dict[str, Array]]]]


@pytest.fixture
def monitor() -> Monitor:
    return Monitor()


@pytest.fixture
def batched(toy: Path, monitor: Monitor) -> Iterator[Make]:
    """Load the toy model with batching."""
    made: list[tuple[BatchedModel, BatchThreads]] = []

    def batched(parameters: Parameters, threads: int = 1, timeout_ms: int = 30_000) -> BatchedModel:
        pool = BatchThreads(Threads(threads, "pool"))
        model = BatchedModel(toy / "1", Runtime(timeout_ms=timeout_ms), monitor, parameters, pool)
        made.append((model, pool))
        return model

    yield batched
    for model, pool in made:
        model.close()
        pool.close()


@pytest.fixture
def runs() -> Iterator[Runs]:
    """Run feeds concurrently, each in its own thread."""
    with ThreadPoolExecutor(32) as executor:

        def runs(model: BatchedModel, name: str, *feeds: dict[str, Array], **how: Any) -> Any:
            return [executor.submit(model.run, name, one, **how) for one in feeds]

        yield runs


def floats(*values: float) -> dict[str, Array]:
    return {"x": np.array(values, np.float32)}


def samples(monitor: Monitor, name: str) -> dict[str, float]:
    """Return a batching metric's samples by the text in their braces."""
    start = f":tensorflow:serving:batching_session:{name}{{"
    lines = [line for line in monitor.text().decode().splitlines() if line.startswith(start)]
    return {line[len(start) :].rpartition("} ")[0]: float(line.rpartition("} ")[2]) for line in lines}


def failure(run: Future[Any]) -> tuple[Code, str]:
    error = run.exception(10)
    assert isinstance(error, ServingError)
    return error.code, error.message


def test_concurrent_requests_run_as_one_batch(batched: Make, runs: Runs, monitor: Monitor) -> None:
    model = batched(TWO)

    one, other = runs(model, "serving_default", floats(1), floats(2))

    assert one.result(10)["y"].tolist() == [2]
    assert other.result(10)["y"].tolist() == [4]
    assert samples(monitor, "wrapped_run_count") == {"": 1}
    assert samples(monitor, "processed_batch_size_sum") == {"": 2}
    assert samples(monitor, "input_batch_size_count") == {"": 2}
    assert samples(monitor, "queuing_latency_count") == {'thread_pool_name="pool"': 2}


def test_many_requests_each_get_their_own_answer(batched: Make, runs: Runs) -> None:
    model = batched(HASTY, threads=2)

    many = runs(model, "serving_default", *(floats(*range(i % 4)) for i in range(200)))

    assert [run.result(30)["y"].tolist() for run in many] == [
        [2.0 * j for j in range(i % 4)] for i in range(200)
    ]


def test_a_batch_is_padded_and_the_padding_is_removed(batched: Make, monitor: Monitor) -> None:
    model = batched(Parameters(max_size=8, max_execution_size=8, allowed_sizes=(4, 8)))

    assert model.run("serving_default", floats(1, 2, 3))["y"].tolist() == [2, 4, 6]
    assert samples(monitor, "padding_size_sum") == {'execution_batch_size="4"': 1}
    assert samples(monitor, "processed_batch_size_sum") == {"": 4}


def test_a_lone_request_runs_after_the_batch_timeout(batched: Make) -> None:
    model = batched(Parameters(timeout=0.3))
    started = time.monotonic()

    outputs = model.run("serving_default", floats(1))

    assert outputs["y"].tolist() == [2]
    assert 0.3 <= time.monotonic() - started < 5


def test_several_inputs_and_outputs_are_batched(batched: Make, runs: Runs) -> None:
    feeds = [{"a": np.array([i], np.int32), "b": np.array([10], np.int32)} for i in range(2)]

    one, other = runs(batched(TWO), "two", *feeds)

    assert one.result(10)["sum"].tolist() == [10]
    assert other.result(10)["text_bytes"].tolist() == [b"1"]


def test_different_signatures_do_not_share_a_batch(batched: Make, runs: Runs) -> None:
    model = batched(Parameters(max_size=2, max_execution_size=2, timeout=0.2))

    [one] = runs(model, "serving_default", floats(1))
    [other] = runs(model, "one_in_two_out", floats(1))

    assert one.result(10)["y"].tolist() == [2]
    assert other.result(10)["half"].tolist() == [0.5]


def test_a_request_for_part_of_a_signature_runs_alone(batched: Make, monitor: Monitor) -> None:
    model = batched(TWO)

    outputs = model.run("one_in_two_out", floats(1, 2, 3), fetch=["half"])

    assert {alias: array.tolist() for alias, array in outputs.items()} == {"half": [0.5, 1, 1.5]}
    assert samples(monitor, "wrapped_run_count") == {}


@pytest.mark.parametrize(
    ("signature", "feeds", "code", "message"),
    [
        ("serving_default", {"x": np.array(1, np.float32)}, 3, "must have at least one dimension"),
        ("two", {"a": np.zeros(2, np.int32), "b": np.zeros(1, np.int32)}, 3, "equal 0th-dimension size"),
        ("serving_default", floats(1, 2, 3), 3, "Task size 3 is larger than maximum input batch size 2"),
        ("scalar", floats(1, 2), 9, "Batched output tensor has 0 dimensions"),
        ("empty", floats(1, 2), 9, "Batched output tensor's 0th dimension does not equal"),
        ("matrix", {"x": np.ones((2, 3), np.float32)}, 3, "Matrix size-incompatible"),
    ],
)
def test_requests_that_cannot_be_batched_are_refused(
    batched: Make, signature: str, feeds: dict[str, Array], code: int, message: str
) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        batched(TWO).run(signature, feeds)

    assert caught.value.code == code


def test_a_batch_that_fails_fails_for_all(batched: Make, runs: Runs) -> None:
    wrong = {"x": np.ones((1, 3), np.float32)}

    both = [failure(run) for run in runs(batched(TWO), "matrix", wrong, wrong)]

    assert [code for code, _ in both] == [Code.INVALID_ARGUMENT] * 2
    assert all("Matrix size-incompatible" in message for _, message in both)


def test_requests_of_different_shapes_fail_together(batched: Make, runs: Runs) -> None:
    feeds = [{"x": np.ones((1, width), np.float32)} for width in (2, 3)]

    both = [failure(run) for run in runs(batched(TWO), "matrix", *feeds)]

    assert [code for code, _ in both] == [Code.FAILED_PRECONDITION] * 2
    assert all("have different shapes and padding is turned off.Set" in message for _, message in both)


def test_requests_of_different_shapes_run_together_with_padding(batched: Make, runs: Runs) -> None:
    model = batched(Parameters(max_size=2, max_execution_size=2, timeout=60, pad_inputs=True))
    feeds = [{"x": np.full((1, width), width, np.float32)} for width in (1, 2)]

    both = runs(model, "serving_default", *feeds)

    assert [run.result(10)["y"].tolist() for run in both] == [[[2, 2]], [[4, 4]]]


def test_a_wrong_dtype_fails_its_own_request_only(batched: Make, runs: Runs) -> None:
    model = batched(Parameters(max_size=2, max_execution_size=2, timeout=0.2))

    good, bad = runs(model, "serving_default", floats(1), {"x": np.array([1], np.int32)})

    assert good.result(10)["y"].tolist() == [2]
    assert failure(bad)[0] == Code.INVALID_ARGUMENT


def test_a_full_queue_refuses_requests(batched: Make, runs: Runs) -> None:
    model = batched(Parameters(max_size=1, max_execution_size=1, max_enqueued=1))
    busy = runs(model, "spin", SLOW)
    wait_for(busy[0].running, 5, "the run")
    time.sleep(0.3)

    first = runs(model, "spin", SLOW)
    time.sleep(0.3)
    [refused] = runs(model, "spin", SLOW)

    code, message = failure(refused)
    assert code == Code.UNAVAILABLE
    assert "The batch scheduling queue to which this task was submitted is full" in message
    model.close()
    assert {failure(run)[0] for run in [*busy, *first]} == {Code.CANCELLED}


def test_a_large_request_runs_in_parts(batched: Make, monitor: Monitor) -> None:
    model = batched(Parameters(max_size=10, max_execution_size=4, split=True))

    outputs = model.run("one_in_two_out", floats(*range(10)))

    assert outputs["double"].tolist() == [2.0 * i for i in range(10)]
    assert outputs["half"].tolist() == [0.5 * i for i in range(10)]
    assert samples(monitor, "wrapped_run_count") == {"": 3}


def test_a_part_that_fails_fails_its_request(batched: Make) -> None:
    model = batched(Parameters(max_size=10, max_execution_size=4, split=True))

    with pytest.raises(ServingError, match="Matrix size-incompatible"):
        model.run("matrix", {"x": np.ones((10, 3), np.float32)})


def test_a_request_that_cannot_wait_does_not_affect_the_others(batched: Make, runs: Runs) -> None:
    model = batched(TWO)

    [hasty] = runs(model, "serving_default", floats(1), timeout=0.1)
    assert failure(hasty) == (
        Code.RESOURCE_EXHAUSTED,
        "Run() timeout exceeded while waiting in batching queue",
    )
    [patient] = runs(model, "serving_default", floats(2))

    assert patient.result(10)["y"].tolist() == [4]


def test_a_request_that_times_out_leaves_the_run_to_the_others(batched: Make, runs: Runs) -> None:
    model = batched(Parameters(max_size=1, max_execution_size=1, timeout=60))

    # `spin` answers with one row, so only one of the two may ask for one.
    [hasty] = runs(model, "spin", {"turns": np.zeros(0, np.int64)}, timeout=0.3)
    time.sleep(0.1)
    [patient] = runs(model, "spin", {"turns": np.array([300_000])}, timeout=20)

    assert failure(hasty) == (Code.DEADLINE_EXCEEDED, "Run() timeout exceeded while running in a batch")
    assert patient.result(20)["turns"].tolist() == [300_000]


def test_a_run_ends_at_the_latest_time_of_its_requests(batched: Make, runs: Runs) -> None:
    model = batched(TWO)
    started = time.monotonic()

    both = [*runs(model, "spin", SLOW, timeout=0.2), *runs(model, "spin", SLOW, timeout=0.6)]
    codes = [failure(run)[0] for run in both]

    assert codes == [Code.DEADLINE_EXCEEDED] * 2
    assert 0.6 <= time.monotonic() - started < 5
    assert model.run("serving_default", floats(1, 2))["y"].tolist() == [2, 4]


def test_closing_ends_active_and_waiting_requests(batched: Make, runs: Runs) -> None:
    model = batched(Parameters(max_size=1, max_execution_size=1))
    many = runs(model, "spin", *[SLOW] * 4)
    time.sleep(0.5)

    model.close()

    assert {failure(run)[0] for run in many} == {Code.CANCELLED}


def test_threads_serve_the_queues_of_several_models(toy: Path, monitor: Monitor) -> None:
    pool = BatchThreads(Threads(1, "pool"))
    parameters = Parameters(timeout=0.05)
    models = [BatchedModel(toy / "1", Runtime(), monitor, parameters, pool) for _ in range(3)]
    outputs: list[float] = []

    def run(model: BatchedModel) -> None:
        for i in range(5):
            outputs.extend(model.run("serving_default", floats(i))["y"].tolist())

    threads = [threading.Thread(target=run, args=[model]) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for model in models:
        model.close()
    pool.close()

    assert sorted(outputs) == sorted([2.0 * i for i in range(5)] * 3)


def test_a_version_is_batched_according_to_its_own_file(toy: Path, tmp_path: Path, monitor: Monitor) -> None:
    folder = tmp_path / "1"
    shutil.copytree(toy / "1", folder)
    pool = BatchThreads(Threads(1, "pool"))
    opener = Opener(Runtime(), monitor, Batching(pool, None))

    alone = opener(folder)
    (folder / MODEL_FILE).write_text("max_batch_size { value: 2 }")
    together = opener(folder)
    (folder / MODEL_FILE).write_text("max_batch_size { value: 0 }")

    assert len(alone.run("serving_default", floats(1, 2, 3))["y"]) == 3
    with pytest.raises(ServingError, match="Task size 3 is larger than maximum input batch size 2"):
        together.run("serving_default", floats(1, 2, 3))
    with pytest.raises(ServingError, match="input_batch_size_limit must be positive"):
        opener(folder)
    alone.close()
    together.close()
    pool.close()
    text = monitor.text().decode()
    assert f'load_attempt_count{{model_path="{folder}",status="success"}} 2' in text

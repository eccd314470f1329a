"""The server's metrics, and the path they are served at."""

from pathlib import Path

import pytest

from tfserving.server.errors import Code, ServingError
from tfserving.server.monitoring.metrics import Counter, Histogram
from tfserving.server.monitoring.monitoring import DEFAULT_PATH, Monitor, metrics_path


def samples(monitor: Monitor, name: str) -> list[str]:
    """Return the samples of a metric, buckets left out."""
    lines = monitor.text().decode().splitlines()
    return [line for line in lines if line.startswith(f":tensorflow:{name}") and "_bucket" not in line]


def test_only_a_request_that_succeeds_has_a_latency() -> None:
    monitor = Monitor()

    monitor.answered("m", "Predict", "GRPC", Code.OK, 0.002)
    monitor.answered("m", "Predict", "GRPC", Code.UNAVAILABLE, 5)

    assert samples(monitor, "serving:request_count") == [
        ':tensorflow:serving:request_count{model_name="m",status="OK"} 1',
        ':tensorflow:serving:request_count{model_name="m",status="UNAVAILABLE"} 1',
    ]
    assert samples(monitor, "serving:request_latency") == [
        ':tensorflow:serving:request_latency_sum{model_name="m",API="Predict",entrypoint="GRPC"} 2000',
        ':tensorflow:serving:request_latency_count{model_name="m",API="Predict",entrypoint="GRPC"} 1',
    ]


@pytest.mark.exceeds(
    "tfserving.server.monitoring.monitoring.MOST_UNSERVED",
    "tfserving.server.monitoring.monitoring.LONGEST_UNSERVED",
)
def test_names_that_clients_invent_do_not_pile_up() -> None:
    monitor = Monitor()
    count = ":tensorflow:serving:request_count"

    monitor.answered("long" * 300, "Predict", "REST", Code.NOT_FOUND, 0)
    long = samples(monitor, "serving:request_count")
    for number in range(2000):
        monitor.answered(f"invented {number}", "Predict", "REST", Code.NOT_FOUND, 0)
    monitor.answered("m", "Predict", "REST", Code.OK, 0.002)
    monitor.answered("m", "Predict", "REST", Code.UNAVAILABLE, 0)
    monitor.answered("invented 0", "Predict", "REST", Code.NOT_FOUND, 0)

    found = samples(monitor, "serving:request_count")
    assert long == [f'{count}{{model_name="",status="NOT_FOUND"}} 1']
    assert len(found) == 1003
    assert f'{count}{{model_name="",status="NOT_FOUND"}} 1001' in found
    assert f'{count}{{model_name="invented 0",status="NOT_FOUND"}} 2' in found
    assert f'{count}{{model_name="m",status="UNAVAILABLE"}} 1' in found


def test_nothing_is_counted_per_camera() -> None:
    metrics = [each for each in vars(Monitor()).values() if isinstance(each, Counter | Histogram)]

    labels = {label for metric in metrics for label in metric._labels}

    assert len(metrics) >= 15
    assert labels == {
        *("model", "model_name", "model_path", "status", "API", "entrypoint", "runtime"),
        *("thread_pool_name", "execution_batch_size"),
    }


def test_latencies_have_the_buckets_of_tensorflow_serving() -> None:
    monitor = Monitor()

    monitor.ran("m", "Predict", 0.1)

    labels = 'model_name="m",API="Predict",runtime="TF1"'
    buckets = [line for line in monitor.text().decode().splitlines() if "runtime_latency_bucket" in line]
    assert len(buckets) == 34
    assert buckets[0] == f':tensorflow:serving:runtime_latency_bucket{{{labels},le="10"}} 0'
    assert buckets[-1] == f':tensorflow:serving:runtime_latency_bucket{{{labels},le="+Inf"}} 1'


def test_loads_and_runs_are_counted() -> None:
    monitor = Monitor()

    monitor.loaded(Path("/m/1"), good=False, seconds=0.5)
    monitor.loaded(Path("/m/1"), good=True, seconds=1)
    monitor.warmed_up(Path("/m/1"), records=3, seconds=0.25)
    monitor.graph_ran()

    assert samples(monitor, "cc:saved_model") == [
        ':tensorflow:cc:saved_model:load_attempt_count{model_path="/m/1",status="fail"} 1',
        ':tensorflow:cc:saved_model:load_attempt_count{model_path="/m/1",status="success"} 1',
        ':tensorflow:cc:saved_model:load_latency{model_path="/m/1"} 1500000',
    ]
    labels = '{model_path="/m/1",status="OK"}'
    assert samples(monitor, "serving:model_warmup") == [
        f":tensorflow:serving:model_warmup_latency_sum{labels} 250000",
        f":tensorflow:serving:model_warmup_latency_count{labels} 1",
        f":tensorflow:serving:model_warmup_records_read{labels} 3",
    ]
    assert samples(monitor, "core") == [":tensorflow:core:graph_runs{} 1"]


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ("", None),
        ("prometheus_config { }", None),
        ('prometheus_config { enable: false path: "/m" }', None),
        ("prometheus_config { enable: true }", DEFAULT_PATH),
        ("prometheus_config: { enable: true, path: '/m' } # here", "/m"),
    ],
)
def test_a_file_sets_the_path_that_metrics_are_served_at(
    tmp_path: Path, config: str, path: str | None
) -> None:
    (tmp_path / "config").write_text(config)

    assert metrics_path(str(tmp_path / "config")) == path


def test_without_a_file_there_are_no_metrics() -> None:
    assert metrics_path("") is None


@pytest.mark.parametrize("content", [b"prometheus_config {", b"enabled: true", b"\xff"])
def test_an_invalid_monitoring_file_is_named_in_the_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config").write_bytes(content)

    with pytest.raises(ServingError, match=f"^Invalid protobuf file: '{tmp_path}/config'$"):
        metrics_path(str(tmp_path / "config"))


def test_a_missing_monitoring_file_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="config; No such file or directory") as caught:
        metrics_path(str(tmp_path / "config"))

    assert caught.value.code == Code.NOT_FOUND

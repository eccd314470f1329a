"""A small system, and a Prometheus that collects its metrics."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest
import yaml

from tests.consumer.fakes import Request, ScriptedServer, reply
from tests.integration.conftest import Pipeline
from tests.monitoring.test_rules import RULES
from tests.parts import Process, Service, embedded_broker, free_port, get, reads, wait_for

CAMERA: Final = "yard (back)"
"""A camera that delivers. Its name has characters that a regular expression must escape."""
AWAY: Final = "hall"
"""A camera that cannot be opened."""


class Prometheus:
    """A Prometheus that runs, by its address."""

    def __init__(self, base: str) -> None:
        self.base = base

    def ask(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of its API."""
        answer = json.loads(get(f"{self.base}/api/v1/{path}?{urlencode(parameters)}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def values(self, expression: str) -> list[float]:
        """Return the values of an expression now, without those that are not numbers."""
        found = [float(sample["value"][1]) for sample in self.ask("query", query=expression)["result"]]
        return [value for value in found if math.isfinite(value)]


def classify(request: Request, body: bytes) -> None:
    """Answer as TensorFlow Serving does: with the model's state, or a class for each picture."""
    if request.command == "GET":
        answer: Any = {"model_version_status": [{"version": "1", "state": "AVAILABLE"}]}
    else:
        prediction = {"classes": 1, "probabilities": [0.0, 1.0, *[0.0] * 999]}
        answer = {"predictions": [prediction for _ in json.loads(body)["instances"]]}
    reply(200, json.dumps(answer).encode())(request, body)


def configuration(services: Mapping[str, Sequence[Service]]) -> str:
    """Return a configuration that collects from the services of each job every second, and has the rules."""
    jobs = [
        {
            "job_name": job,
            "static_configs": [{"targets": [each.health.removeprefix("http://") for each in found]}],
        }
        for job, found in services.items()
    ]
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    return yaml.safe_dump({"global": every, "rule_files": [str(RULES)], "scrape_configs": jobs})


@pytest.fixture(scope="module")
def measured(prometheus: str, clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that collects the metrics of two cameras, a consumer with a model, and a video server."""
    folder = tmp_path_factory.mktemp("monitoring")
    with ExitStack() as stack:
        model = stack.enter_context(ScriptedServer(classify))
        bootstrap, _ = stack.enter_context(embedded_broker(folder))
        pipeline = Pipeline(bootstrap, folder, stack.enter_context)
        # The film has more frames than that: some are not due.
        deliver = pipeline.producer(CAMERA, clips / "bikes.mp4", FRAMEINTERVAL="100ms")
        away = pipeline.producer(AWAY, "rtsp://127.0.0.1:1/")
        consumer, video = pipeline.consumer(model.url), pipeline.video()
        port = free_port()
        config = folder / "prometheus.yml"
        services = {"producer": [deliver, away], "consumer": [consumer], "video": [video]}
        config.write_text(configuration(services))
        command = [prometheus, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
        command += [f"--web.listen-address=127.0.0.1:{port}"]
        stack.enter_context(Process(command, {}, folder / "prometheus.log"))
        base = f"http://127.0.0.1:{port}"
        wait_for(lambda: reads(f"{base}/-/ready"), 60, "Prometheus")
        measured = Prometheus(base)
        wait_for(lambda: measured.values("sum(up)") == [4], 90, "Prometheus to reach all services")
        yield measured

"""An incremental training that is stopped and continued through the API, with a real Kafka."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.parts import Service, free_port, wait_for
from training.client import RawSink
from training.example.digits import CODE, digits

pytestmark = pytest.mark.timeout(900)
_SOON = 300.0  # s: each job starts TensorFlow


class Site:
    """A training service, and a client of its API."""

    def __init__(self, address: str, bootstrap: str, control_topic: str) -> None:
        self.bootstrap, self.control_topic = bootstrap, control_topic
        self._client = httpx.Client(base_url=f"http://{address}", timeout=120)
        self.close = self._client.close

    def get(self, path: str) -> Any:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, sent: object) -> Any:
        answer = self._client.post(path, json=sent)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def deployed(self, **fields: Any) -> tuple[int, int]:
        """Train the example's model; return the ids of the deployment and its result."""
        model = self.post("/models/", {"name": "digits", "code": CODE, "framework": "tf"})["id"]
        configuration = self.post("/configurations/", {"name": "digits", "ml_models": [model]})["id"]
        made = self.post("/deployments/", {"configuration": configuration, "batch": 32, **fields})
        return int(made["id"]), int(made["results"][0]["id"])

    def result(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = next(each for each in self.get("/results/") if each["id"] == number)
        return found

    def has_used(self, number: int, count: int) -> bool:
        """Return whether a training has used so many messages; fail if it has failed."""
        found = self.result(number)
        assert found["state"] != "failed", (found["reason"], self.get(f"/results/log/{number}")["log"])
        return int((found["progress"] or {}).get("used", 0)) >= count


@pytest.fixture
def site(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Site]:
    address, control_topic = f"127.0.0.1:{free_port()}", f"control-{uuid.uuid4().hex[:10]}"
    settings = {
        "KAFKAPORT": kafka_bootstrap,
        "CONTROLTOPIC": control_topic,
        "DISPLAYPORT": address,
        "DATAFOLDER": str(tmp_path / "data"),
        "MODELSTORE": str(tmp_path / "models"),
        "STATEFOLDER": str(tmp_path / "state"),
    }
    with ExitStack() as stack:
        stack.enter_context(Service("training", settings, tmp_path)).ready(60)
        made = Site(address, kafka_bootstrap, control_topic)
        stack.callback(made.close)
        yield made


def test_a_stopped_training_goes_on_with_what_came_meanwhile(site: Site, tmp_path: Path) -> None:
    deployment, result = site.deployed(incremental=True, stream_timeout=10_000)
    samples = digits()[:900]
    topic = f"digits-{uuid.uuid4().hex[:10]}"

    def send(sink: RawSink, start: int, end: int) -> None:
        for each in samples[start:end]:
            sink.send(np.frombuffer(each.pixels, np.uint8).reshape(8, 8), np.uint8(each.label))
        sink._labelled.finish()

    with RawSink(
        site.bootstrap,
        topic,
        deployment,
        control_topic=site.control_topic,
        online=True,
        validation_rate=0.2,
    ) as sink:
        send(sink, 0, 300)
        wait_for(lambda: site.has_used(result, 300), _SOON, "the first messages")
        site.post(f"/results/stop/{result}", {})
        assert site.result(result)["status"] == "stopped"
        send(sink, 300, 600)
        wait_for(lambda: _continues(site, result), 60, "the end of the job")
        send(sink, 600, 900)
        wait_for(lambda: site.has_used(result, 900), _SOON, "the other messages")
        wait_for(lambda: site.result(result)["status"] == "finished", _SOON, "the end of the stream")

    found = site.result(result)
    progress = found["progress"]
    assert (progress["read"], progress["used"], progress["dropped"]) == (900, 900, {})
    assert (
        len(found["val_metrics"]["loss"]) == len(found["train_metrics"]["loss"]) == progress["mini_batches"]
    )
    assert "continuing after" in site.get(f"/results/log/{result}")["log"]
    (version,) = site.get("/versions/digits")
    offsets = dict(each.split(":")[1::2] for each in version["offsets"].split(","))
    assert sum(map(int, offsets.values())) == 900
    kept = tmp_path / f"data/runs/model-training-{result}/work"
    assert not kept.exists() or not any(kept.iterdir())


def _continues(site: Site, result: int) -> bool:
    """Continue a training, once its job has ended."""
    answer = site._client.post(f"/results/continue/{result}")
    assert answer.status_code in (200, 400), answer.text
    return answer.status_code == 200

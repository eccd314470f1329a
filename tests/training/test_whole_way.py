"""From a model's code to its predictions, through nothing but the API and a real Kafka."""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from numpy.typing import NDArray

from tests.parts import ModelServer, Service, free_port, wait_for
from tests.training import tasks
from tests.training.running import settings
from tests.training.tasks import Task
from training.data.samples import sizes

pytestmark = pytest.mark.timeout(400)

_SOON: Final = 180.0
"""s that a training, or the start of an inference, may take on a busy machine: each starts TensorFlow."""

_RATE: Final = 0.1  # of the samples for validation, and as many for the test


class Site:
    """A training service with a Kafka, a client of its API, and what it has trained."""

    def __init__(self, address: str, bootstrap: str, control_topic: str, models: Path) -> None:
        self.models = models
        self.bootstrap = bootstrap
        self._control_topic = control_topic
        self._client = httpx.Client(base_url=f"http://{address}", timeout=120)
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        self._trained = dict[str, dict[str, Any]]()

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def get(self, path: str) -> Any:
        """Return the JSON of a 200."""
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, sent: object) -> Any:
        """Return the JSON of the answer to a POST that did what it should."""
        answer = self._client.post(path, json=sent)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def trained(self, task: Task) -> dict[str, Any]:
        """Return the result of a task's training, which is done once."""
        if task.name not in self._trained:
            self._trained[task.name] = self._train(task)
        return self._trained[task.name]

    def _train(self, task: Task) -> dict[str, Any]:
        named = {"name": task.name, "imports": task.imports, "code": task.code, "framework": task.framework}
        model = self.post("/models/", named)["id"]
        configuration = self.post("/configurations/", {"name": task.name, "ml_models": [model]})["id"]
        fit = {f"{task.framework}_kwargs_fit": task.fit}
        settings = {"configuration": configuration, "batch": 32, "seed": 5, "conf_mat_settings": True}
        made = self.post("/deployments/", {**settings, **fit})
        number = made["results"][0]["id"]
        topic = self.topic("data", 3)
        with task.sink(
            self.bootstrap,
            topic,
            made["id"],
            validation_rate=_RATE,
            test_rate=_RATE,
            control_topic=self._control_topic,
        ) as sink:
            for sample, label in task.known:
                sink.send(sample, label)

        def ended() -> Any:
            (found,) = self.get(f"/deployments/results/{made['id']}")
            return found if found["state"] in ("finished", "failed", "stopped") else None

        result: dict[str, Any] = wait_for(ended, _SOON, f"the training of {task.name}")
        assert result["state"] == "finished", (result["reason"], self.get(f"/results/log/{number}")["log"])
        assert result["reason"] in (None, "")
        return result

    def predicted(
        self, result: int, values: Sequence[bytes], model_server: str | None = None
    ) -> NDArray[np.float64]:
        """Return what an inference of a result answers, in the order of the values."""
        source, target = self.topic("in", 2), self.topic("out", 2)
        known = self.get(f"/results/inference/{result}")
        sent = {**known, "input_topic": source, "output_topic": target, "model_server": model_server}
        inference = self.post(f"/results/inference/{result}", sent)["id"]
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for number, value in enumerate(values):
            producer.produce(source, value, str(number).encode(), headers=[("number", str(number).encode())])
        assert producer.flush(30) == 0
        try:
            answers = self._answers(target, len(values), lambda: self._trouble(inference))
            wait_for(lambda: self._counted(inference) == len(values), 30, "the report of the last answers")
        finally:
            self.post(f"/inferences/{inference}", {})
        assert self.get(f"/inferences/{inference}")["status"] == "stopped"
        return np.array([answers[number] for number in range(len(values))])

    def topic(self, name: str, partitions: int) -> str:
        """Create a topic; return its name."""
        topic = f"whole-way-{name}-{uuid.uuid4().hex[:10]}"
        self._admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(30)
        return topic

    def _answers(self, topic: str, count: int, trouble: Callable[[], str]) -> dict[int, list[float]]:
        """Return so many answers by the number in their key, and check that each came once."""
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "look"})
        reader.assign([TopicPartition(topic, each, 0) for each in range(2)])
        found = dict[int, list[float]]()

        def all_there() -> bool:
            for message in reader.consume(1000, 0.5):
                assert message.error() is None
                number, answer = int(message.key() or b""), json.loads(message.value() or b"")
                assert message.headers() == [("number", str(number).encode())]
                assert answer.keys() == {"values"}
                assert number not in found, "answered twice"
                found[number] = answer["values"]
            return len(found) >= count

        try:
            wait_for(all_there, _SOON, "the answers")
        except AssertionError as error:
            raise AssertionError(f"{error}: {len(found)} of {count}; {trouble()}") from None
        finally:
            reader.close()
        return found

    def _counted(self, inference: int) -> int:
        progress = self.get(f"/inferences/{inference}")["progress"] or {}
        return int(progress.get("answered") or 0)

    def _trouble(self, inference: int) -> str:
        found = self.get(f"/inferences/{inference}")
        return (
            f"{found['state']}: {found['reason']}\n{self.get(f'/inferences/{inference}/log')['log'][-2000:]}"
        )


@pytest.fixture(scope="module")
def site(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A training service without rows, with a control topic of its own on a real Kafka."""
    folder = tmp_path_factory.mktemp("whole-way")
    control_topic = f"control-{uuid.uuid4().hex[:10]}"
    variables = {**settings(kafka_bootstrap, folder), "CONTROLTOPIC": control_topic}
    with ExitStack() as stack:
        stack.enter_context(Service("training", variables, folder)).ready(60)
        made = Site(variables["DISPLAYPORT"], kafka_bootstrap, control_topic, folder / "models")
        stack.callback(made.close)
        yield made


def values(task: Task) -> list[bytes]:
    """Return the samples that no training has seen, as messages for an inference."""
    return [task.encode(sample) for sample, _ in task.held_out]


@pytest.mark.parametrize(
    "make",
    [tasks.pictures_of_digits, tasks.table_of_patients, tasks.digits_with_pytorch, tasks.numbers_on_a_line],
    ids=["tensorflow", "avro", "pytorch", "regression"],
)
def test_a_model_is_trained_on_a_stream_and_predicts_what_it_has_not_seen(
    site: Site, make: Callable[[], Task], request: pytest.FixtureRequest
) -> None:
    task = make()
    if task.framework == "pth":
        request.getfixturevalue("pytorch")

    result = site.trained(task)

    count, epochs = len(task.known), int(task.fit.partition("epochs=")[2].partition(",")[0])
    _, test, _ = sizes(count, _RATE, _RATE)
    for kind in ("train_metrics", "val_metrics"):
        assert {len(curve) for curve in result[kind].values()} == {epochs}
    curves = site.get(f"/results/chart/{result['id']}")["metrics"]
    assert {each["name"] for each in curves} >= {"loss", "loss_val"}
    matrix = result["confusion_matrix"]
    if task.classes is None:
        assert matrix is None
    else:
        assert result["test_metrics"]["accuracy"][-1] >= 0.9
        assert [len(row) for row in matrix] == [task.classes] * task.classes
        assert sum(map(sum, matrix)) == test
    (source,) = [
        each for each in site.get("/datasources/") if each["deployment"] == str(result["deployment"]["id"])
    ]
    assert source["total_msg"] == count

    found = site.predicted(result["id"], values(task))

    assert task.good(found, np.array([label for _, label in task.held_out]))


def test_the_served_model_answers_as_the_trained_one(site: Site, tmp_path: Path) -> None:
    task = tasks.pictures_of_digits()
    result = site.trained(task)
    (candidate,) = site.get(f"/versions/{task.name}")
    assert (candidate["state"], candidate["version"]) == ("candidate", 1)

    promoted = site.post(f"/versions/{task.name}/1/promote", {})

    assert (promoted["state"], promoted["version"], promoted["result"]) == ("served", 1, result["id"])
    with ModelServer(site.models / task.name, free_port(), tmp_path, model=task.name) as server:
        served = site.predicted(result["id"], values(task), server.url)
    trained = site.predicted(result["id"], values(task))
    assert np.allclose(served, trained, rtol=0, atol=1e-6)
    assert np.array_equal(served.argmax(1), trained.argmax(1))

"""The whole way of a model on a real cluster, while the pods that take part are deleted."""

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError

import pytest
import yaml

from tests.e2e.kubernetes import System, is_ready, name_of
from tests.parts import ROOT, wait_for
from training.example.digits import CODE, FORMAT, digits

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("cluster")]

SERVICE: Final = f"http://{os.environ.get('NODE', '127.0.0.1')}:30164"
TOKEN: Final = "a-token-for-this-test"
LIMIT: Final = 180.0  # s
EPOCHS: Final = 60
ASKED: Final = 50
SMALL: Final = {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}}

KAFKA: Final = """
import sys
import numpy as np
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from training.client import RawSink
from training.data.writing import Writer
from training.example.digits import digits

KAFKA = "kf1-service:19094"
ACTION, *MORE = sys.argv[1:]
if ACTION == "create":
    made = [NewTopic(name, num_partitions=4, config={"retention.ms": "-1"}) for name in MORE]
    admin = AdminClient({"bootstrap.servers": KAFKA})
    [each.result(30) for each in admin.create_topics(made).values()]
if ACTION == "train":
    rates = {"validation_rate": 0.1, "test_rate": 0.1}
    with RawSink(KAFKA, "digits", int(MORE[0]), **rates) as sink:
        for pixels, label in digits():
            sink.send(np.frombuffer(pixels, np.uint8).reshape(8, 8), np.uint8(label))
if ACTION == "ask":
    writer = Writer(KAFKA, "asked")
    for pixels, label in digits()[int(MORE[0]) : int(MORE[1])]:
        writer.write(pixels, bytes([label]))
    writer.finish()
    writer.close()
if ACTION == "answers":
    consumer = Consumer({"bootstrap.servers": KAFKA, "group.id": "test"})
    consumer.assign([TopicPartition("answered", number, 0) for number in range(4)])
    for each in consumer.consume(1000, 3):
        print(each.key()[0], each.value().decode())
"""
"""What a client of Kafka does, in the service's pod: Kafka is reached from inside the cluster only."""


class World:
    """The part of Streamlens that trains and serves models, and its API."""

    def __init__(self, system: System) -> None:
        self.system = system

    def ask(self, path: str, sent: Any = None) -> Any:
        """Return the JSON of an answer: to a POST, if there is something to send."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        body = None if sent is None else json.dumps(sent).encode()
        with urllib.request.urlopen(
            urllib.request.Request(f"{SERVICE}{path}", body, headers), timeout=60
        ) as answer:
            return json.load(answer)

    def result(self, number: int) -> dict[str, Any]:
        """Return a result; empty while the service is away."""
        try:
            (found,) = (each for each in self.ask("/results/") if each["id"] == number)
        except (URLError, ConnectionError, TimeoutError):
            return {}
        return dict(found)

    def epoch(self, number: int) -> int:
        """Return the epoch that a training has reached."""
        found = self.result(number)
        assert found.get("state") not in {"finished", "failed", "stopped"}, found
        return int((found.get("progress") or {}).get("epoch") or 0)

    def kafka(self, *arguments: str) -> str:
        return self.system.kubectl(
            "exec", "deployment/training", "-c", "training", "--", "python", "-c", KAFKA, *arguments
        )

    def replace(self, app: str) -> None:
        """Delete an app's pod, and wait until another is ready."""
        old = name_of(self.system.pod(app))
        self.system.kubectl("delete", "pod", old, "--wait=false")

        def another() -> bool:
            return any(name_of(pod) != old and is_ready(pod) for pod in self.system.pods(app))

        wait_for(another, LIMIT, f"another pod of {app}")

    def answers(self) -> list[tuple[int, int]]:
        """Return the digits that were predicted, each after the right one."""
        pairs = [line.split(" ", 1) for line in self.kafka("answers").splitlines()]
        outputs = [(int(key), json.loads(value)["values"]) for key, value in pairs]
        return [(label, values.index(max(values))) for label, values in outputs]

    def served(self, pod: str, file: Path) -> list[tuple[int, int]]:
        """Return the same from one of the model servers."""
        some = digits()[-ASKED:]
        shaped = [[[*pixels[row : row + 8]] for row in range(0, 64, 8)] for pixels, _ in some]
        file.write_text(json.dumps({"instances": shaped}))
        path = f"/api/v1/namespaces/{self.system.namespace}/pods/{pod}:8501/proxy/v1/models/digits:predict"
        found = json.loads(self.system.kubectl("create", "--raw", path, "-f", str(file)))["predictions"]
        return [(each.label, values.index(max(values))) for each, values in zip(some, found, strict=True)]


def right(pairs: list[tuple[int, int]]) -> float:
    """Return the share of right predictions."""
    return sum(label == found for label, found in pairs) / len(pairs)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    system = System()
    folders = {
        "resources": ["zookeeper", "tfserving", "training"],
        "components": ["k8s/components/training-models", "k8s/components/training-kubernetes"],
    }
    here = tmp_path.resolve()
    mine = {key: [os.path.relpath(ROOT / each, here) for each in paths] for key, paths in folders.items()}
    (here / "kustomization.yaml").write_text(yaml.safe_dump(mine))
    settings = {
        "WRITETOKEN": TOKEN,
        "JOBRESOURCES": json.dumps(SMALL),
        "INFERENCERESOURCES": json.dumps(SMALL),
        "JOBSTORAGE": "1Gi",
    }
    given = [f"--from-literal={name}={value}" for name, value in settings.items()]
    system.kubectl("create", "secret", "generic", "training-settings", *given)
    try:
        system.kubectl("apply", "-k", str(here))
        for app, count in (("kafka", 1), ("training", 1), ("tfserving", 2)):
            wait_for(lambda: sum(map(is_ready, system.pods(app))) == count, LIMIT, f"the pods of {app}")  # noqa: B023
        yield World(system)
    finally:
        ours = ("-l", "app.kubernetes.io/managed-by=streamlens-training", "--ignore-not-found")
        system.kubectl("delete", "-k", str(here), "--ignore-not-found")
        system.kubectl("delete", "jobs,deployments,persistentvolumeclaims,secrets", *ours)
        system.kubectl("delete", "secret", "training-settings")
        system.wait_until_gone()


def test_a_model_is_trained_asked_and_served_while_pods_are_deleted(world: World, tmp_path: Path) -> None:
    world.kafka("create", "digits", "asked", "answered")
    model = world.ask("/models/", {"name": "digits", "code": CODE, "framework": "tf"})["id"]
    configuration = world.ask("/configurations/", {"name": "digits", "ml_models": [model]})["id"]
    fields = {"batch": 32, "tf_kwargs_fit": f"epochs={EPOCHS}", "conf_mat_settings": True, "autoserve": True}
    deployment = world.ask("/deployments/", {"configuration": configuration, **fields})
    number = deployment["results"][0]["id"]
    world.kafka("train", str(deployment["id"]))

    wait_for(lambda: world.epoch(number) >= 2, LIMIT, "the second epoch")
    world.replace("training-job")
    reached = world.epoch(number)
    wait_for(lambda: world.epoch(number) > reached, LIMIT, "the next epoch")
    world.replace("training")
    wait_for(lambda: world.result(number).get("state") in {"finished", "failed"}, LIMIT, "the end")

    result = world.result(number)
    assert (result["status"], result["state"], result["reason"]) == ("finished", "finished", None)
    assert {name: len(values) for name, values in result["train_metrics"].items()} == {
        "loss": EPOCHS,
        "accuracy": EPOCHS,
    }
    assert result["test_metrics"]["accuracy"][0] >= 0.9
    assert world.ask(f"/results/log/{number}")["log"].count("continuing a training") == 1

    sent = {"input_format": "RAW", "input_config": FORMAT, "input_topic": "asked", "output_topic": "answered"}
    inference = world.ask(f"/results/inference/{number}", {"replicas": 1, **sent})["id"]
    world.kafka("ask", "0", str(ASKED))
    wait_for(lambda: len(world.answers()) == ASKED, LIMIT, "the first answers")
    world.replace("inference")
    world.kafka("ask", str(ASKED), str(2 * ASKED))
    wait_for(lambda: len(world.answers()) >= 2 * ASKED, LIMIT, "the other answers")
    answers = world.answers()
    assert sorted(label for label, _ in answers) == sorted(each.label for each in digits()[: 2 * ASKED])
    assert right(answers) >= 0.9
    wait_for(lambda: state(world, inference) == ("ready", 2 * ASKED), LIMIT, "a report of the answers")

    (version,) = world.ask("/versions/")
    assert (version["model"], version["served"]) == ("digits", 1)
    servers = [name_of(pod) for pod in world.system.pods("tfserving")]
    assert len(servers) == 2
    for pod in servers:
        assert right(world.served(pod, tmp_path / "asked.json")) >= 0.9

    world.ask(f"/inferences/{inference}", {})
    left = ("get", "jobs,deployments,persistentvolumeclaims,secrets,pods", "-o", "name")
    ours = ("-l", "app.kubernetes.io/managed-by=streamlens-training")
    wait_for(lambda: world.system.kubectl(*left, *ours) == "", LIMIT, "nothing of the runs to be left")


def state(world: World, inference: int) -> tuple[str, int]:
    """Return the state of an inference, and how many messages it has answered."""
    found = world.ask(f"/inferences/{inference}")
    return found["state"], found["progress"]["answered"]

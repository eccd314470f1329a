"""A federated training as processes, with three real Kafkas: the cloud's, and those of two owners."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import pytest
from confluent_kafka.admin import AdminClient

from tests.cluster import COMMAND, Cluster, cluster
from tests.conftest import missing
from tests.parts import ROOT, Process, wait_for
from tests.training.job.fakes import FakeService, form_parts
from training.client import FederatedRawSink
from training.code import Program, build
from training.example.digits import digits
from training.federated.exchange import Kafka
from training.federated.messages import End, Join, Round, Update, compose_said, parse_round
from training.federated.names import MODELS, Topics
from training.federated.weights import pack

pytestmark = [pytest.mark.parts, pytest.mark.outside, pytest.mark.timeout(1500)]

ROUNDS: Final = 3
SEED: Final = 11
TOPICS: Final = Topics("aBcDeFgH")
RESTRICTION: Final = {"sensor": "scanner"}
SETTINGS: Final = {
    "RESULT_ID": "7",
    "DEPLOYMENT_ID": "3",
    "BATCH": "2000",
    "KWARGS_FIT": '{"epochs": 1}',
    "CASE": "5",
    "AGGREGATION_ROUNDS": str(ROUNDS),
    "MIN_DATA": "500",
    "DATA_RESTRICTION": json.dumps(RESTRICTION),
    "FEDERATED_STRING_ID": TOPICS.training,
    "FEDERATED_CLIENTS": "5",
    "FEDERATED_UPDATES": "2",
    "FEDERATED_JOINING": "0s",
    "FEDERATED_DEADLINE": "5s",
    "SEED": str(SEED),
}
CODE: Final = """\
model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Rescaling(1 / 16),
    keras.layers.Dense(16, "tanh"),
    keras.layers.Dense(10, "softmax"),
])
model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
"""

# One step of gradient descent with all samples of an owner moves the weights along the gradient of the mean
# loss of its samples. The mean of both, by their numbers of samples, is a step with all samples: so after
# each round the weights equal those of central training, except for rounding in 32 bits.
TOLERANCE: Final = 1e-5
CENTRAL: Final = """\
import sys, keras, numpy as np
from pathlib import Path
from training.job.child import keras_fit
keras.utils.set_random_seed(int(sys.argv[1]))
model, _ = keras_fit.built(Path(sys.argv[2]))
before = model.get_weights()
data = np.load(sys.argv[4])
x, y = data["x"], data["y"]
model.fit(x, y, batch_size=len(x), epochs=int(sys.argv[5]), shuffle=False, verbose=0)
trained = keras.models.load_model(sys.argv[3])
pairs = list(zip(model.get_weights(), trained.get_weights(), strict=True))
print(max(float(np.abs(one - other).max()) for one, other in pairs))
print(max(float(np.abs(one - other).max()) for one, other in zip(before, trained.get_weights())))
"""


@pytest.fixture
def kafkas() -> Iterator[list[Cluster]]:
    if COMMAND not in os.environ:
        missing("brokers", f"set {COMMAND} to a command that starts and kills them (docs/benchmarks.md)")
    with ExitStack() as stack:
        yield [stack.enter_context(cluster(1)) for _ in range(3)]


@pytest.fixture
def fake() -> Iterator[FakeService]:
    fake = FakeService()
    yield fake
    fake.close()


def topics_of(kafka: Cluster) -> set[str]:
    found = AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0}).list_topics(timeout=10)
    return {name for name in found.topics if not name.startswith("__")}


def send(kafka: Cluster, x: Any, y: Any, restriction: dict[str, str], topic: str = "private") -> None:
    with FederatedRawSink(kafka.bootstrap, topic, 1, dataset_restrictions=restriction) as sink:
        for pixels, label in zip(x, y, strict=True):
            sink.send(pixels, label)


class Others:
    """Clients that do wrong: eve sends NaN, lou answers the first round too late, and van vanishes."""

    def __init__(self, bootstrap: str) -> None:
        self.ended = threading.Event()
        self._stop = threading.Event()
        self._kafka = Kafka(bootstrap, {}, self._stop)
        self._sender = self._kafka.sender()
        self._thread = threading.Thread(target=self._run)

    def begin(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        follower = self._kafka.follower()
        follower.add(TOPICS.rounds)
        for name in ("eve", "lou", "van"):
            self._say(Join(name, 500))
        seen = set[int]()
        while not self._stop.is_set():
            message = follower.poll()
            said = message and parse_round(message.value(), TOPICS)
            if isinstance(said, End):
                self.ended.set()
            if not isinstance(said, Round) or said.version in seen:
                continue
            seen.add(said.version)
            if said.version == 0:
                self._answer(said, "eve", np.nan)
            if said.version == 1:
                self._answer(said, "lou", 9.0, version=1)
        follower.close()

    def _answer(self, given: Round, name: str, value: float, version: int | None = None) -> None:
        arrays = [np.full(each.shape, value, each.dtype) for each in given.weights.arrays]
        described, data = pack(arrays)
        place = self._sender.send_bytes(TOPICS.of(name), data)
        self._say(Update(name, version or given.version + 1, place, described, 500, {}, {}))

    def _say(self, said: Join | Update) -> None:
        key, value = compose_said(said)
        self._sender.send(TOPICS.updates, value, key)


def rounds_done(fake: FakeService) -> int:
    reports = [json.loads(body) for body in fake.sent("/results/7/progress")]
    return max((each.get("round", 0) for each in reports), default=0)


def clients(fake: FakeService) -> dict[str, set[tuple[str, str | None]]]:
    """Return all states of each client that were reported, with their reasons."""
    found = dict[str, set[tuple[str, str | None]]]()
    for body in fake.sent("/results/7/progress"):
        for each in json.loads(body).get("clients", []):
            found.setdefault(each["name"], set()).add((each["state"], each["reason"]))
    return found


def uploaded(fake: FakeService) -> dict[str, Any]:
    """Return the parts of the only upload."""
    (upload,) = [(head, body) for _, path, head, body in fake.requests if path == "/results/7" and body]
    return form_parts(*upload)


def has_ended(process: Process) -> bool:
    return psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE


def test_federated_training_equals_training_on_all_data(
    kafkas: list[Cluster], fake: FakeService, tmp_path: Path
) -> None:
    """With one client that sends NaN, one that is late, one that vanishes, and with kills in between."""
    cloud, *owners = kafkas
    x, y = known_digits()
    parts = [(x[:1000], y[:1000]), (x[1000:], y[1000:])]
    for owner, part in zip(owners, parts, strict=True):
        send(owner, *part, RESTRICTION)
    send(owners[0], x[1000:], y[1000:], {"sensor": "another"}, "unfit")
    build(Program("tf", "", CODE), tmp_path / "untrained.h5")
    fake.model = (tmp_path / "untrained.h5").read_bytes()
    job = {
        **SETTINGS,
        "BOOTSTRAP_SERVERS": cloud.bootstrap,
        "RESULT_URL": fake.url,
        "MODELSTORE": str(tmp_path / "models"),
        "JOBFOLDER": str(tmp_path / "jobs"),
    }
    command = [sys.executable, "-m", "training.job"]
    others = Others(cloud.bootstrap)
    with ExitStack() as stack:
        first = stack.enter_context(Process(command, job, tmp_path / "job-1.log"))
        wait_for(lambda: TOPICS.updates in topics_of(cloud), 200, "the topics")
        others.begin()
        stack.callback(others.close)
        ann, bob = (
            stack.enter_context(worker(name, cloud, owner, tmp_path))
            for name, owner in zip(("ann", "bob"), owners, strict=True)
        )
        wait_for(lambda: rounds_done(fake) >= 1 or has_ended(first), 500, "the first round")
        assert not has_ended(first), first.text
        first.kill()
        bob.kill()
        second = stack.enter_context(Process(command, job, tmp_path / "job-2.log"))
        stack.enter_context(worker("bob", cloud, owners[1], tmp_path))
        wait_for(lambda: has_ended(second), 700, "the end of the job")
        assert second.stop() == 0, second.text
        wait_for(others.ended.is_set, 30, "the clients to know")
        wait_for(lambda: "training aBcDeFgH is over" in ann.text, 30, "ann to know")

    assert "continuing a training that was interrupted" in second.text
    sent = uploaded(fake)
    data = json.loads(sent["data"].get_payload(decode=True))
    assert len(data["train_metrics"]["loss"]) == ROUNDS
    assert data["train_metrics"]["loss"][0] > data["train_metrics"]["loss"][-1]
    assert (data["test_metrics"], data["confusion_matrix"]) == (None, None)
    (tmp_path / "trained.h5").write_bytes(sent["trained_model"].get_payload(decode=True))
    assert (tmp_path / "models/model/candidates/1/saved_model.pb").exists()

    difference, way = compared(tmp_path, x, y)
    assert difference < TOLERANCE
    assert way > 1000 * TOLERANCE, "the weights have moved"
    states = clients(fake)
    assert any(state == "refused" and "NaN" in str(why) for state, why in states["eve"])
    assert ("training", "its answer to round 1 came too late") in states["lou"]
    assert ("late", "it has not answered round 1 in time") in states["van"]
    for name in ("ann", "bob"):
        text = "".join(path.read_text() for path in sorted(tmp_path.glob(f"{name}*.log")))
        sent_rounds = Counter(
            number for number in range(1, ROUNDS + 1) for _ in range(text.count(f"round {number}: sent"))
        )
        assert sent_rounds == dict.fromkeys(range(1, ROUNDS + 1), 1)
    assert "unfit:0:0" in ann.text
    assert "the data have the restrictions" in ann.text
    # Nothing but weights, metrics and counts has left.
    assert topics_of(cloud) == {
        MODELS,
        *(TOPICS.rounds, TOPICS.updates, TOPICS.weights),
        *map(TOPICS.of, ("ann", "bob", "eve", "lou")),
    }
    assert all(topics_of(owner) <= {"private", "unfit", "FEDERATED_DATA_CONTROL_TOPIC"} for owner in owners)


def compared(folder: Path, x: Any, y: Any) -> tuple[float, float]:
    """Return how far the weights are from those of central training, and from the first ones, at most."""
    np.savez(folder / "all.npz", x=x.astype(np.float32), y=y)
    files = [str(folder / name) for name in ("untrained.h5", "trained.h5", "all.npz")]
    run = subprocess.run(
        [sys.executable, "-c", CENTRAL, str(SEED), *files, str(ROUNDS)],
        check=True,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        text=True,
    )
    difference, way = map(float, run.stdout.split()[-2:])
    return difference, way


def known_digits() -> tuple[Any, Any]:
    """Return scikit-learn's digits, sorted by their labels: each owner knows only some of them."""
    found = sorted(digits(), key=lambda each: each.label)
    x = np.array([np.frombuffer(each.pixels, np.uint8) for each in found])
    return x, np.array([each.label for each in found], np.uint8)


def worker(name: str, cloud: Cluster, owner: Cluster, folder: Path) -> Process:
    """Start a worker next to its owner's Kafka."""
    variables = {
        "DATA_BOOTSTRAP_SERVERS": owner.bootstrap,
        "MODEL_BOOTSTRAP_SERVERS": cloud.bootstrap,
        "CLIENT": name,
        "CLIENTFOLDER": str(folder / "clients"),
    }
    log = folder / f"{name}-{len(list(folder.glob(f'{name}-*.log')))}.log"
    return Process([sys.executable, "-m", "training.federated"], variables, log)

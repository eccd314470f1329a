"""Early exits on two real Kafkas with a slow link between them: a chain, and the whole model in the cloud.

The digits come at the edge, and whoever waits for the answers is there, too.
"""

import json
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.cluster import cluster
from tests.parts import Service, free_port, wait_for
from tests.slow_link import Far, far_kafka
from training.client import RawSink
from training.example.digits import Digit, digits

DELAY: Final = 0.05
"""s that the link takes each way."""

LIMIT: Final = 0.9
KNOWN: Final = 1200
"""Digits that the models are trained on; the others are asked."""

_EPOCHS: Final = 30
_SOON: Final = 300.0  # s that a training, or the start of an inference, may take on a busy machine
_FORMAT: Final = {"data_type": "uint8", "data_reshape": "8 8"}

_TRUNK: Final = """\
pixels = keras.Input((8, 8))
seen = keras.layers.Reshape((8, 8, 1))(keras.layers.Rescaling(1 / 16)(pixels))
seen = keras.layers.Flatten()(keras.layers.Conv2D(8, 3, activation="relu")(seen))
"""
_HEAD: Final = """\
inner = keras.layers.Dense(128, "relu")({given})
model = keras.Model({inputs}, keras.layers.Dense(10, "softmax")(inner))
"""
EDGE: Final = f'{_TRUNK}keras.Model(pixels, [seen, keras.layers.Dense(10, "softmax")(seen)])'
CLOUD: Final = "given = keras.Input((288,))\n" + _HEAD.format(given="given", inputs="given")
WHOLE: Final = (
    _TRUNK
    + _HEAD.format(given="seen", inputs="pixels")
    + 'model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])'
)


class Asked(NamedTuple):
    """Digits that were asked: the answer to each, its age in ms, and whether it came from the edge."""

    values: list[list[float]]
    ages: list[float]
    early: list[bool]

    def right(self, asked: Sequence[Digit]) -> float:
        """Return the share of right answers."""
        found = [values.index(max(values)) for values in self.values]
        return sum(one == other.label for one, other in zip(found, asked, strict=True)) / len(asked)


class Site:
    """A training service at the edge, both Kafkas, and the trained models' results."""

    def __init__(self, address: str, control: str, edge: str, cloud: Far) -> None:
        self.edge, self.cloud = edge, cloud
        self.results = dict[str, int]()
        self._control = control
        self._client = httpx.Client(base_url=f"http://{address}", timeout=120)
        self.close = self._client.close

    def get(self, path: str) -> Any:
        """Return the JSON of a 200."""
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, sent: Any) -> Any:
        """Return the JSON of an answer that is no refusal."""
        answer = self._client.post(path, json=sent)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def train(self, **fields: Any) -> None:
        """Train the chain and the whole model on the same stream."""
        model = {"framework": "tf"}
        cloud = self.post("/models/", {**model, "name": "cloud", "code": CLOUD, "distributed": True})["id"]
        self.post("/models/", {**model, "name": "edge", "code": EDGE, "distributed": True, "father": cloud})
        whole = self.post("/models/", {**model, "name": "whole", "code": WHOLE})["id"]
        chosen = self.post("/configurations/", {"name": "digits", "ml_models": [cloud, whole]})["id"]
        settings = {"batch": 16, "seed": 5, "learning_rate": 0.002, "metrics": "accuracy", **fields}
        made = self.post(
            "/deployments/", {"configuration": chosen, "tf_kwargs_fit": f"epochs={_EPOCHS}", **settings}
        )
        self.results = {each["model"]["name"]: each["id"] for each in made["results"]}
        topic = self.topics(self.edge, "data")[0]
        with RawSink(
            self.edge, topic, made["id"], validation_rate=0.1, test_rate=0.1, control_topic=self._control,
            data_type="uint8", data_reshape="8 8", label_type="uint8", label_reshape="1",
        ) as sink:  # fmt: skip
            for digit in digits()[:KNOWN]:
                sink.send(digit.pixels, bytes([digit.label]))
        wait_for(lambda: self._ended(made["id"]), 2 * _SOON, "the trainings")

    def _ended(self, deployment: int) -> bool:
        found = self.get(f"/deployments/results/{deployment}")
        failed = [each for each in found if each["state"] in ("failed", "stopped")]
        assert not failed, [
            (each["reason"], self.get(f"/results/log/{each['id']}")["log"]) for each in failed
        ]
        return all(each["state"] == "finished" for each in found)

    def topics(self, bootstrap: str, *names: str) -> list[str]:
        """Create topics; return their names."""
        full = [f"{name}-{uuid.uuid4().hex[:8]}" for name in names]
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        for made in admin.create_topics([NewTopic(each, 1, 1) for each in full]).values():
            made.result(30)
        return full

    @contextmanager
    def inference(self, model: str, **fields: Any) -> Iterator[int]:
        """Run an inference of a model's result for the block, and stop it then."""
        known = self.get(f"/results/inference/{self.results[model]}")
        number = int(self.post(f"/results/inference/{self.results[model]}", {**known, **fields})["id"])
        try:
            wait_for(
                lambda: self.get(f"/inferences/{number}")["state"] == "ready", _SOON, f"the model {model}"
            )
            yield number
        finally:
            self.post(f"/inferences/{number}", {})

    def progress(self, inference: int) -> dict[str, Any]:
        """Return what the replicas of an inference have counted."""
        return dict(self.get(f"/inferences/{inference}")["progress"])

    @contextmanager
    def chain(self, limit: float = LIMIT, upper_away: str = "wait") -> Iterator["Asking"]:
        """Run the edge's part there, and the cloud's there, for the block."""
        given, early = self.topics(self.edge, "in", "out")
        up, late = self.topics(self.cloud.near, "up", "late")
        near = {"input_kafka_broker": self.cloud.near, "output_kafka_broker": self.cloud.near}
        here = {"input_kafka_broker": self.edge, "output_kafka_broker": self.edge}
        exits = {
            "limit": limit,
            "output_upper": up,
            "upper_kafka_broker": self.cloud.far,
            "upper_away": upper_away,
        }
        with ExitStack() as stack:
            cloud = stack.enter_context(self.inference("cloud", input_topic=up, output_topic=late, **near))
            own = {**_RAW, **here, **exits}
            edge = stack.enter_context(self.inference("edge", input_topic=given, output_topic=early, **own))
            asking = Asking(
                self.edge, given, {self.edge: early, self.cloud.far: late}, {"edge": edge, "cloud": cloud}
            )
            stack.callback(asking.close)
            yield asking

    @contextmanager
    def whole(self) -> Iterator["Asking"]:
        """Run the whole model in the cloud for the block; the digits go there."""
        given, answers = self.topics(self.cloud.near, "in", "out")
        near = {"input_kafka_broker": self.cloud.near, "output_kafka_broker": self.cloud.near}
        own = {**_RAW, **near}
        with self.inference("whole", input_topic=given, output_topic=answers, **own) as number:
            asking = Asking(self.cloud.far, given, {self.cloud.far: answers}, {"whole": number})
            try:
                yield asking
            finally:
                asking.close()


_RAW: Final = {"input_format": "RAW", "input_config": _FORMAT}


class Asking:
    """Sends digits to a topic, and reads the answers, which come on the topics of one or two Kafkas."""

    def __init__(
        self, bootstrap: str, topic: str, answers: dict[str, str], inferences: dict[str, int]
    ) -> None:
        self.inferences = inferences
        self._topic = topic
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "log_level": 0})
        self._readers = list[Consumer]()
        for address, name in answers.items():
            reader = Consumer({"bootstrap.servers": address, "group.id": "look", "log_level": 0})
            reader.assign([TopicPartition(name, 0, 0)])
            self._readers.append(reader)
        self._sent = 0

    def send(self, asked: Sequence[Digit], rate: float) -> range:
        """Send digits, so many per second; return their numbers."""
        numbers, due = range(self._sent, self._sent + len(asked)), time.monotonic()
        self._sent = numbers.stop
        for number, digit in zip(numbers, asked, strict=True):
            time.sleep(max(0.0, due - time.monotonic()))
            due += 1 / rate
            headers: Any = [("sent", str(time.time_ns()))]
            self._producer.produce(self._topic, digit.pixels, str(number).encode(), headers=headers)
            self._producer.poll(0)
        assert self._producer.flush(60) == 0
        return numbers

    def ask(self, asked: Sequence[Digit], rate: float) -> Asked:
        """Send digits, and return the answers, of which each must come once."""
        numbers = range(self._sent, self._sent + len(asked))
        sending = threading.Thread(target=self.send, args=(asked, rate))
        sending.start()
        found = self.take(len(asked))
        sending.join()
        assert found.keys() == {*numbers}
        values, ages, early = zip(*(found[number] for number in numbers), strict=True)
        return Asked([*values], [*ages], [*early])

    def take(self, count: int, wait: float = 60) -> dict[int, tuple[list[float], float, bool]]:
        """Return the next answers, until there are so many, or none comes for `wait` s."""
        found = dict[int, tuple[list[float], float, bool]]()
        lock, until = threading.Lock(), [time.monotonic() + wait]

        def read(place: int, reader: Consumer) -> None:
            while len(found) < count and time.monotonic() < until[0]:
                message = reader.poll(0.2)
                if message is None or message.error():
                    continue
                now, headers = time.time_ns(), dict(message.headers() or [])
                answer = json.loads(message.value() or b"")
                assert answer.keys() == {"values"}
                age = (now - int(headers["sent"] or b"")) / 1e6
                with lock:
                    number = int(message.key() or b"")
                    if number in found:
                        found[-number - 1] = found[number]  # answered twice
                    found[number] = (answer["values"], age, place == 0 and len(self._readers) > 1)
                    until[0] = time.monotonic() + wait

        threads = [threading.Thread(target=read, args=each) for each in enumerate(self._readers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    def close(self) -> None:
        """Close the readers."""
        for reader in self._readers:
            reader.close()


@contextmanager
def site(folder: Path, delay: float = DELAY) -> Iterator[Site]:
    """Run two Kafkas with a slow link between them, and a training service at the edge."""
    address, control = f"127.0.0.1:{free_port()}", f"control-{uuid.uuid4().hex[:8]}"
    with ExitStack() as stack:
        edge = stack.enter_context(cluster(1))
        cloud = stack.enter_context(far_kafka(delay))
        settings = {
            "KAFKAPORT": edge.bootstrap,
            "CONTROLTOPIC": control,
            "DISPLAYPORT": address,
            "DATAFOLDER": str(folder / "data"),
            "MODELSTORE": str(folder / "models"),
            "STATEFOLDER": str(folder / "state"),
        }
        stack.enter_context(Service("training", settings, folder)).ready(60)
        made = Site(address, control, edge.bootstrap, cloud)
        stack.callback(made.close)
        yield made

"""The example of a first visit, with stand-ins for what sends to Kafka."""

from typing import Any, Self

import numpy as np
import pytest
from confluent_kafka import KafkaException

from pipeline.kafka import clients
from tests.training.conftest import RAW, Service
from tests.training.kafka import AWAY
from training.api import example
from training.client import SendError
from training.example.digits import CODE, digits

INFERENCE = {
    "input_format": "RAW",
    "input_config": {**RAW, "data_reshape": "8 8"},
    "input_topic": "in",
    "output_topic": "out",
}


class FakeSink:
    """Keeps what is sent; `trouble` is why Kafka takes none of it."""

    trouble = ""
    made: list["FakeSink"]

    def __init__(self, bootstrap: str, topic: str, deployment: int, **options: Any) -> None:
        self.place = bootstrap, topic, deployment
        self.options = options
        self.sent = list[tuple[Any, Any]]()
        self.made.append(self)

    def send(self, data: Any, label: Any) -> None:
        if self.trouble:
            raise SendError(self.trouble)
        self.sent.append((data, label))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class FakeWriter:
    """Keeps what is written."""

    made: list["FakeWriter"]

    def __init__(self, bootstrap: str, topic: str, _: Any) -> None:
        self.place = bootstrap, topic
        self.written = list[tuple[bytes, bytes]]()
        self.headers = list[dict[str, bytes]]()
        self.is_closed = False
        self.made.append(self)

    def write(self, value: bytes, key: bytes, headers: dict[str, bytes]) -> None:
        if self.place[1] == "full":
            raise SendError("topic full: Kafka does not answer")
        self.written.append((value, key))
        self.headers.append(headers)

    def finish(self) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


class FakeProducer:
    """Answers, unless Kafka is away."""

    is_away = False

    def list_topics(self, *, timeout: float) -> None:
        assert timeout <= 5
        if self.is_away:
            raise KafkaException(AWAY)

    def poll(self, timeout: float) -> None:
        assert timeout == 0


class FakeTopic:
    """Keeps which topics were prepared, with their settings."""

    made: list["FakeTopic"]

    def __init__(self, name: str, settings: Any, _: Any) -> None:
        self.name, self.settings = name, settings

    def prepare(self, _: Any) -> None:
        self.made.append(self)


@pytest.fixture(autouse=True)
def _without_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "admin", lambda *_: None)
    monkeypatch.setattr(clients, "producer", lambda *_: FakeProducer())
    for kind, name in ((FakeSink, "RawSink"), (FakeWriter, "Writer"), (FakeTopic, "Topic")):
        monkeypatch.setattr(kind, "made", [], raising=False)
        monkeypatch.setattr(example, name, kind)


def inference(service: Service, **fields: Any) -> int:
    """Start an inference of a new result; return its id."""
    result = service.finished()
    return int(service.post(f"/results/inference/{result}", {**INFERENCE, **fields}, 200)["id"])


def test_one_request_makes_everything_and_sends_the_digits(service: Service) -> None:
    made = service.post("/example/")

    (model,) = service.get("/models/")
    assert (model["name"], model["code"], model["framework"]) == ("digits example", CODE, "tf")
    (result,) = made["results"]
    assert service.runner.runs.keys() == {f"model-training-{result['id']}"}
    assert [(each.name, each.settings["retention.ms"]) for each in FakeTopic.made] == [(example.TOPIC, "-1")]
    (sink,) = FakeSink.made
    assert sink.place == ("kafka:9092", example.TOPIC, made["id"])
    assert sink.options["control_topic"] == "KAFKA_ML_CONTROL_TOPIC"
    assert len(sink.sent) == 1797
    picture, label = sink.sent[0]
    assert picture.shape == (8, 8)
    assert (picture.tobytes(), label) == (digits()[0].pixels, np.uint8(digits()[0].label))


def test_a_second_request_trains_the_same_model_again(service: Service) -> None:
    first, second = service.post("/example/"), service.post("/example/")

    assert first["configuration"] == second["configuration"]
    assert second["id"] != first["id"]
    assert len(service.get("/models/")) == 1
    assert len(service.get("/configurations/")) == 1


def test_names_that_are_taken_are_left_alone(service: Service) -> None:
    other = service.model("digits example")
    service.configuration(other, name="digits example")

    made = service.post("/example/")

    assert made["configuration"]["name"] == "digits example 2"
    assert made["results"][0]["model"]["name"] == "digits example 2"
    assert service.get(f"/models/{other}")["code"] != CODE


def test_when_kafka_is_away_nothing_stays_but_the_model(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeSink, "trouble", "Kafka does not answer")

    reason = service.unable("POST", "/example/")

    assert reason == "the digits could not be sent: Kafka does not answer"
    assert service.get("/deployments/") == []
    assert service.get("/results/") == []
    assert service.runner.runs == {}
    assert len(service.get("/models/")) == 1


def test_when_kafka_is_known_to_be_away_nothing_is_made(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = inference(service)
    results = service.get("/results/")
    monkeypatch.setattr(FakeProducer, "is_away", True)

    reason = service.unable("POST", "/example/")
    assert (
        service.unable("POST", "/example/predict", {"inference": number}) == "topic in: Kafka does not answer"
    )

    assert reason == f"topic {example.TOPIC}: Kafka does not answer"
    assert service.get("/results/") == results
    assert len(service.get("/models/")) == 1  # that of the inference
    assert FakeSink.made == []
    assert FakeWriter.made == []


def test_digits_are_sent_to_an_inference(service: Service) -> None:
    number = inference(service)

    answer = service.post("/example/predict", {"inference": number, "count": 3}, 200)

    (writer,) = FakeWriter.made
    assert writer.place == ("kafka:9092", "in")
    assert writer.is_closed
    assert len(answer["digits"]) == 3
    assert writer.written == [(bytes(each["pixels"]), bytes([each["label"]])) for each in answer["digits"]]
    assert {(value, key[0]) for value, key in writer.written} <= {*digits()}


def test_each_digit_has_a_header_that_no_other_has(service: Service) -> None:
    number = inference(service)

    answers = [service.post("/example/predict", {"inference": number}, 200) for _ in range(2)]

    ids = [each["id"] for answer in answers for each in answer["digits"]]
    assert len({*ids}) == 20
    assert [each for writer in FakeWriter.made for each in writer.headers] == [
        {"digit": each.encode()} for each in ids
    ]


def test_its_own_broker_is_used(service: Service) -> None:
    number = inference(service, input_kafka_broker="other:9092")

    service.post("/example/predict", {"inference": number}, 200)

    assert FakeWriter.made[0].place == ("other:9092", "in")
    assert len(FakeWriter.made[0].written) == 10


@pytest.mark.parametrize(
    "fields",
    [
        {"input_config": RAW},
        {"input_format": "JSON", "input_config": {}},
        {"input_config": {"data_type": "float32", "data_reshape": "8 8"}},
    ],
    ids=["shape", "format", "type"],
)
def test_an_inference_that_reads_something_else_gets_none(service: Service, fields: dict[str, Any]) -> None:
    number = inference(service, **fields)

    assert "uint8 of 8 8" in service.refused("POST", "/example/predict", {"inference": number})
    assert FakeWriter.made == []


def test_an_inference_must_run(service: Service) -> None:
    number = inference(service)
    service.post(f"/inferences/{number}", status=200)

    for each in (number, 99):
        assert "not found or not running" in service.refused("POST", "/example/predict", {"inference": each})


def test_bad_counts_are_refused(service: Service) -> None:
    number = inference(service)

    for count in (0, 101, "many"):
        assert "count" in service.refused("POST", "/example/predict", {"inference": number, "count": count})


def test_a_topic_that_cannot_be_written_is_named(service: Service) -> None:
    number = inference(service, input_topic="full")

    reason = service.unable("POST", "/example/predict", {"inference": number})

    assert reason == "the digits could not be sent: topic full: Kafka does not answer"
    assert FakeWriter.made[0].is_closed

"""What the topic of cameras says about labelling."""

import itertools
import json
import math
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from consumer.cameras import Cameras, Plan, Plans
from pipeline.cameras.record import CameraRecord, RecordError, encode
from tests.clock import Clock
from tests.consumer.fakes import ScriptedServer, grey, reply
from tests.parts import Service, embedded_broker, get, wait_for

LINK = "rtsp://192.168.1.20/stream1"


def test_a_record_says_who_labels_a_camera_and_how_soon() -> None:
    plans = Plans(["imagenet_1", "emonet_2"])

    plans.set("door", CameraRecord(link=LINK))
    plans.set("yard", CameraRecord(link=LINK, models=["emonet_2"], deadline=0.5, weight=3))
    plans.set("preview-0123456789abcdef", CameraRecord(link=LINK, until=1))
    plans.set("hall", None)

    assert plans.get("door") == plans.get("hall") == Plan(None, math.inf, 1.0)
    assert plans.get("yard") == Plan(frozenset(["emonet_2"]), 0.5, 3.0)
    assert plans.get("preview-0123456789abcdef") == Plan(frozenset())
    assert [plans.weight(camera) for camera in ("yard", "door", "invented")] == [3, 1, 1]
    assert plans.get("invented") is None
    assert plans.trouble() is None

    plans.remove("yard")
    assert plans.get("yard") is None


def test_unknown_models_are_reported_until_the_record_changes(caplog: pytest.LogCaptureFixture) -> None:
    plans = Plans(["imagenet_1", "emonet_2"])
    wrong = "camera door: expected models of MODELURLS (emonet_2, imagenet_1), found resnet_9 in its record"

    plans.set("door", CameraRecord(link=LINK, models=["resnet_9", "imagenet_1"]))
    plans.set("yard", CameraRecord(link=LINK, models=["x"]))
    both = plans.trouble()
    plans.remove("yard")
    one = plans.trouble()
    plans.set("door", CameraRecord(link=LINK, models=["imagenet_1"]))

    assert both == f"{wrong} (and 1 more cameras)"
    assert one == wrong
    assert plans.trouble() is None
    assert caplog.messages[0] == wrong
    assert len(caplog.messages) == 2


def test_cameras_keep_their_places_until_they_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("consumer.cameras.time", clock)
    configured: list[list[str]] = []
    forgotten: list[str] = []
    plans = Plans([])
    cameras = Cameras(
        plans, configure=lambda names: configured.append(sorted(names)), forget=forgotten.append
    )
    topic: dict[str, CameraRecord | RecordError] = {}

    def step() -> None:
        cameras.step(topic)
        clock.sleep(1)

    def change(name: str, record: CameraRecord | RecordError | None) -> None:
        if record is None:
            del topic[name]
        else:
            topic[name] = record
        cameras.take(name, record)

    change("door", CameraRecord(link=LINK))
    change("yard", RecordError("bad_value", "link: is missing"))
    step()
    step()
    change("door", None)
    step()

    assert configured == [["door", "yard"], ["yard"]]
    assert forgotten == ["door"]
    assert plans.get("door") is None
    assert plans.get("yard") == Plan()


@pytest.mark.parts
def test_a_running_consumer_follows_the_topic(tmp_path: Path) -> None:
    answer = json.dumps({"predictions": [{"classes": 1, "probabilities": [0.0, 1.0]}]}).encode()
    labels = tmp_path / "labels.json"
    labels.write_text('["tench"]')
    with ExitStack() as stack:
        bootstrap, _ = stack.enter_context(embedded_broker(tmp_path))
        server = stack.enter_context(ScriptedServer(reply(200, answer)))
        variables = {
            "KAFKAPORTIN": bootstrap,
            "KAFKAPORTOUT": bootstrap,
            "CAMERASTOPIC": "cameras",
            "MAXBATCH": "1",
            "MODELURLS": json.dumps({"imagenet_1": server.url}),
            "LABELURLS": json.dumps({"imagenet_1": str(labels)}),
        }
        kafka = Producer({"bootstrap.servers": bootstrap})
        out = Consumer({"bootstrap.servers": bootstrap, "group.id": "test"})
        stack.callback(out.close)
        topics = itertools.product(("videodisplay", "status"), range(4))
        out.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for topic, number in topics])
        said: dict[str, list[object]] = {}
        reasons: list[str] = []

        def put(camera: str, record: CameraRecord | None) -> None:
            kafka.produce("cameras", None if record is None else encode(record), camera.encode())
            assert kafka.flush(10) == 0

        def send() -> bool:
            """Send a frame of each camera, and read what has come."""
            for camera in ("door", "yard"):
                kafka.produce("videocam", key=camera.encode(), value=grey())
            kafka.flush(5)
            for message in out.consume(100, 0.2):
                if message.error() is None and message.topic() == "status":
                    reasons.append(str(json.loads(message.value() or b"{}").get("reason")))
                elif message.error() is None:
                    models = json.loads(dict(message.headers() or []).get("predictions") or b"[]")
                    key = (message.key() or b"").decode()
                    said[key] = [label["label"] for each in models for label in each["results"]]
            return True

        put("door", CameraRecord(link="0", models=["resnet_9"]))
        put("yard", CameraRecord(link="0"))
        consumer = stack.enter_context(Service("consumer", variables, tmp_path))
        wait_for(lambda: send() and said.get("yard"), 60, "labels of the yard")
        wait_for(lambda: send() and any("found resnet_9" in each for each in reasons), 60, "a reason")
        wait_for(lambda: send() and get(f"{consumer.health}/readyz").startswith(b"ok\n"), 60, "readiness")
        door = said["door"]
        put("door", CameraRecord(link="0", models=["imagenet_1"]))
        wait_for(lambda: send() and said["door"], 60, "labels of the door")
        put("yard", None)
        wait_for(lambda: "camera yard forgotten" in consumer.text, 60, "the end of the yard")

        assert door == []
        assert consumer.text.count("found resnet_9") == 1
        assert "Traceback" not in consumer.text

"""Camera to labelled frame, through real processes, a real model and both kinds of broker."""

import ast
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer

from pipeline.kafka import clients
from pipeline.wire.frame import Frame, Message, decode
from pipeline.wire.picture import decode as decode_picture
from tests.integration.conftest import Pipeline
from tests.parts import LABELS, ModelServer, Service, wait_for

# ImageNet's labels for the clip's people on bicycles (a third of its frames), and for a man in a suit.
BIKES = {"unicycle", "jinrikisha", "mountain bike", "bicycle-built-for-two"}
# `from_the_end` adds to what is assigned.
COOPERATIVE = {"partition.assignment.strategy": "cooperative-sticky"}

CARPHONE = {"Windsor tie", "suit"}


class Spy:
    """Reads a topic as an independent client."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.frames: list[Frame] = []
        self._assigned = False
        self._topic = topic
        self._consumer: Consumer = clients.consumer(bootstrap, f"spy-{topic}", 0.005, COOPERATIVE)
        self._consumer.subscribe([topic], on_assign=self._on_assign)

    def wait_until_assigned(self) -> None:
        def assigned() -> bool:
            self._consumer.list_topics(self._topic, timeout=5)  # creates the topic
            self.read(0.1)
            return self._assigned

        wait_for(assigned, 30, "a partition of the topic")

    def read(self, timeout: float) -> None:
        """Keep the frames that arrive within `timeout` s."""
        message = self._consumer.poll(timeout)
        while message is not None and message.error() is None:
            parts = Message(message.key(), message.value() or b"", list(message.headers() or []))  # type: ignore[arg-type]
            self.frames.append(decode(parts, offset=0, timestamp=0))
            message = self._consumer.poll(0.02)

    def of(self, camera: str) -> list[Frame]:
        return [frame for frame in self.frames if frame.camera == camera]

    def close(self) -> None:
        self._consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[Any]) -> None:
        clients.from_the_end(consumer, partitions)
        self._assigned = self._assigned or bool(partitions)


def labels_of(frames: list[Frame]) -> Counter[str]:
    return Counter(result.label for frame in frames for p in frame.predictions for result in p.results)


def settled(service: Service, came: dict[str, int]) -> dict[str, Any]:
    """Wait until the frames that `came` from each camera are all accounted for; return the ledger."""

    def balanced() -> dict[str, Any] | None:
        ledger = service.ledger()
        all_came = all(camera in ledger and ledger[camera]["in"] >= count for camera, count in came.items())
        return ledger if all_came and all(counts["pending"] == 0 for counts in ledger.values()) else None

    ledger: dict[str, Any] = wait_for(balanced, 20, f"{service.log.name} to be done with {came}")
    for camera, counts in ledger.items():
        assert counts["in"] == came[camera], camera
        assert counts["in"] == counts["out"] + sum(counts["dropped"].values()), camera
    return ledger


def wait_until_reading(pipeline: Pipeline, consumer: Service, video: Service) -> None:
    for service, topic in ((consumer, pipeline.topic_in), (video, pipeline.topic_out)):
        wait_for(lambda s=service, t=topic: f"reading {t}[" in s.text, 30, f"{topic} to be assigned")  # type: ignore[misc]


def outs(ledger: dict[str, Any]) -> dict[str, int]:
    """Return how many frames of each camera went out."""
    return {camera: counts["out"] for camera, counts in ledger.items()}


def test_frames_come_out_labelled_in_order_and_accounted_for(
    pipeline: Pipeline, model_server: ModelServer, clips: Path
) -> None:
    spy = Spy(pipeline.bootstrap, pipeline.topic_out)
    spy.wait_until_assigned()
    consumer = pipeline.consumer(model_server.url)
    video = pipeline.video()
    wait_until_reading(pipeline, consumer, video)
    bikes = pipeline.producer("bikes", clips / "bikes.mp4")
    phone = pipeline.producer("phone", clips / "carphone_pristine.mp4", FRAMEINTERVAL="100ms")

    def enough() -> bool:
        spy.read(0.5)
        return len(spy.of("bikes")) >= 250 and len(spy.of("phone")) >= 80

    wait_for(enough, 60, "250 frames of one camera and 80 of the other")
    made = {**settled_after_stop(bikes, spy), **settled_after_stop(phone, spy)}
    labelled = outs(settled(consumer, outs(made)))
    settled(video, labelled)

    def all_read() -> bool:
        spy.read(0.2)
        return all(len(spy.of(camera)) >= count for camera, count in labelled.items())

    wait_for(all_read, 20, f"the spy to have read {labelled}")
    spy.close()

    for camera, plausible, share in (("bikes", BIKES, 0.15), ("phone", CARPHONE, 0.8)):
        frames = spy.of(camera)
        assert len(frames) == labelled[camera]
        seqs = [frame.seq for frame in frames]
        assert seqs == sorted(set(seqs)), "frames must come once, and in order"
        labels = labels_of(frames)
        assert labels.total() > 0.8 * len(frames), "all but the first frames carry a label"
        assert sum(labels[label] for label in plausible) > share * labels.total(), labels.most_common()


def settled_after_stop(producer: Service, spy: Spy) -> dict[str, Any]:
    """Stop a producer; return its last ledger, as it logs it, by camera."""
    (camera,) = producer.ledger()
    assert producer.stop() == 0
    spy.read(0.5)
    counts: dict[str, Any] = ast.literal_eval(
        producer.text.rpartition("producer stopped: ")[2].splitlines()[0]
    )
    assert counts["pending"] == 0
    assert counts["in"] == counts["out"] + sum(counts["dropped"].values())
    return {camera: counts}


def test_each_service_can_use_the_original_systems_message(pipeline: Pipeline, clips: Path) -> None:
    video = pipeline.video()
    consumer = pipeline.consumer(FRAMEFORMAT="mat")
    wait_until_reading(pipeline, consumer, video)
    pipeline.producer("bikes", clips / "bikes.mp4", FRAMEFORMAT="mat")

    status = wait_for(lambda: pipeline.camera("camera"), 30, "a frame without a camera's name")

    assert (status["width"], status["height"]) == (640, 272)
    assert decode_picture(pipeline.snapshot("camera")).shape == (272, 640, 3)


def test_one_systems_stream_can_be_another_systems_camera(pipeline: Pipeline, clips: Path) -> None:
    pipeline.video()
    pipeline.consumer()
    pipeline.producer("bikes", clips / "bikes.mp4")
    wait_for(lambda: pipeline.camera("bikes"), 30, "the first camera")

    pipeline.producer("again", f"{pipeline.display}/stream/bikes")

    wait_for(lambda: pipeline.camera("again").get("seq", 0) > 25, 30, "the camera that shows its stream")
    assert (pipeline.camera("again")["width"], pipeline.camera("again")["height"]) == (640, 272)


def test_predictions_are_published_on_a_separate_topic(
    pipeline: Pipeline, model_server: ModelServer, clips: Path
) -> None:
    topic = f"{pipeline.topic_out}-predictions"
    reader: Consumer = clients.consumer(pipeline.bootstrap, f"spy-{topic}", 0.005, COOPERATIVE)
    reader.list_topics(topic, timeout=5)
    reader.subscribe([topic], on_assign=clients.from_the_end)
    pipeline.consumer(model_server.url, TOPICNAMEPREDICTIONS=topic)
    pipeline.producer("bikes", clips / "bikes.mp4")

    def labelled() -> dict[str, Any] | None:
        message = reader.poll(0.2)
        if message is None or message.error():
            return None
        fields: dict[str, Any] = json.loads(message.value() or b"")
        return fields if fields["predictions"][0]["results"] else None

    fields = wait_for(labelled, 40, "predictions with results")
    reader.close()

    assert fields["camera"] == "bikes"
    assert fields["predictions"][0]["model"] == "imagenet_1"
    assert fields["predictions"][0]["results"][0]["label"] in json.loads(LABELS.read_text())
    assert fields["predictions"][0]["seq"] <= fields["seq"]


@pytest.mark.parametrize("service", ["producer", "consumer", "video"])
def test_each_service_needs_little_memory_and_stops_promptly(
    pipeline: Pipeline, model_server: ModelServer, clips: Path, service: str
) -> None:
    services = {"video": pipeline.video(), "consumer": pipeline.consumer(model_server.url)}
    services["producer"] = pipeline.producer("bunny", clips / "bigbuckbunny.mp4")
    wait_for(lambda: pipeline.camera("bunny").get("seq", 0) > 50, 40, "50 frames at the end of the pipeline")

    memory = services[service].rss()

    assert services[service].stop() == 0
    assert memory < (150 if service == "producer" else 120)  # it has two FFmpegs, PyAV's and OpenCV's

"""A camera's trouble reaches those who look at the page, in the words of its producer."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import numpy as np
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]

from pipeline.wire import figures, picture
from pipeline.wire.status import Status, Subject, decode, decode_key, encode_key, encode_value
from tests.integration.conftest import Pipeline
from tests.parts import Service, free_port, get, reads, wait_for
from tests.producer.http_camera import HttpCamera

NAME = "front%20door"


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    """A camera's pictures."""
    return [picture.encode(np.full((240, 320, 3), grey, np.uint8), 85) for grey in range(0, 250, 25)]


def said(pipeline: Pipeline, name: str) -> tuple[Any, Any]:
    """Return a camera's state and reason; None while it is not known."""
    fields = pipeline.camera(name)
    return fields.get("state"), fields.get("reason")


def unready(service: Service) -> str:
    """Return what /readyz says."""
    try:
        return get(f"{service.health}/readyz").decode()
    except HTTPError as error:
        return error.read().decode()


def records(pipeline: Pipeline) -> list[Status]:
    """Return the records that are on the topic now, without figures."""
    config = {"bootstrap.servers": pipeline.bootstrap, "group.id": "look"}
    reader = Consumer(config)
    topic = reader.list_topics(timeout=10).topics.get(pipeline.topic_status)
    if topic is None:  # it takes a moment to find out that the embedded broker cannot create it compacted
        return []
    ends = {
        each: reader.get_watermark_offsets(TopicPartition(pipeline.topic_status, each), 10)[1]
        for each in topic.partitions
    }
    reader.assign([TopicPartition(pipeline.topic_status, each, 0) for each in ends])
    found: list[Status] = []
    for _ in range(sum(ends.values())):
        message = reader.poll(10)
        assert message is not None
        value = message.value()
        assert value
        subject = decode_key(message.key())
        if subject.service != figures.SERVICE:
            found.append(decode(subject, value))
    reader.close()
    return found


def test_a_camera_that_never_comes_is_shown_with_its_reason_until_it_comes(
    pipeline: Pipeline, jpegs: list[bytes]
) -> None:
    port = free_port()
    pipeline.video()
    pipeline.consumer()
    producer = pipeline.producer("front door", f"http://joe:hunter2@127.0.0.1:{port}/video")

    state, reason = wait_for(
        lambda: (found := said(pipeline, NAME))[0] == "never-seen" and found, 30, "the camera"
    )
    assert state == "never-seen"
    assert reason
    wait_for(lambda: reason in unready(producer), 20, "the same reason in /readyz")
    assert reason in producer.text
    with HttpCamera(jpegs, port=port):
        wait_for(lambda: said(pipeline, NAME) == ("live", None), 60, "the picture")
    wait_for(lambda: said(pipeline, NAME)[0] == "no-signal", 60, "the lost signal")
    wait_for(lambda: said(pipeline, NAME)[1], 30, "the reason")
    assert "hunter2" not in producer.text
    assert b"hunter2" not in reads(f"{pipeline.display}/api/cameras")


def test_all_services_report_and_say_when_they_stop(pipeline: Pipeline, clips: Path) -> None:
    services = [pipeline.video(), pipeline.consumer(), pipeline.producer("bikes", clips / "bikes.mp4")]
    wait_for(lambda: said(pipeline, "bikes") == ("live", None), 60, "the picture")
    wait_for(lambda: {each.state for each in records(pipeline)} >= {"live", "ready"}, 30, "the records")

    for service in services:
        assert service.stop() == 0

    last = {each.subject: each.state for each in records(pipeline)}
    assert {(each.service, each.camera) for each in last} == {
        ("video", ""),
        ("consumer", ""),
        ("producer", "bikes"),
    }
    assert set(last.values()) == {"stopped"}
    assert len({each.instance for each in last}) == 3


def test_a_server_that_starts_later_knows_what_was_reported_and_skips_the_rest(
    pipeline: Pipeline, clips: Path
) -> None:
    producer = pipeline.producer("attic", clips / "missing.mp4")
    wait_for(lambda: "attic" in producer.text, 30, "the producer")
    writer = Producer({"bootstrap.servers": pipeline.bootstrap})
    yard = Status(Subject("producer", "host", "yard"), "no-signal", "wrong path", time.time())
    for key, value in [(b"nonsense", b"{}"), (encode_key(yard.subject), b"nonsense")]:
        writer.produce(pipeline.topic_status, key=key, value=value)
    writer.produce(pipeline.topic_status, key=encode_key(yard.subject), value=encode_value(yard))
    writer.flush(10)

    video = pipeline.video()

    wait_for(lambda: said(pipeline, "yard") == ("never-seen", "wrong path"), 30, "the record")
    wait_for(lambda: said(pipeline, "attic")[0] == "never-seen", 30, "the producer's record")
    wait_for(lambda: video.metric("streamlens_bad_status_records_total") >= 2, 10, "the count")


def test_the_topic_is_compacted(kafka_bootstrap: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        pipeline = Pipeline(kafka_bootstrap, tmp_path, stack.enter_context)
        pipeline.video()
        admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
        wait_for(lambda: pipeline.topic_status in admin.list_topics(timeout=10).topics, 30, "the topic")
        resource = ConfigResource(ConfigResource.Type.TOPIC, pipeline.topic_status)
        config = admin.describe_configs([resource])[resource].result()

    assert "compact" in config["cleanup.policy"].value


def test_a_slow_camera_is_live_and_is_not_opened_again_and_again(
    pipeline: Pipeline, jpegs: list[bytes]
) -> None:
    pipeline.video(NOSIGNALAFTER="200ms")
    pipeline.consumer()
    with HttpCamera(jpegs, rate=1) as camera:
        producer = pipeline.producer("slow", camera.link, FROZENAFTER="500ms")
        tried, begun = -1, 0

        def is_steady() -> bool:
            nonlocal tried, begun
            count, seq = producer.text.count("trying again"), pipeline.camera("slow").get("seq", 0)
            if count != tried:
                tried, begun = count, seq
            return bool(seq >= begun + 8)

        wait_for(is_steady, 90, "eight pictures without another attempt")
        seen: list[dict[str, Any]] = []
        while len(seen) < 30:
            seen.append(pipeline.camera("slow"))
            time.sleep(0.1)

        assert producer.text.count("trying again") <= 4

    assert {each["state"] for each in seen} == {"live"}
    assert all(each["fps"] > 0 for each in seen)

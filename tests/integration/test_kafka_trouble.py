"""What keeps the services from Kafka is in their logs, in /readyz, and on the page, until it is over."""

import json
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError, URLError

from tests.guarded import GuardedKafka
from tests.integration.conftest import Pipeline
from tests.integration.test_status import said
from tests.parts import Service, get, wait_for

MISSING = "does not exist, and Kafka does not create it: use kafka-topics.sh --create"


def wait_until_named(service: Service, why: str) -> None:
    """Wait until a service's /readyz and its log contain a text."""

    def unready() -> str:
        try:
            return get(f"{service.health}/readyz").decode()
        except HTTPError as error:
            return error.read().decode()
        except URLError:  # not started yet
            return ""

    wait_for(lambda: why in unready(), 60, f"{service.log.name}: {why} in /readyz")
    wait_for(lambda: why in service.text, 30, f"{service.log.name}: {why} in the log")


def test_missing_topics_are_named_until_they_are_created(
    guarded_kafka: GuardedKafka, tmp_path: Path, clips: Path
) -> None:
    with ExitStack() as stack:
        pipeline = Pipeline(guarded_kafka.ports["PLAINTEXT"], tmp_path, stack.enter_context)
        # They are to create no topics of frames.
        video, consumer = pipeline.video(PARTITIONS="0"), pipeline.consumer(PARTITIONS="0")
        producer = pipeline.producer("bikes", clips / "bikes.mp4", PARTITIONS="0")

        for service in (producer, consumer):
            wait_until_named(service, f"topic {pipeline.topic_in} {MISSING}")
        # Once there is a camera, the video server is ready: its page says why there is no picture.
        why = f"topic {pipeline.topic_out} {MISSING}"
        wait_for(lambda: said(pipeline, "bikes") == ("broker-away", why), 30, "the page")
        wait_for(lambda: why in video.text, 30, "the video server's log")
        guarded_kafka.create(pipeline.topic_out)
        why_too = f"topic {pipeline.topic_in} {MISSING}"
        wait_for(lambda: said(pipeline, "bikes")[1] == why_too, 30, "the producer's reason on the page")
        guarded_kafka.create(pipeline.topic_in)

        wait_for(lambda: said(pipeline, "bikes") == ("live", None), 60, "the picture")
        for service in (producer, consumer, video):
            service.ready()


def test_a_wrong_password_is_named_by_all_services(
    guarded_kafka: GuardedKafka, tmp_path: Path, clips: Path
) -> None:
    config = {"KAFKACONFIG": json.dumps({**guarded_kafka.login, "sasl.password": "hunter2"})}
    why = "does not accept this user: correct sasl.username and sasl.password in KAFKACONFIG"
    with ExitStack() as stack:
        pipeline = Pipeline(guarded_kafka.ports["SASL_PLAINTEXT"], tmp_path, stack.enter_context)
        services: list[Service] = [
            pipeline.video(**config),
            pipeline.consumer(**config),
            pipeline.producer("bikes", clips / "bikes.mp4", **config),
        ]

        for service in services:
            wait_until_named(service, why)
            assert service.text.count(f"pipeline.kafka.causes: Kafka's port {pipeline.bootstrap} {why}") == 1
            assert "hunter2" not in service.text

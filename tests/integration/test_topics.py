"""Topics of a real Kafka are created as the services need them, and what does not fit is named."""

import json
from contextlib import ExitStack
from pathlib import Path

from confluent_kafka.admin import AclOperation  # type: ignore[attr-defined]

from pipeline.kafka import clients
from pipeline.topics import plan, survey
from pipeline.topics.survey import Survey
from tests.guarded import LARGEST, GuardedKafka
from tests.integration.conftest import Pipeline
from tests.parts import wait_for


def seen(kafka: GuardedKafka, *plans: plan.Plan) -> Survey:
    found = survey.survey(clients.admin(kafka.ports["PLAINTEXT"], {}), plans, 30)
    assert found is not None
    return found


def test_services_create_their_topics_as_they_need_them(
    guarded_kafka: GuardedKafka, tmp_path: Path, clips: Path
) -> None:
    """On a Kafka that creates none itself."""
    with ExitStack() as stack:
        pipeline = Pipeline(guarded_kafka.ports["PLAINTEXT"], tmp_path, stack.enter_context)
        pipeline.producer("bikes", clips / "bikes.mp4", PARTITIONS="3")
        pipeline.consumer(PARTITIONS="3")
        pipeline.video(PARTITIONS="3")

        wait_for(lambda: pipeline.camera("bikes").get("state") == "live", 60, "the picture")

    for name in (pipeline.topic_in, pipeline.topic_out):
        planned = plan.frames(name, 3, 16_000_000)
        found = seen(guarded_kafka, planned).found[planned]
        assert found.partitions == 3
        assert found.settings is not None
        assert {each: found.settings[each] for each in planned.settings} == planned.settings


def test_topics_created_in_advance_are_used_and_what_does_not_fit_is_named(
    guarded_kafka: GuardedKafka, tmp_path: Path, clips: Path
) -> None:
    """The user may neither create topics nor see their settings; a user who may see them gets the lines."""
    with ExitStack() as stack:
        pipeline = Pipeline(guarded_kafka.ports["SASL_PLAINTEXT"], tmp_path, stack.enter_context)
        guarded_kafka.create(pipeline.topic_in, pipeline.topic_status)
        for topic in (pipeline.topic_in, pipeline.topic_status):
            guarded_kafka.allow(AclOperation.WRITE, topic)
        config = json.dumps(guarded_kafka.login)

        producer = pipeline.producer("bikes", clips / "bikes.mp4", KAFKACONFIG=config)

        producer.ready()
        says = f"topic {pipeline.topic_in} is not checked, because Kafka does not permit this user"
        wait_for(lambda: says in producer.text, 60, "a line about the rights")

        guarded_kafka.allow(AclOperation.DESCRIBE_CONFIGS, pipeline.topic_in)
        again = pipeline.producer("door", clips / "bikes.mp4", KAFKACONFIG=config)
        says = f"topic {pipeline.topic_in} accepts messages of {LARGEST} bytes, expected 32262144"
        wait_for(lambda: says in again.text, 60, "a line about the size")
        says = f"topic {pipeline.topic_in} keeps frames for 7 days, which fills the disk"
        wait_for(lambda: says in again.text, 60, "a line about the retention")


def test_the_command_says_who_may_not_create_topics(guarded_kafka: GuardedKafka) -> None:
    admin = clients.admin(guarded_kafka.ports["SASL_PLAINTEXT"], guarded_kafka.login)
    wanted = plan.cameras("cameras-of-nobody")

    (problem,) = survey.create(admin, [wanted], "kafka:9092").values()

    assert problem
    assert "allow CREATE and DESCRIBE with kafka-acls.sh" in problem
    assert seen(guarded_kafka, wanted).missing == (wanted,)

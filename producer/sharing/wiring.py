"""Wires the parts of a producer that shares the cameras of `CAMERASTOPIC` with others."""

import secrets
from collections.abc import Iterator

from confluent_kafka import KafkaException, Producer

from pipeline.cameras.topic import CameraTopic
from pipeline.flow.ledger import Ledger
from pipeline.kafka.publisher import Publisher
from pipeline.kafka.reporter import Reporter, instance
from pipeline.service.rates import Rates
from pipeline.service.service import Service, WorkerGroup
from pipeline.wire.status import Subject
from producer import metrics
from producer.capture import Capture, How
from producer.settings import ProducerSettings
from producer.sharing.captures import Captures, Place
from producer.sharing.follower import Follower
from producer.sharing.group import CameraGroup
from producer.sharing.own import demo_record, own_record
from producer.sharing.wishes import Wishes


def wire(
    settings: ProducerSettings,
    topic_name: str,
    service: Service,
    *,
    ledger: Ledger,
    client: Producer,
    publisher: Publisher,
) -> None:
    """Add to the service what captures its share of the cameras of a topic: topic, share, captures."""
    me, run, seal = instance(), secrets.token_hex(4), settings.seal()
    topic = CameraTopic(settings.kafkaport, topic_name, settings.kafkaconfig)
    service.repeat("cameras", topic.step)
    service.on_stop(topic.close)

    group = CameraGroup(
        settings.groupname,
        topic_name,
        me,
        beats=settings.topicnamemembers,
        bootstrap=settings.kafkaport,
        extra=settings.kafkaconfig,
    )
    service.on_stop(group.close)

    def make(name: str, how: How, workers: WorkerGroup, numbers: Iterator[int]) -> Capture:
        return Capture(
            name,
            how,
            settings,
            workers,
            publisher=publisher,
            ledger=ledger,
            numbers=numbers,
            run=run,
            alone=False,
        )

    reporter = Reporter(
        client,
        settings.topicnamestatus,
        Subject("producer", me),
        service.condition,
        health=settings.healthport,
        bootstrap=settings.kafkaport,
        extra=settings.kafkaconfig,
        figures=Rates(ledger).figures,
    )

    def added(place: Place) -> None:
        reporter.add(Subject("producer", me, place.name), place.condition, place.interval)

    def removed(place: Place, has_moved: bool) -> None:
        reporter.drop(Subject("producer", me, place.name), has_moved=has_moved)

    captures = Captures(
        make,
        service.group,
        added,
        removed,
        alone_since=group.alone_since,
        given_away=group.given_away,
    )

    def write_own(final: bool) -> bool:
        partitions = _partitions(client, settings.topicname) if settings.source else 0
        if settings.source and not (partitions or final):
            return False
        if record := own_record(settings, seal, topic.cameras.copy(), partitions):
            topic.put(settings.cameraname, record)
        if demo := demo_record(settings, seal, topic.cameras.copy()):
            topic.put(*demo)
        return True

    follower = Follower(
        topic, group, wishes=Wishes(settings, seal), captures=captures, ledger=ledger, own=write_own
    )
    service.work("share", follower.run)
    service.work("status", reporter.run)
    service.on_stop(reporter.close)
    service.require(publisher.unready)
    service.require(follower.unready)
    service.note(captures.lines)
    service.export(metrics.CamerasUp(captures.states))


def _partitions(client: Producer, topic: str) -> int:
    """Return how many partitions a topic has; 0 if that is not known. It takes half a second at most."""
    try:
        found = client.list_topics(timeout=0.5).topics.get(topic)
    except KafkaException:
        return 0
    return len(found.partitions) if found else 0

"""Logouts on a real Kafka that compacts their topic."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.access import logouts
from pipeline.access.logout_topic import LogoutTopic
from pipeline.access.logouts import Logout, Logouts
from pipeline.access.users import Users
from pipeline.kafka import clients
from pipeline.kafka.topics import COMPACTED, Topic
from tests.parts import wait_for
from tests.topic import held, write
from tests.video.test_logout import Site, write_users

NUDGE = b"nudge"
"""The key of records that close segments: the last one is never compacted."""


class Kafka:
    """A topic that is compacted as soon as Kafka looks for something to compact, every 15 s."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.topic = f"logouts-{uuid.uuid4().hex[:8]}"
        admin = AdminClient({"bootstrap.servers": bootstrap})
        soon = {"segment.ms": "500", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "100"}
        new = NewTopic(self.topic, num_partitions=1, config={**COMPACTED, **soon})
        admin.create_topics([new])[self.topic].result(30)

    def records(self) -> list[tuple[bytes, bytes | None]]:
        """Return what the topic holds now."""
        return [(key, value) for key, value in held(self.bootstrap, self.topic) if key != NUDGE]

    def compact(self, most: int) -> None:
        """Wait until the topic holds no more records than this."""

        def is_compacted() -> bool:
            write(self.bootstrap, self.topic, (NUDGE, b""))
            return len(self.records()) <= most

        wait_for(is_compacted, 120, "the compaction")


def follow(topic: LogoutTopic, until: Callable[[], bool]) -> None:
    """Read and write until something holds."""

    def holds() -> bool:
        topic.step()
        return until()

    wait_for(holds, 30, "the logouts")


@pytest.fixture
def kafka(kafka_bootstrap: str) -> Kafka:
    """The topic."""
    return Kafka(kafka_bootstrap)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as stack:
        yield stack


def test_a_logout_holds_on_all_servers_and_after_a_compaction_and_restarts(
    kafka: Kafka, tmp_path: Path, stack: ExitStack
) -> None:
    site, topic = Site(tmp_path, stack), {"TOPICNAMELOGOUTS": kafka.topic}
    one, two = (site.start(kafka.bootstrap, **topic) for _ in range(2))
    stolen, kept = one.log_in(), two.log_in()
    one.log_out(stolen)
    two.wait(stolen, 401)
    records = kafka.records()
    write(kafka.bootstrap, kafka.topic, *records * 10)

    kafka.compact(len(records))
    one.service.kill()
    assert two.service.stop() == 0

    assert dict(kafka.records()) == dict(records)
    for server in [site.start(kafka.bootstrap, **topic) for _ in range(2)]:
        server.wait(kept, 200)
        assert server.status(stolen) == 401


def test_many_logouts_of_a_user_leave_few_records(
    kafka: Kafka, tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logouts, "_MOST", 3)
    users = Users(write_users(tmp_path))

    def start() -> tuple[Logouts, LogoutTopic]:
        known = Logouts(users)
        reads = {"auto.offset.reset": "earliest", "enable.partition.eof": True}
        source = clients.consumer(kafka.bootstrap, "video", 0.005, reads)
        producer = clients.producer(kafka.bootstrap, "none", {"acks": "all"})
        topic = LogoutTopic(source, producer, Topic(kafka.topic, COMPACTED, pytest.fail), known)
        stack.enter_context(closing(topic))
        follow(topic, lambda: known.are_known)
        return known, topic

    here, topic = start()
    began = here.before("").begun
    made = [Logout("ann", began + number, f"id {number}") for number in range(10)]

    async def log_out() -> None:
        for logout in made:
            stored = asyncio.to_thread(
                follow, topic, lambda: not topic._records.unsent and not topic._needless
            )
            await asyncio.gather(here.end(logout), stored)

    asyncio.run(log_out())
    left = [here.before(""), here.before("ann"), *made[7:]]
    kafka.compact(len(left))

    assert Counter(key for key, _ in kafka.records()) == Counter(here.key(each) for each in left)
    later, _ = start()
    assert all(map(later.cover, made))
    assert not later.cover(Logout("ann", began + 7, "another"))
    assert len(kafka.records()) == len(left)

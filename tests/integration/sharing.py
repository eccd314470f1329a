"""Producers that share the cameras of a topic on a real Kafka, and what they publish."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.cimpl import NewTopic

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.topic import CameraTopic, partition_for
from tests.integration.conftest import Pipeline
from tests.integration.watcher import Watcher
from tests.parts import Service, wait_for

_PARTITIONS: Final = 16


class Site:
    """Producers that share the cameras of a topic, and what they publish."""

    def __init__(self, pipeline: Pipeline, film: Path, enter: Callable[[Any], Any]) -> None:
        self.pipeline = pipeline
        self.film = film
        self._count = 0
        self.producers: list[Service] = []
        self.lines: list[str] = []  # the last ones of producers that have stopped
        self.topic = CameraTopic(pipeline.bootstrap, f"cameras-{pipeline.topic_in}", {})
        admin = AdminClient({"bootstrap.servers": pipeline.bootstrap})
        names = pipeline.topic_in, pipeline.topic_out
        for created in admin.create_topics([NewTopic(each, _PARTITIONS, 1) for each in names]).values():
            created.result(20)
        for name in names:
            wait_for(
                lambda: len(admin.list_topics(timeout=5).topics[name].partitions) == _PARTITIONS,  # noqa: B023
                20,
                "the topic",
            )
        self.watcher: Watcher = enter(Watcher(pipeline.bootstrap, pipeline.topic_in))
        self.labelled: Watcher = enter(Watcher(pipeline.bootstrap, pipeline.topic_out))
        assert self.topic.catch_up(20)

    def limit(self, topic: str, size: int) -> None:
        """Let a topic accept messages of at most `size` bytes."""
        entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        admin = AdminClient({"bootstrap.servers": self.pipeline.bootstrap})
        admin.incremental_alter_configs([resource])[resource].result(20)

    def put(self, *names: str, **fields: Any) -> None:
        """Add cameras, or change them."""
        for name in names:
            before = self.topic.cameras.get(name)
            if not isinstance(before, CameraRecord):
                partition = partition_for(_PARTITIONS, self.topic.cameras.values())
                before = CameraRecord(link=str(self.film), interval=0.1, partition=partition)
            record = before.model_copy(update=fields)
            self.topic.put(name, record)
            wait_for(lambda: self.followed(name) == record, 20, f"the record of {name}")  # noqa: B023

    def remove(self, name: str) -> None:
        """Remove a camera."""
        self.topic.remove(name)
        wait_for(lambda: self.followed(name) is None, 20, "the tombstone")

    def followed(self, name: str) -> CameraRecord | RecordError | None:
        """Read on, and return a camera's record."""
        self.topic.step()
        return self.topic.cameras.get(name)

    def start(self, count: int, **settings: str) -> list[Service]:
        """Start producers, and wait until they are ready."""
        started = []
        for _ in range(count):
            self._count += 1
            producer = self.pipeline.producer(
                f"{self._count}",
                "",
                **{
                    "CAMERASTOPIC": self.topic.name,
                    "TOPICNAMEMEMBERS": f"members-{self.pipeline.topic_in}",
                    "LINKSCHEMES": "file,rtsp,http",
                    "CAMERANAME": "",
                    **settings,
                },
            )
            started.append(producer)
        self.producers += started
        for producer in started:
            producer.ready(60)
        return started

    def stop(self, producer: Service) -> None:
        """Stop a producer as Kubernetes would."""
        self.producers.remove(producer)
        assert producer.stop() == 0
        self.lines.append(producer.text.strip().splitlines()[-1])

    def kill(self, producer: Service) -> None:
        """Kill a producer."""
        self.producers.remove(producer)
        producer.kill()

    def sizes(self) -> list[int]:
        """Return how many cameras each producer captures."""
        return [round(each.metric("streamlens_cameras_captured ")) for each in self.producers]

    def wait_until_shared(self, cameras: int = 16) -> None:
        """Wait until the producers share the cameras evenly."""

        def is_even() -> bool:
            sizes = self.sizes()
            return sum(sizes) == cameras and max(sizes) - min(sizes) <= 1

        wait_for(is_even, 60, f"an even share instead of {self.sizes()}")

    def wait_until_all_move(self, cameras: Collection[str], since: float) -> None:
        """Wait until each camera has sent a frame that was captured after a time, in s since the epoch."""
        wait_for(lambda: self.watcher.moves(cameras, since), 60, f"frames of {cameras}")

"""A group of processes on Kafka: sends a member's beats, and receives those of all."""

import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaException, Message

from pipeline.kafka import clients
from pipeline.kafka.members import BEAT, Members
from pipeline.kafka.topics import BEATS, Topic


class Group:
    """The group `name`, whose members share the partitions of the topic `of`, as seen by the member `me`.

    Beats travel on the topic `beats`, on the frames' brokers: `bootstrap`, with the settings `extra`. All
    methods are for one thread.
    """

    def __init__(
        self, name: str, of: str, me: str, *, beats: str, bootstrap: str, extra: dict[str, Any]
    ) -> None:
        self._name = name
        self._of = of
        self._bootstrap = bootstrap
        self.topic = Topic(beats, BEATS, lambda: clients.admin(bootstrap, extra))
        self._key = f"{name}/{of}".encode()
        # While a beat waits for a leader, one is searched for at once.
        self._producer = clients.producer(bootstrap, "none", {**clients.UNHURRIED, **extra})
        self._members = Members(me)
        self._beat_at = 0.0

    def share(self, partitions: Collection[int]) -> set[int] | None:
        """Return which of the partitions to read now; None to leave it as it is. Beats if that is due."""
        share = self._members.share(partitions)
        self._beat()
        return share

    def present(self, *, joining: bool) -> tuple[str, ...] | None:
        """Return the members that share now; see `Members.present`. Beats if that is due."""
        present = self._members.present(joining=joining)
        self._beat()
        return present

    def surplus(self, partitions: int) -> str:
        """Return in one line that there are too few partitions for this member to read one."""
        count = self._members.count
        return (
            f"topic {self._of} has {partitions} partitions for the {count} members of group {self._name}, so"
            f" this one has nothing to do: run fewer, or kafka-topics.sh --bootstrap-server {self._bootstrap}"
            f" --alter --topic {self._of} --partitions {count}"
        )

    def last_heard(self, member: str) -> float | None:
        """Return when another member was heard last; see `Members.last_heard`."""
        return self._members.last_heard(member)

    def say(self, value: bytes, about: str) -> None:
        """Send the members something else than a beat."""
        if self.topic.is_there:
            self._send(value, self.key_of(about))

    def key_of(self, about: str) -> bytes:
        """Return the key of what `say` sends."""
        return self._key + b"/" + about.encode()

    def _beat(self) -> None:
        now = time.monotonic()
        if self.topic.is_there and now >= self._beat_at:
            self._beat_at = now + BEAT
            self._send(self._members.beat(), self._key)
        self._producer.poll(0)  # also while Kafka is away: errors would pile up

    def take(self, message: Message) -> None:
        """Take a message of the topic."""
        if message.key() == self._key:
            self._members.hear(message.value() or b"")

    def close(self) -> None:
        """Leave the group, which takes half a second at most."""
        if self.topic.is_there:
            self._send(self._members.leave(), self._key)
            self._producer.flush(0.5)

    def _send(self, value: bytes, key: bytes) -> None:
        with suppress(BufferError, KafkaException):  # while Kafka is away; the next one follows
            self._producer.produce(self.topic.name, value, key, partition=0)

"""Follows topics from their beginnings, without a consumer group."""

import time
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from pipeline.kafka.causes import Causes

_WAIT: Final = 0.2  # s
_LOOK_EVERY: Final = 2.0  # s between two looks for partitions

Offsets = dict[int, int]
"""The next offset of each partition."""


class Follower:
    """Reads topics from their beginnings, without a group, also if they do not exist yet."""

    def __init__(self, consumer: Consumer, causes: Causes) -> None:
        self._consumer = consumer
        self._causes = causes
        self._topics = dict[str, Offsets]()
        self._known = set[tuple[str, int]]()
        self._read = set[tuple[str, int]]()
        self._look_at = 0.0
        self.trouble: str | None = None
        """Why a topic cannot be read, in one line."""

    def add(self, topic: str, offsets: Offsets | None = None) -> None:
        """Follow a topic, from offsets where they are known."""
        if topic not in self._topics:
            self._topics[topic] = dict(offsets or {})
            self._look_at = 0.0

    def remove(self, topic: str) -> None:
        """Follow a topic no longer."""
        if self._topics.pop(topic, None) is not None:
            places = {place for place in self._known if place[0] == topic}
            self._consumer.incremental_unassign([TopicPartition(*place) for place in places])
            self._known -= places
            self._read -= places

    def offsets(self, topic: str) -> Offsets:
        """Return where the reading of a topic is."""
        return dict(self._topics[topic])

    def is_at_end(self, topic: str) -> bool:
        """Return whether all that a topic had was read once."""
        places = {place for place in self._known if place[0] == topic}
        return bool(places) and places <= self._read

    def poll(self) -> Message | None:
        """Return the next message of any topic; None if there is none for a fifth of a second."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_EVERY
            self.trouble = next(filter(None, map(self._look, self._topics)), None)
        message = self._consumer.poll(_WAIT)
        if message is None:
            return None
        place = message.topic() or "", message.partition() or 0
        if (error := message.error()) is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._read.add(place)
            return None
        if place[0] not in self._topics:
            return None
        self._topics[place[0]][place[1]] = (message.offset() or 0) + 1
        return message

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _look(self, topic: str) -> str | None:
        """Read partitions that are new; return why the topic cannot be read, if that is so."""
        try:
            found = self._consumer.list_topics(topic, timeout=5).topics[topic]
        except KafkaException as error:
            return self._causes.of(error.args[0], topic, "read")
        new = {(topic, number) for number in found.partitions} - self._known
        if new:
            begin = self._topics[topic]
            places = [TopicPartition(*each, begin.get(each[1], OFFSET_BEGINNING)) for each in sorted(new)]
            self._consumer.incremental_assign(places)
            self._known |= new
        if found.error is None or found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None
        return self._causes.of(found.error, topic, "read")

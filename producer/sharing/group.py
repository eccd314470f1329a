"""The group of producers on Kafka: beats and plans come and go on one topic."""

import time
from collections.abc import Collection
from typing import Any, Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message, TopicPartition

from pipeline.kafka import clients
from pipeline.kafka.group import Group
from producer.sharing.shares import Shares

_STOPPED: Final = 1.5  # s without a step after which the others may have taken over
_PLAN: Final = "plan"


class CameraGroup:
    """Shares the cameras of the topic `of` with the other producers of the group `name`.

    Beats travel on the topic `beats` at `bootstrap`; `extra` is `KAFKACONFIG`. All methods are for one
    thread.
    """

    def __init__(
        self, name: str, of: str, me: str, *, beats: str, bootstrap: str, extra: dict[str, Any]
    ) -> None:
        self._group = Group(name, of, me, beats=beats, bootstrap=bootstrap, extra=extra)
        self._plans = self._group.key_of(_PLAN)
        self._consumer = clients.consumer(bootstrap, name, 0.1, {"allow.auto.create.topics": False, **extra})
        self._shares = Shares(me)
        self._stepped = time.monotonic()
        self.is_awake = True
        """Whether this process has run all the time, as far as the others can tell."""

    def alone_since(self, camera: str) -> float | None:
        """Return since when a camera of this producer is without frames; see `Shares.alone_since`."""
        return self._shares.alone_since(camera, self._group.last_heard)

    def given_away(self, camera: str) -> float | None:
        """Return how many seconds ago a camera was given to another producer; None if it was not."""
        return self._shares.given_away(camera)

    def step(self, cameras: Collection[str]) -> set[str] | None:
        """Return which of these cameras to capture now, or None to leave it as it is.

        Waits a tenth of a second at most; while the topic does not exist, three seconds.
        """
        now = time.monotonic()
        if now - self._stepped > _STOPPED:
            self.is_awake = False
        self._stepped = now
        if not self._group.topic.is_there:
            if not self._group.topic.prepare(self._consumer):
                return None
            clients.from_the_end(self._consumer, [TopicPartition(self._group.topic.name, 0)])
            self._stepped = time.monotonic()
        for message in self._consumer.consume(100, 0.05):
            self._take(message)
        # Before there is a plan, producers that start together wait for each other.
        present = self._group.present(joining=not self._shares.has_plan)
        if present is None:
            return None
        if plan := self._shares.next_plan(cameras, present):
            self._group.say(plan, _PLAN)
        share = self._shares.share(cameras)
        self.is_awake |= share is not None
        return share

    def unready(self) -> str | None:
        """Return why this producer has no share yet, in one line, or None."""
        if self._shares.is_assigned:
            return None
        return self._group.topic.trouble or "the producers have not shared the cameras yet"

    def leave(self) -> None:
        """Hand over to the others, which takes half a second at most."""
        self._group.close()

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def _take(self, message: Message) -> None:
        if message.error() is not None:
            return
        if message.key() != self._plans:
            self._group.take(message)
            return
        kind, milliseconds = message.timestamp()
        at = time.time() if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds / 1000
        self._shares.hear(message.value() or b"", at)

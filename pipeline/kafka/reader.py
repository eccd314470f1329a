"""Reads frames from a topic and hands each on at once."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Set
from typing import Final, cast

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from pipeline.flow.ledger import Ledger
from pipeline.kafka import clients
from pipeline.kafka.backlog import Backlog
from pipeline.kafka.causes import Causes
from pipeline.kafka.group import Group
from pipeline.kafka.intake import Intake
from pipeline.kafka.obstacle import Obstacle
from pipeline.kafka.steady import SteadyConsumer
from pipeline.wire import largest
from pipeline.wire.frame import Frame

log = logging.getLogger(__name__)

_ASK_EVERY: Final = 1.0  # s
_LOOK_FIRST: Final = 0.2  # s between two looks for partitions while there are none
_LOOK_EVERY: Final = 30.0  # s, later
_SHARE_EVERY: Final = 0.1  # s
_STOPPED: Final = 5.0  # s between two steps, more than any step takes
# Fetched at once: asking for each message alone takes longer than passing over it.
_MOST_AHEAD: Final = 500
_SMALL: Final = 10_000  # bytes; of larger messages, only one is held at a time
_LONGEST_STEP: Final = 0.02  # s
_WAITED: Final = 0.001  # s that a message takes which is not there yet


class Reader:
    """Reads one topic from its end; what becomes of its messages is up to `Intake`.

    It reads its share of the partitions if it is a member of a `group`, otherwise all. `on_broker` is called
    in the reader's thread: with what keeps the reader from its topic whenever that changes, and with None
    when nothing does any more. `causes` are those of `consumer`.
    """

    def __init__(
        self,
        consumer: Consumer,
        topic: str,
        sink: Callable[[str, Frame], object],
        ledger: Ledger,
        most_cameras: int,
        *,
        most_pixels: int = largest.MOST_PIXELS,
        group: Group | None = None,
        camera_ttl: float = math.inf,
        causes: Causes | None = None,
        on_broker: Callable[[str | None], None] | None = None,
        on_forget: Callable[[str], None] | None = None,
    ) -> None:
        self._consumer = consumer
        self._began = ledger.began
        cast("SteadyConsumer", consumer).on_replace = ledger.began
        self._topic = topic
        self._group = group
        self._backlog = Backlog(consumer, topic)
        self._intake = Intake(sink, ledger, most_cameras, camera_ttl, on_forget, most_pixels=most_pixels)
        self._obstacle = Obstacle(topic, causes or Causes(""), on_broker)
        self._known: set[int] = set()  # partitions
        self._partitions: set[int] = set()  # those that are read
        self._joined = group is None  # possibly without a partition, if the group has more members than those
        self._in_use = False
        self._asked = 0.0
        self._came = time.monotonic()
        self._look_at = 0.0  # when to look for more partitions
        self._share_at = 0.0  # when to look which of them to read
        self._ahead: deque[Message] = deque()  # fetched, but not read yet
        self._stepped = time.monotonic()

    def step(self, wait: float = 0.2) -> bool:
        """Read a message and the small ones behind it, waiting at most `wait` s; return whether one came."""
        self._intake.tidy()
        now = time.monotonic()
        if now - self._stepped > _STOPPED:  # what has waited meanwhile is old
            self._skip([TopicPartition(self._topic, number) for number in sorted(self._partitions)])
        self._stepped = now
        if now >= self._look_at:
            self._ask()
        if now >= self._share_at:
            self._share_at = now + _SHARE_EVERY
            self._take_share()
        if not self._ahead and not self._fetch(wait):
            self._backlog.idle(self._partitions)
            if self._time_to_ask():
                self._ask()
            return False
        until = time.monotonic() + _LONGEST_STEP
        while self._ahead:
            self._read(self._ahead.popleft())
            if time.monotonic() >= until:
                break
        self._skip(self._backlog.to_skip(self._partitions))
        return True

    @property
    def partitions(self) -> int:
        """How many partitions the topic has; 0 if that is not known yet."""
        return len(self._known)

    def configure(self, cameras: Iterable[str]) -> None:
        """Set which cameras keep their places however long they are silent; from any thread."""
        self._intake.configure(cameras)

    def forget(self, camera: str) -> None:
        """Forget a camera at the next step; from any thread. A later frame of it makes it a new camera."""
        self._intake.forget(camera)

    def unready(self) -> str | None:
        """Return why no frames arrive, or None if they do or if other members of the group read them."""
        if self._obstacle.why:
            return self._obstacle.why
        if not self._known:
            return f"topic {self._topic} has no partitions yet"
        if not self._joined:
            why = self._group.topic.trouble if self._group else None
            return why or f"the readers of topic {self._topic} are not known yet"
        waiting = self._partitions and not self._intake.has_frames and not self._in_use
        return f"no frame has come on topic {self._topic} yet" if waiting else None

    def surplus(self) -> str | None:
        """Return in one line that the group has more members than the topic has partitions, or None."""
        is_idle = self._joined and self._known and not self._partitions
        return self._group.surplus(len(self._known)) if self._group is not None and is_idle else None

    def close(self) -> None:
        """Leave the group, and close the consumer."""
        if self._group is not None:
            self._group.close()
        self._consumer.close()

    def _fetch(self, wait: float) -> bool:
        """Fetch a message, and small ones that have come, too; return whether one came."""
        begun = time.monotonic()
        message = self._consumer.poll(wait)
        if message is None:
            return False
        if time.monotonic() - begun > _WAITED:  # nothing was there
            self._backlog.idle(self._partitions)
        fetched = [message]
        if len(message) < _SMALL:
            fetched += self._consumer.consume(_MOST_AHEAD - 1, 0)
        if self._backlog.passes_over:
            count = len(fetched)
            fetched = [each for each in fetched if self._is_wanted(each)]
            self._backlog.passed_over(count - len(fetched))
        self._ahead.extend(fetched)
        return True

    def _is_wanted(self, message: Message) -> bool:
        is_old = message.topic() == self._topic and self._backlog.is_old(message)
        return not is_old or message.error() is not None or self._intake.knows(message.key())

    def _read(self, message: Message) -> None:
        if problem := message.error():
            self._obstacle.met(problem, message.topic() or self._topic)
            return
        topic = message.topic()
        self._obstacle.passed(topic)
        if topic == self._topic:
            self._came = time.monotonic()
            self._backlog.read(is_frame=self._intake.take(message))
        elif self._group is not None:
            self._group.take(message)

    def _time_to_ask(self) -> bool:
        now = time.monotonic()
        return now - self._asked >= _ASK_EVERY and (self._without_frames() or now - self._came > _ASK_EVERY)

    def _without_frames(self) -> bool:
        return not (self._partitions and self._intake.has_frames)

    def _ask(self) -> None:
        # Subscribing does not create a topic (librdkafka#3395); asking for its metadata does, if the broker
        # allows it.
        self._asked = time.monotonic()
        self._share_at = 0.0
        self._look_at = self._asked + _ASK_EVERY
        problem = None
        answers = False
        try:
            topic = self._consumer.list_topics(self._topic, timeout=0.5).topics[self._topic]
            answers = True
            self._obstacle.causes.answered()
            self._known |= set(topic.partitions)
            problem = topic.error
            if self._group is not None:
                self._listen(self._group)
                if self._without_frames():
                    others = self._known - self._partitions
                    self._in_use = self._joined and any(map(self._holds_messages, others))
        except KafkaException as error:
            if not answers:
                problem = error.args[0]
        if answers:
            self._look_at = self._asked + (_LOOK_EVERY if self._known and self._hears() else _LOOK_FIRST)
        self._obstacle.found(problem, self._unreachable)

    def _unreachable(self) -> str | None:
        """Return why the broker that has the messages cannot be reached, although another one answers."""
        why = self._obstacle.causes.why()
        if not why or not self._known or not self._without_frames():
            return None
        try:
            self._holds_messages(min(self._known))
        except KafkaException:
            return why
        return None

    def _hears(self) -> bool:
        return self._group is None or self._group.topic.is_there

    def _listen(self, group: Group) -> None:
        """Read the group's beats, once their topic exists."""
        if not group.topic.is_there and group.topic.prepare(self._consumer):
            clients.from_the_end(self._consumer, [TopicPartition(group.topic.name, 0)])

    def _take_share(self) -> None:
        """Read the partitions that are this reader's share now, and no others."""
        share = self._known if self._group is None else self._group.share(self._known)
        if share is None or (share == self._partitions and self._joined):
            return
        self._joined = True
        if gone := [TopicPartition(self._topic, number) for number in self._partitions - share]:
            self._consumer.incremental_unassign(gone)
            self._drop_ahead(self._partitions - share)
        if new := [TopicPartition(self._topic, number) for number in sorted(share - self._partitions)]:
            clients.from_the_end(self._consumer, new)
            log.info("reading %s", ", ".join(f"{each.topic}[{each.partition}]" for each in new))
        self._partitions = set(share)
        self._began()
        if surplus := self.surplus():
            log.warning("%s", surplus)

    def _skip(self, partitions: list[TopicPartition]) -> None:
        """Continue with the newest frames."""
        if partitions:
            self._consumer.incremental_unassign(partitions)
            self._drop_ahead({each.partition for each in partitions})
            clients.from_the_end(self._consumer, partitions)
            self._began()

    def _drop_ahead(self, partitions: Set[int]) -> None:
        """Drop what has been fetched from partitions of the topic, but not read."""
        kept = (
            each for each in self._ahead if each.topic() != self._topic or each.partition() not in partitions
        )
        self._ahead = deque(kept)

    def _holds_messages(self, partition: int) -> bool:
        place = TopicPartition(self._topic, partition)
        return bool(self._consumer.get_watermark_offsets(place, timeout=0.5)[1])

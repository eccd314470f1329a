"""Reads frames from a topic and hands each on at once."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka import Message as Received
from prometheus_client import Counter

from pipeline.flow.ledger import Ledger
from pipeline.flow.places import Places
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from pipeline.kafka.group import Group
from pipeline.service.logs import Seldom
from pipeline.wire.frame import Frame, FrameError, Message, decode

log = logging.getLogger(__name__)

_POISON = Counter("streamlens_poison_messages", "Messages that are not frames", ["kind"])
_ASK_EVERY: Final = 1.0  # s
_LOOK_FIRST: Final = 0.2  # s between two looks for partitions while there are none
_LOOK_EVERY: Final = 30.0  # s, later
_EXPIRE_EVERY: Final = 1.0  # s
_SHARE_EVERY: Final = 0.1  # s
_STOPPED: Final = 5.0  # s between two steps, more than any step takes
_LASTING: Final = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED}
_OUTDATED: Final = 2.0  # s in which older frames are dropped; if no newer one comes, a clock was set back


class Reader:
    """Reads one topic from its end; a message that is not a frame is counted, logged and skipped.

    It reads its share of the partitions if it is a member of a `group`, otherwise all. A frame that is older
    than the camera's last one is dropped: for a moment, two members may have passed on the same frames.

    At most `most_cameras` cameras have a place; one that is not configured and silent for `camera_ttl` s is
    forgotten, here and in the ledger. Then `on_forget` is called with its name, in the reader's thread.
    `on_broker` is called in that thread as well: with what keeps the reader from its topic whenever that
    changes, and with None when nothing does any more. `causes` are those of `consumer`.
    """

    def __init__(
        self,
        consumer: Consumer,
        topic: str,
        sink: Callable[[str, Frame], object],
        ledger: Ledger,
        most_cameras: int,
        *,
        group: Group | None = None,
        camera_ttl: float = math.inf,
        causes: Causes | None = None,
        on_broker: Callable[[str | None], None] | None = None,
        on_forget: Callable[[str], None] | None = None,
    ) -> None:
        self._consumer = consumer
        self._topic = topic
        self._sink = sink
        self._ledger = ledger
        self._most_cameras = most_cameras
        self._group = group
        self._places = Places(most_cameras, camera_ttl, self._left)
        self._causes = causes or Causes("")
        self._on_broker = on_broker
        self._on_forget = on_forget
        self._to_forget: deque[str] = deque()
        self._expire_at = 0.0
        self._seen = False  # whether a frame has come
        self._known: set[int] = set()  # partitions
        self._partitions: set[int] = set()  # those that are read
        self._joined = group is None  # possibly without a partition, if the group has more members than those
        self._in_use = False
        # When each camera's last frame was captured, and came.
        self._newest: dict[str, tuple[int, float]] = {}
        self._asked = 0.0
        self._came = time.monotonic()
        self._trouble: str | None = None  # what keeps this reader from its topic
        self._refused: dict[str, str] = {}  # why messages may not be read, by topic, until some come
        self._seldom = Seldom(log)
        self._look_at = 0.0  # when to look for more partitions
        self._share_at = 0.0  # when to look which of them to read
        self._stepped = time.monotonic()

    def step(self, wait: float = 0.2) -> bool:
        """Read one message, waiting for it at most `wait` s; return whether there was one."""
        self._forget()
        now = time.monotonic()
        if now - self._stepped > _STOPPED:
            self._skip()
        self._stepped = now
        if now >= self._look_at:
            self._ask()
        if now >= self._share_at:
            self._share_at = now + _SHARE_EVERY
            self._take_share()
        message = self._consumer.poll(wait)
        if message is None:
            if self._time_to_ask():
                self._ask()
            return False
        if problem := message.error():
            self._note(problem, message.topic() or self._topic)
        elif message.topic() == self._topic:
            self._take(message)
        elif self._group is not None:
            self._refused.pop(self._group.topic.name, None)
            self._group.take(message)
        return True

    def configure(self, cameras: Iterable[str]) -> None:
        """Set which cameras keep their places however long they are silent; from any thread."""
        self._places.configure(cameras)

    def forget(self, camera: str) -> None:
        """Forget a camera at the next step; from any thread. A later frame of it makes it a new camera."""
        self._to_forget.append(camera)

    def unready(self) -> str | None:
        """Return why no frames arrive, or None if they do or if other members of the group read them."""
        if self._trouble:
            return self._trouble
        if not self._known:
            return f"topic {self._topic} has no partitions yet"
        if not self._joined:
            why = self._group.topic.trouble if self._group else None
            return why or f"the readers of topic {self._topic} are not known yet"
        waiting = self._partitions and not self._seen and not self._in_use
        return f"no frame has come on topic {self._topic} yet" if waiting else None

    def close(self) -> None:
        """Leave the group, and close the consumer."""
        if self._group is not None:
            self._group.close()
        self._consumer.close()

    def _time_to_ask(self) -> bool:
        now = time.monotonic()
        return now - self._asked >= _ASK_EVERY and (self._without_frames() or now - self._came > _ASK_EVERY)

    def _without_frames(self) -> bool:
        return not (self._partitions and self._seen)

    def _ask(self) -> None:
        # Subscribing does not create a topic (librdkafka#3395); asking for its metadata does, if the broker
        # allows it.
        self._asked = time.monotonic()
        self._share_at = 0.0
        self._look_at = self._asked + _ASK_EVERY
        trouble = None
        answers = False
        try:
            topic = self._consumer.list_topics(self._topic, timeout=0.5).topics[self._topic]
            answers = True
            self._causes.answered()
            self._known |= set(topic.partitions)
            if topic.error is not None and topic.error.code() in _LASTING:
                trouble = self._causes.of(topic.error, self._topic, "read")
                self._say(trouble)
            if self._group is not None:
                self._listen(self._group)
                if self._without_frames():
                    others = self._known - self._partitions
                    self._in_use = self._joined and any(map(self._holds_messages, others))
        except KafkaException as error:
            if not answers:
                trouble = self._causes.of(error.args[0], self._topic, "read")
        trouble = trouble or next(iter(self._refused.values()), None) or self._unreachable()
        if answers:
            self._look_at = self._asked + (_LOOK_EVERY if self._known and self._hears() else _LOOK_FIRST)
        self._tell(trouble)

    def _unreachable(self) -> str | None:
        """Return why the broker that has the messages cannot be reached, although another one answers."""
        why = self._causes.why()
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
        if new := [TopicPartition(self._topic, number) for number in sorted(share - self._partitions)]:
            clients.from_the_end(self._consumer, new)
        self._partitions = set(share)

    def _skip(self) -> None:
        """Continue with the newest frames: this process was stopped, and what has waited meanwhile is old."""
        if partitions := [TopicPartition(self._topic, number) for number in sorted(self._partitions)]:
            self._consumer.incremental_unassign(partitions)
            clients.from_the_end(self._consumer, partitions)

    def _tell(self, trouble: str | None) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble is None:
                self._refused.clear()
            if self._on_broker is not None:
                self._on_broker(trouble)

    def _note(self, error: KafkaError, topic: str) -> None:
        """Note an error that came instead of a message."""
        # librdkafka looks for the coordinator of its group, which is not used here.
        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return
        text = self._causes.of(error, topic, "read")
        self._say(text)
        if error.code() in _LASTING:
            self._refused[topic] = text
            self._tell(text)

    def _say(self, trouble: str) -> None:
        if trouble != self._causes.why():  # which is logged already
            self._seldom.warning(trouble, trouble)

    def _holds_messages(self, partition: int) -> bool:
        place = TopicPartition(self._topic, partition)
        return bool(self._consumer.get_watermark_offsets(place, timeout=0.5)[1])

    def _take(self, message: Received) -> None:
        self._came = time.monotonic()
        self._tell(None)
        try:
            frame = _frame(message)
        except FrameError as error:
            _POISON.labels(error.kind).inc()
            place = f"{message.topic()}[{message.partition()}] at {message.offset()}"
            self._seldom.warning(error.kind, f"message of {place} skipped: {error}")
            return
        self._admit(frame)

    def _admit(self, frame: Frame) -> None:
        if not self._places.hear(frame.camera, self._came):
            if not self._places.take(frame.camera, self._came):
                text = f"frame of {frame.camera} skipped: there are {self._most_cameras} cameras (MAXCAMERAS)"
                _POISON.labels("too_many_cameras").inc()
                self._seldom.warning("too_many_cameras", text)
                return
            log.info("first frame of %s: %d x %d", frame.camera, frame.width, frame.height)
        self._seen = True
        self._ledger.came(frame.camera)
        captured, came = self._newest.get(frame.camera, (0, 0.0))
        if frame.captured < captured and self._came - came < _OUTDATED:
            self._ledger.dropped(frame.camera, "outdated")
            return
        self._newest[frame.camera] = frame.captured, self._came
        self._sink(frame.camera, frame)

    def _forget(self) -> None:
        while self._to_forget:
            self._places.leave(self._to_forget.popleft())
        now = time.monotonic()
        if now >= self._expire_at:
            self._expire_at = now + _EXPIRE_EVERY
            self._places.expire(now)

    def _left(self, camera: str) -> None:
        self._ledger.forget(camera)
        self._newest.pop(camera, None)
        log.info("camera %s forgotten", camera)
        if self._on_forget is not None:
            self._on_forget(camera)


def _frame(message: Received) -> Frame:
    try:
        headers = dict(message.headers() or [])
    except SystemError as error:  # how confluent_kafka reports a header's name that is not UTF-8
        raise FrameError("bad_header", f"a header cannot be read: {error.__cause__ or error}") from None
    texts = [(name, value) for name, value in headers.items() if isinstance(value, bytes)]
    kind, milliseconds = message.timestamp()
    timestamp = time.time_ns() if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds * 1_000_000
    parts = Message(message.key(), message.value() or b"", texts)
    return decode(parts, offset=message.offset() or 0, timestamp=timestamp)

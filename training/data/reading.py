"""Reads ranges of Kafka topics into arrays: exactly their messages, all partitions at once."""

import itertools
import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from training.data.cursor import Cursor
from training.data.errors import DataError, DeletedError
from training.data.filling import Filling
from training.data.formats import Decoder
from training.data.offsets import unfilled
from training.data.places import stream_order
from training.data.ranges import Range
from training.data.samples import Samples

log = logging.getLogger(__name__)

CACHE_MEMORY: Final = 2**30
"""Bytes of samples that are kept in memory."""

_LOOK_EVERY: Final = 1.0  # s between two looks at ranges that are not full yet
_WAIT: Final = 0.2  # s for messages
_SILENT: Final = 2.0  # s without messages until it is found out why
_REPORT_EVERY: Final = 0.1  # s
_AT_ONCE: Final = 4_096  # messages
# Bytes of messages that are decoded at a time, about: what fits into a processor's cache.
_BYTES: Final = 2**20

_CONFIG: Final = {
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    # Without it, asking for a topic could create it.
    "allow.auto.create.topics": False,
    "queued.max.messages.kbytes": 64 * 1024,
}
_PASSING: Final = {KafkaError.GROUP_AUTHORIZATION_FAILED}  # of the group, which is not used
_LOST: Final = {KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET}
_FINAL: Final = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART}

_Place = tuple[str, int]
Progress = Callable[[int, int], object]


def read(
    ranges: Sequence[Range],
    decoder: Decoder,
    bootstrap: str,
    *,
    config: Mapping[str, Any] | None = None,
    memory: int = CACHE_MEMORY,
    folder: Path | None = None,
    classes: int | None = None,
    accepts_nan: bool = False,
    progress: Progress = lambda *_: None,
    waiting: Callable[[str], object] = lambda _: None,
) -> Samples:
    """Return the samples in exactly these ranges, in the order of the stream.

    They are in memory if they take at most `memory` bytes, otherwise in a file in `folder`. `progress` is
    called with the numbers of messages read and of all. While ranges are not full, or Kafka is away,
    `waiting` is called with the reason, each second or so; an exception in either ends the reading.

    Raises `DataError` for missing topics and partitions, and for a message that does not fit: of the wrong
    size, with NaN unless `accepts_nan`, or with a label that is not one of `classes`. Raises `DeletedError`
    if Kafka has deleted some of the messages.
    """
    wanted = [each for each in ranges if len(each)]
    if not wanted:
        raise DataError("the ranges are empty: send data first")
    causes = Causes(bootstrap)
    options = {**(config or {}), **_CONFIG}
    consumer = clients.consumer(bootstrap, "streamlens-training", _WAIT, options, causes)
    try:
        _wait_until_full(consumer, wanted, causes, waiting)
        filling = Filling(
            decoder,
            sum(map(len, wanted)),
            memory=memory,
            folder=folder,
            classes=classes,
            accepts_nan=accepts_nan,
        )
        _Reading(consumer, wanted, filling, causes=causes, progress=progress, waiting=waiting).run()
    finally:
        consumer.close()
    return filling.samples()


def _wait_until_full(
    consumer: Consumer, ranges: Sequence[Range], causes: Causes, waiting: Callable[[str], object]
) -> None:
    while True:
        try:
            why = unfilled(consumer, ranges)
        except KafkaException as error:
            consumer.poll(0.1)  # reports the causes
            why = causes.of(error.args[0], ranges[0].topic, "read")
        if why is None:
            return
        waiting(why)
        time.sleep(_LOOK_EVERY)


class _Reading:
    """Reads full ranges: several of one partition one after the other, partitions at once."""

    def __init__(
        self,
        consumer: Consumer,
        ranges: Sequence[Range],
        filling: Filling,
        *,
        causes: Causes,
        progress: Progress,
        waiting: Callable[[str], object],
    ) -> None:
        self._consumer = consumer
        self._ranges = ranges
        self._filling = filling
        self._causes = causes
        self._progress = progress
        self._waiting = waiting
        self._queues = defaultdict[_Place, deque[Cursor]](deque)
        for each, places in zip(ranges, stream_order([len(each) for each in ranges]), strict=True):
            self._queues[each.topic, each.partition].append(Cursor(each, places, each.start))
        self._one_topic = ranges[0].topic if len({each.topic for each in ranges}) == 1 else None
        self._total = sum(map(len, ranges))
        self._read = 0
        self._at_once = 64
        self._heard = self._reported = time.monotonic()

    def run(self) -> None:
        """Read all."""
        for place in self._queues:
            self._begin(place)
        self._filling.prepare()
        while self._queues:
            messages = self._consumer.consume(min(self._at_once, self._total - self._read), _WAIT)
            if messages:
                self._take(messages)
            elif time.monotonic() - self._heard > _SILENT:
                self._find_out()
        self._progress(self._read, self._total)

    def _begin(self, place: _Place) -> None:
        self._consumer.incremental_assign([TopicPartition(*place, self._queues[place][0].at)])

    def _take(self, messages: list[Message]) -> None:
        ended = set[_Place]()  # of which the rest of these messages does not count
        problems = list[Message]()
        if any(map(Message.error, messages)):
            problems = [each for each in messages if each.error() is not None]
            messages = [each for each in messages if each.error() is None]
        for place, run in self._runs(messages):
            if place in self._queues and place not in ended:
                self._store(self._queues[place][0], run)
                self._go_on(place, ended)
        for problem in problems:
            self._meet(problem, ended)
        now = time.monotonic()
        if messages:
            self._heard = now
        if now - self._reported > _REPORT_EVERY:
            self._reported = now
            self._progress(self._read, self._total)

    def _runs(self, messages: list[Message]) -> Iterator[tuple[_Place, list[Message]]]:
        """Yield the messages in runs of one partition."""
        if self._one_topic is not None:  # then no Python runs for each message
            for number, run in itertools.groupby(messages, Message.partition):
                yield (self._one_topic, number or 0), list(run)
        else:
            for place, run in itertools.groupby(messages, _place):
                yield place, list(run)

    def _store(self, cursor: Cursor, run: Sequence[Message]) -> None:
        before = cursor.at
        messages, places = cursor.cut(run)
        self._read += min(cursor.at, cursor.range.end) - before
        if messages:
            self._filling.take(messages, places)
            some = messages[:: len(messages) // 16 + 1]
            self._at_once = max(1, min(_AT_ONCE, _BYTES * len(some) // max(1, sum(map(len, some)))))

    def _go_on(self, place: _Place, ended: set[_Place]) -> None:
        """Begin the next range of a partition if this one is done."""
        queue = self._queues[place]
        if not queue[0].is_done:
            return
        queue.popleft()
        ended.add(place)
        self._consumer.incremental_unassign([TopicPartition(*place)])
        if queue:
            self._begin(place)
        else:
            del self._queues[place]

    def _meet(self, problem: Message, ended: set[_Place]) -> None:
        """Take an error that came instead of a message."""
        error = problem.error()
        place = _place(problem)
        if error is None or error.code() in _PASSING or place not in self._queues or place in ended:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            # The last offsets of a range may be those of a transaction's end, or of what was compacted.
            cursor = self._queues[place][0]
            if (problem.offset() or 0) >= cursor.range.end:
                self._read += cursor.range.end - cursor.at
                cursor.at = cursor.range.end
                self._go_on(place, ended)
        elif error.code() in _LOST:
            self._find_out()
            raise DataError(f"range {self._queues[place][0].range}: {error.str()}")
        elif error.code() in _FINAL:
            raise DataError(self._causes.of(error, place[0], "read"))

    def _find_out(self) -> None:
        """Say why no messages come; raise `DeletedError` if it is because they are no longer there."""
        rest = [
            Range(each.range.topic, each.range.partition, each.at, each.range.end)
            for queue in self._queues.values()
            for each in queue
        ]
        try:
            why = unfilled(self._consumer, rest)
        except DeletedError:
            unfilled(self._consumer, self._ranges)  # raises it for the whole ranges
            raise
        except KafkaException as error:
            why = self._causes.of(error.args[0], rest[0].topic, "read")
        self._waiting(why or self._causes.why() or f"topic {rest[0].topic}: Kafka sends no messages")
        self._heard = time.monotonic()


def _place(message: Message) -> _Place:
    return message.topic() or "", message.partition() or 0

import logging
import pkgutil
import signal
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from confluent_kafka import (
    OFFSET_END,
    OFFSET_INVALID,
    TIMESTAMP_CREATE_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from prometheus_client import REGISTRY

from pipeline.flow.ledger import Ledger
from pipeline.kafka import clients
from pipeline.kafka.causes import Causes, topic_cause
from pipeline.kafka.group import Group
from pipeline.kafka.reader import Reader
from pipeline.kafka.steady import SteadyConsumer
from pipeline.wire import largest, mat, picture
from pipeline.wire.frame import Frame
from tests.clock import SECOND, START, Clock
from tests.parts import embedded_broker, wait_for

PICTURE = np.full((48, 70, 3), (200, 100, 50), np.uint8)
JPEG = picture.encode(PICTURE, 85)

NOW = round(START) * SECOND  # of a `Clock`, in ns

NO_FRAME = "no frame has come on topic videocam yet"
AWAY = "topic videocam: Kafka does not answer"
MISSING = "topic videocam does not exist, and Kafka does not create it: use kafka-topics.sh --create"


class FakeMessage:
    def __init__(
        self,
        value: bytes | None,
        key: bytes | None = b"front",
        headers: list[tuple[str, bytes | None]] | None = None,
        error: KafkaError | None = None,
        topic: str = "videocam",
    ) -> None:
        self._topic = topic
        self._value, self._key, self._headers, self._error = value, key, headers, error

    def error(self) -> KafkaError | None:
        return self._error

    def value(self) -> bytes | None:
        return self._value

    def key(self) -> bytes | None:
        return self._key

    def __len__(self) -> int:
        return len(self._value or b"")

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        return TIMESTAMP_CREATE_TIME, NOW // 1_000_000

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return 17


class FakeConsumer:
    """Hands out the messages it was given, one a poll."""

    def __init__(self) -> None:
        self.messages: list[FakeMessage] = []
        self.waits: list[float] = []
        self.assigned: list[TopicPartition] = []
        self.asked: list[str] = []
        self.ends: dict[int, int] = {}
        self.ends_asked: list[int] = []
        self.read: defaultdict[int, int] = defaultdict(lambda: OFFSET_INVALID)
        self.from_the_end: list[int] = []
        self.trouble: KafkaException | None = None
        self.topic_trouble: KafkaError | None = None
        self.unknown: KafkaException | None = None
        self.closed = False

    def poll(self, timeout: float) -> FakeMessage | None:
        assert timeout <= 1
        self.waits.append(timeout)
        return self.messages.pop(0) if self.messages else None

    def consume(self, most: int, timeout: float) -> list[FakeMessage]:  # noqa: ARG002
        return []

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned += partitions
        self.from_the_end += [each.partition for each in partitions if each.offset == OFFSET_END]

    def incremental_unassign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = [partition for partition in self.assigned if partition not in partitions]

    def assignment(self) -> list[TopicPartition]:
        return self.assigned

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        assert timeout <= 1
        self.asked.append(topic)
        if self.trouble:
            raise self.trouble
        return SimpleNamespace(
            topics={topic: SimpleNamespace(partitions=self.ends, error=self.topic_trouble)}
        )

    def position(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(each.topic, each.partition, self.read[each.partition]) for each in partitions]

    def get_watermark_offsets(
        self, partition: TopicPartition, timeout: float = 0, cached: bool = False
    ) -> tuple[int, int]:
        if cached:
            return 0, self.ends[partition.partition]
        assert timeout <= 1
        self.ends_asked.append(partition.partition)
        if self.unknown:
            raise self.unknown
        return 0, self.ends[partition.partition]

    def close(self) -> None:
        self.closed = True


class FakeGroup:
    """A group that gives its member the partitions `mine`."""

    def __init__(self, mine: set[int] | None) -> None:
        self.mine = mine
        self.topic = self
        self.name = "members"
        self.is_there = False
        self.trouble: str | None = None
        self.can_be_there = True
        self.taken: list[FakeMessage] = []
        self.closed = False

    def prepare(self, _: Consumer) -> bool:
        self.is_there = self.can_be_there
        return self.is_there

    def share(self, partitions: set[int]) -> set[int] | None:
        return None if self.mine is None else self.mine & partitions

    def surplus(self, partitions: int) -> str:
        return f"{partitions} partitions"

    def take(self, message: FakeMessage) -> None:
        self.taken.append(message)

    def close(self) -> None:
        self.closed = True


class Kit:
    """A reader of at most two cameras, and its surroundings."""

    def __init__(
        self, group: FakeGroup | None = None, *, cameras: int = 2, pixels: int = largest.PIXELS
    ) -> None:
        self.consumer = FakeConsumer()
        self.consumer.ends = {0: 0}
        self.ledger = Ledger()
        self.frames: list[Frame] = []
        self.broker: list[str | None] = []
        self.forgotten: list[str] = []
        self.causes = Causes("k:9092")
        self.reader = Reader(
            cast("Consumer", self.consumer),
            "videocam",
            self._sink,
            self.ledger,
            most_cameras=cameras,
            most_pixels=pixels,
            group=cast("Group | None", group),
            camera_ttl=600,
            causes=self.causes,
            on_broker=self.broker.append,
            on_forget=self.forgotten.append,
        )

    def _sink(self, camera: str, frame: Frame) -> None:
        assert camera == frame.camera
        self.frames.append(frame)

    def read(self, *messages: FakeMessage) -> None:
        self.consumer.messages += messages
        for _ in messages:
            self.reader.step()


@pytest.fixture
def kit(clock: Clock) -> Kit:  # noqa: ARG001
    return Kit()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The reader's time; it passes only when a test moves it on."""
    clock = Clock()
    monkeypatch.setattr("pipeline.kafka.reader.time", clock)
    monkeypatch.setattr("pipeline.kafka.intake.time", clock)
    monkeypatch.setattr("pipeline.kafka.backlog.time", clock)
    return clock


@pytest.fixture
def silent(clock: Clock) -> Kit:  # noqa: ARG001
    """A reader of a partition from which a frame has come."""
    kit = Kit()
    kit.read(FakeMessage(JPEG))
    kit.consumer.asked.clear()
    return kit


def poison(kind: str) -> float:
    return REGISTRY.get_sample_value("streamlens_poison_messages_total", {"kind": kind}) or 0.0


def count_calls(monkeypatch: pytest.MonkeyPatch, name: str) -> list[object]:
    """Let a function note each of its calls in the list that is returned."""
    calls: list[object] = []
    function = pkgutil.resolve_name(name)

    def noted(*args: object) -> object:
        calls.append(args)
        return function(*args)

    monkeypatch.setattr(name, noted)
    return calls


def corrected(kind: str) -> float:
    return REGISTRY.get_sample_value("streamlens_frames_corrected_total", {"kind": kind}) or 0.0


def partitions(kit: Kit, topic: str = "videocam") -> set[int]:
    return {each.partition for each in kit.consumer.assigned if each.topic == topic}


def test_a_topic_is_read_whole_and_from_its_end(kit: Kit) -> None:
    kit.consumer.ends = {0: 5, 1: 0}

    kit.reader.step()

    assert partitions(kit) == {0, 1}
    assert {each.offset for each in kit.consumer.assigned} == {OFFSET_END}


def test_partitions_that_come_later_are_read_too(clock: Clock) -> None:
    kit = Kit()
    kit.consumer.ends = {}
    kit.reader.step()
    assert kit.consumer.assigned == []
    assert kit.reader.unready() == "topic videocam has no partitions yet"

    kit.consumer.ends = {0: 0}
    clock.now += 0.3
    kit.reader.step()
    kit.consumer.ends = {0: 0, 1: 0}
    clock.now += 31
    kit.read(FakeMessage(JPEG))

    assert partitions(kit) == {0, 1}


def test_a_topic_is_looked_for_until_the_broker_answers(clock: Clock) -> None:
    kit = Kit()
    kit.consumer.trouble = KafkaException(KafkaError(KafkaError._TRANSPORT))

    kit.reader.step()
    kit.reader.step()
    asked = len(kit.consumer.asked)
    kit.consumer.trouble = None
    clock.now += 1.1
    kit.reader.step()

    assert asked == 1
    assert kit.broker == [AWAY, None]
    assert partitions(kit) == {0}


def test_a_member_of_a_group_reads_its_share_and_hears_the_others(clock: Clock) -> None:
    group = FakeGroup({0, 2})
    kit = Kit(group)
    kit.consumer.ends = dict.fromkeys(range(4), 0)

    kit.reader.step()
    before = partitions(kit)
    group.mine = {1, 2}
    clock.now += 0.1
    kit.reader.step()

    assert before == {0, 2}
    assert partitions(kit) == {1, 2}
    assert partitions(kit, "members") == {0}


def test_as_long_as_the_group_is_not_known_everything_stays_as_it_is(clock: Clock) -> None:
    group = FakeGroup(None)
    kit = Kit(group)
    kit.consumer.ends = {0: 0, 1: 17}
    kit.reader.step()
    unready = kit.reader.unready()
    group.mine = {1}
    clock.now += 0.1
    kit.reader.step()

    group.mine = None
    clock.now += 0.1
    kit.reader.step()

    assert unready == "the readers of topic videocam are not known yet"
    assert partitions(kit) == {1}


def test_what_was_fetched_from_a_partition_that_another_member_reads_now_is_left_to_that_member(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = FakeGroup({3})
    kit = Kit(group)
    kit.consumer.ends = {3: 0, 4: 0}
    kit.reader.step()
    beat = FakeMessage(b"beat", topic="members")
    monkeypatch.setattr(kit.consumer, "consume", lambda *_: [FakeMessage(JPEG), FakeMessage(JPEG), beat])

    def take_a_second(_: str, frame: Frame) -> None:
        kit.frames.append(frame)
        clock.sleep(1)

    monkeypatch.setattr(kit.reader._intake, "_sink", take_a_second)

    kit.read(FakeMessage(JPEG))
    group.mine = {4}
    kit.reader.step()

    assert len(kit.frames) == 1
    assert group.taken == [beat]


def test_beats_are_for_the_group_alone() -> None:
    group = FakeGroup({0})
    kit = Kit(group)
    beat = FakeMessage(b"beat", topic="members")

    kit.read(beat, FakeMessage(JPEG))

    assert group.taken == [beat]
    assert len(kit.frames) == 1
    assert kit.ledger.totals()["in"] == 1


def test_a_group_whose_topic_cannot_be_had_yet_is_asked_for_again(clock: Clock) -> None:
    group = FakeGroup(None)
    group.can_be_there = False
    kit = Kit(group)
    kit.reader.step()
    before = partitions(kit, "members")

    group.can_be_there = True
    clock.now += 0.3
    kit.reader.step()

    assert before == set()
    assert partitions(kit, "members") == {0}


def test_frames_older_than_the_last_one_are_dropped_and_counted(kit: Kit) -> None:
    def frame(captured: int, key: bytes = b"front") -> FakeMessage:
        return FakeMessage(JPEG, key, [("captured", b"%d" % (NOW + captured))])

    kit.read(frame(5_000), frame(4_000), frame(4_000, b"back"), frame(5_000), frame(6_000))

    assert [(each.camera, each.captured - NOW) for each in kit.frames] == [
        ("front", 5_000),
        ("back", 4_000),
        ("front", 5_000),
        ("front", 6_000),
    ]
    assert kit.ledger.snapshot()["front"]["dropped"] == {"outdated": 1}


def test_a_clock_that_is_set_back_stops_a_camera_for_a_moment_only(kit: Kit, clock: Clock) -> None:
    def frame(captured: int) -> FakeMessage:
        return FakeMessage(JPEG, headers=[("captured", b"%d" % (NOW + captured))])

    kit.read(frame(9_000), frame(5_000))
    clock.now += 2
    kit.read(frame(6_000), frame(7_000), frame(6_500))

    assert [each.captured - NOW for each in kit.frames] == [9_000, 6_000, 7_000]


def test_a_reader_that_was_stopped_continues_with_the_newest_frames(silent: Kit, clock: Clock) -> None:
    silent.consumer.assigned[0].offset = 17

    clock.now += 4
    silent.reader.step()
    before = [(each.partition, each.offset) for each in silent.consumer.assigned]
    clock.now += 6
    silent.reader.step()
    clock.now += 4
    silent.reader.step()

    assert before == [(0, 17)]
    assert [(each.partition, each.offset) for each in silent.consumer.assigned] == [(0, OFFSET_END)]


def test_the_ledger_notes_numbers_and_where_the_reader_began_anew(clock: Clock) -> None:
    group = FakeGroup({3})
    kit = Kit(group)
    kit.consumer.ends = {3: 0, 4: 0}

    def read(*numbers: int) -> None:
        kit.read(
            *(FakeMessage(JPEG, headers=[("seq", b"%d" % each), ("run", b"0a1b")]) for each in numbers),
        )

    read(4, 5, 7)
    group.mine = {3, 4}
    clock.now += 0.2
    read(9)  # has a partition more
    clock.now += 6
    read(12)  # was stopped
    cast("SteadyConsumer", kit.consumer).on_replace()
    read(15)  # has another client

    ranges = kit.ledger.runs()["cameras"]["front"]["read"]["0a1b"]["ranges"]
    assert ranges == [[4, 5, 1], [7, 7, 0], [9, 9, 1], [12, 12, 1], [15, 15, 1]]


def test_the_ledger_notes_the_number_of_a_labelled_frame(kit: Kit) -> None:
    kit.read(FakeMessage(JPEG, headers=[("seq", b"4"), ("run", b"0a1b"), ("labelled", b"2c-17")]))

    assert kit.ledger.runs()["cameras"]["front"]["read"]["2c"]["ranges"] == [[17, 17, 1]]


def test_a_frame_is_counted_and_handed_on(kit: Kit) -> None:
    kit.read(FakeMessage(JPEG, headers=[("seq", b"5"), ("captured", b"%d" % NOW)]))

    assert kit.frames == [Frame("front", 5, NOW, JPEG, 70, 48)]
    assert kit.ledger.snapshot() == {"front": {"in": 1, "out": 0, "dropped": {}, "pending": 1}}


@pytest.mark.parametrize("headers", [None, [], [("seq", None), ("captured", None)]])
def test_offset_and_timestamp_stand_in_for_headers(
    kit: Kit, headers: list[tuple[str, bytes | None]] | None
) -> None:
    kit.read(FakeMessage(JPEG, key=None, headers=headers))

    assert kit.frames == [Frame("camera", 17, NOW, JPEG, 70, 48)]


def test_the_last_of_two_equal_headers_counts(kit: Kit) -> None:
    kit.read(FakeMessage(JPEG, headers=[("seq", b"5"), ("seq", b"6")]))

    assert kit.frames[0].seq == 6


def test_the_originals_message_is_read(kit: Kit) -> None:
    kit.read(FakeMessage(mat.encode(PICTURE), key=None))

    (frame,) = kit.frames
    assert (frame.camera, frame.width, frame.height) == ("camera", 70, 48)


def test_large_frames_are_dropped_when_the_newest_of_all_cameras_take_too_much(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kit = Kit(cameras=100, pixels=1_000_000)
    large = JPEG[:-2] + bytes(1_900_000 - len(JPEG)) + JPEG[-2:]

    kit.read(*[FakeMessage(large, key=camera.encode()) for camera in "abcdea"], FakeMessage(JPEG, key=b"f"))

    assert [frame.camera for frame in kit.frames] == [*"abcd", "a", "f"]
    assert kit.ledger.totals()["dropped"] == {"no_room": 1}
    assert "frame of e skipped" in caplog.text

    kit.reader.forget("b")
    kit.read(FakeMessage(large, key=b"e"))
    assert kit.frames[-1].camera == "e"


def test_a_camera_that_makes_room_for_another_is_forgotten() -> None:
    kit = Kit(cameras=100, pixels=1_000_000)
    large, half = (JPEG[:-2] + bytes(size - len(JPEG)) + JPEG[-2:] for size in (1_900_000, 900_000))

    kit.read(*[FakeMessage(large, key=camera.encode()) for camera in "abcd"], FakeMessage(half, key=b"e"))

    assert [frame.camera for frame in kit.frames] == [*"abcde"]
    assert kit.forgotten == ["a"]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("bad_jpeg", FakeMessage(b"hello")),
        ("bad_jpeg", FakeMessage(None)),
        ("bad_jpeg", FakeMessage(JPEG[:-2])),
        ("bad_mat", FakeMessage(b'{"mat": "", "rows": -1, "cols": 1, "type": 16}')),
        ("too_large", FakeMessage(JPEG[:-2] + bytes(largest.jpeg_bytes(largest.PIXELS)) + JPEG[-2:])),
        ("too_large", FakeMessage(mat.encode(np.zeros((4000, 4001, 3), np.uint8)))),
        ("bad_key", FakeMessage(JPEG, key=b"\xff")),
        ("bad_header", FakeMessage(JPEG, headers=[("seq", b"x")])),
        ("bad_header", FakeMessage(JPEG, headers=[("other", b"")] * 33)),
    ],
)
def test_poison_is_counted_logged_and_skipped(
    kit: Kit, kind: str, message: FakeMessage, caplog: pytest.LogCaptureFixture
) -> None:
    before = poison(kind)

    kit.read(message, FakeMessage(JPEG), message)

    assert poison(kind) - before == 2
    assert len(kit.frames) == 1
    assert kit.ledger.totals()["in"] == 1
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("message of videocam[3] at 17 skipped: ")


def test_a_flood_under_one_name_is_counted_and_hardly_examined(
    kit: Kit, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = poison("bad_mat")
    bad = FakeMessage(b'{"mat": "AAAA", "rows": 2, "cols": 2, "type": 16}', key=b"evil")
    examined = count_calls(monkeypatch, "pipeline.wire.mat.decode")

    kit.read(*[bad] * 500, FakeMessage(JPEG))
    clock.now += 0.06
    kit.read(*[bad] * 500)

    assert poison("bad_mat") - before == 1000
    assert len(examined) == 21
    assert len(kit.frames) == 1


def test_a_new_camera_is_seen_among_bad_messages_with_its_name(kit: Kit, clock: Clock) -> None:
    bad = FakeMessage(JPEG, key=b"door", headers=[("seq", b"x")])

    kit.read(*[bad] * 30)
    clock.now += 0.06
    kit.read(FakeMessage(JPEG, key=b"door"))

    assert [frame.camera for frame in kit.frames] == ["door"]


def test_no_frame_of_a_known_camera_is_lost_among_bad_messages_with_its_name(kit: Kit) -> None:
    others = [FakeMessage(b"poison")] * 30, [FakeMessage(JPEG, headers=[("seq", b"x")])] * 30
    kit.read(FakeMessage(JPEG))

    for bad in others:
        kit.read(*bad, FakeMessage(JPEG), *bad, FakeMessage(JPEG))

    assert len(kit.frames) == 5


def test_predictions_that_are_too_large_are_left_out_counted_and_logged_once(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    before = corrected("bad_predictions")
    large = FakeMessage(JPEG, headers=[("predictions", b" " * 16_384 + b"[]")])

    kit.read(large, large)

    assert [each.predictions for each in kit.frames] == [(), ()]
    assert corrected("bad_predictions") - before == 2
    assert [line for line in caplog.messages if "predictions" in line] == [
        "frame of videocam[3] at 17 corrected: header predictions: expected 16384 bytes at most, found 16386"
    ]


@pytest.mark.exceeds("pipeline.kafka.intake.MOST_AHEAD")
@pytest.mark.exceeds("pipeline.kafka.intake.MOST_BEHIND")
@pytest.mark.parametrize("seconds", [8_000_000_000, 11, -301, -1_000])
def test_a_frame_from_a_wrong_clock_counts_as_captured_now(
    kit: Kit, seconds: int, caplog: pytest.LogCaptureFixture
) -> None:
    before = corrected("bad_clock")

    for captured in (NOW + seconds * SECOND, NOW):
        kit.read(FakeMessage(JPEG, headers=[("captured", b"%d" % max(0, captured))]))

    assert [each.captured for each in kit.frames] == [NOW, NOW]
    assert corrected("bad_clock") - before == 1
    assert [line for line in caplog.messages if "set this clock, or that of the producer of front" in line]


@pytest.mark.parametrize("seconds", [10, 0, -300])
def test_a_clock_may_be_a_little_wrong(kit: Kit, seconds: int) -> None:
    kit.read(FakeMessage(JPEG, headers=[("captured", b"%d" % (NOW + seconds * SECOND))]))

    assert [each.captured - NOW for each in kit.frames] == [seconds * SECOND]


@pytest.mark.exceeds("pipeline.kafka.intake._MOST_LINES")
def test_cameras_that_come_and_go_write_a_limited_number_of_lines(
    kit: Kit, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    for number in range(500):
        kit.read(FakeMessage(JPEG, b"x%d" % number))
        kit.reader.forget(f"x{number}")
        clock.now += 0.01

    assert len(kit.forgotten) == 499
    assert len([line for line in caplog.messages if "first frame" in line]) == 100
    assert len([line for line in caplog.messages if "forgotten" in line]) == 100


@pytest.mark.exceeds("consumer.settings.ConsumerSettings.maxcameras")
def test_no_more_cameras_are_taken_than_allowed(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    before = poison("too_many_cameras")

    kit.read(*[FakeMessage(JPEG, key=key) for key in (b"a", b"b", b"c", b"a", b"d", b"b")])

    assert [frame.camera for frame in kit.frames] == ["a", "b", "a", "b"]
    assert list(kit.ledger.snapshot()) == ["a", "b"]
    assert poison("too_many_cameras") - before == 2
    assert caplog.messages == ["frame of c skipped: there are 2 cameras (MAXCAMERAS)"]


def test_a_new_camera_takes_the_place_of_one_that_has_been_silent_for_a_minute(
    kit: Kit, clock: Clock
) -> None:
    kit.read(FakeMessage(JPEG, key=b"a"), FakeMessage(JPEG, key=b"b"))
    clock.now += 60
    kit.read(FakeMessage(JPEG, key=b"a"), FakeMessage(JPEG, key=b"c"))

    assert [frame.camera for frame in kit.frames] == ["a", "b", "a", "c"]
    assert kit.forgotten == ["b"]
    assert list(kit.ledger.snapshot()) == ["a", "c"]


def test_a_silent_camera_is_forgotten(kit: Kit, clock: Clock) -> None:
    kit.read(FakeMessage(JPEG, key=b"a"), FakeMessage(JPEG, key=b"b"))
    clock.now += 599
    kit.read(FakeMessage(JPEG, key=b"b"))
    before = list(kit.forgotten)

    clock.now += 1
    kit.reader.step()

    assert before == []
    assert kit.forgotten == ["a"]
    assert list(kit.ledger.snapshot()) == ["b"]
    assert kit.ledger.totals()["in"] == 3


def test_a_configured_camera_is_not_forgotten(kit: Kit, clock: Clock) -> None:
    kit.reader.configure(["a"])
    kit.read(FakeMessage(JPEG, key=b"a"), FakeMessage(JPEG, key=b"b"))

    clock.now += 6000
    kit.reader.step()

    assert kit.forgotten == ["b"]


def test_a_camera_is_forgotten_on_request_at_the_next_step(kit: Kit) -> None:
    kit.read(FakeMessage(JPEG, key=b"a"), FakeMessage(JPEG, key=b"b"))

    kit.reader.forget("a")
    before = list(kit.forgotten)
    kit.read(FakeMessage(JPEG, key=b"c"))

    assert before == []
    assert kit.forgotten == ["a"]
    assert list(kit.ledger.snapshot()) == ["b", "c"]


def test_a_forgotten_camera_that_sends_again_is_a_new_one(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    kit.read(FakeMessage(JPEG))
    kit.reader.forget("front")

    kit.read(FakeMessage(JPEG))

    assert [text.partition(":")[0] for text in caplog.messages] == [
        "reading videocam[0]",
        "first frame of front",
        "camera front forgotten",
        "first frame of front",
    ]
    assert kit.ledger.snapshot()["front"]["in"] == 1


def test_without_listeners_cameras_are_forgotten_as_well(clock: Clock) -> None:
    consumer, ledger = FakeConsumer(), Ledger()
    reader = Reader(cast("Consumer", consumer), "videocam", lambda *_: None, ledger, 2, camera_ttl=600)
    consumer.messages.append(FakeMessage(JPEG))
    reader.step()

    clock.now += 600
    reader.step()

    assert ledger.snapshot() == {}


def test_a_cameras_first_frame_is_logged(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    kit.read(FakeMessage(JPEG), FakeMessage(JPEG))

    assert caplog.messages == ["reading videocam[0]", "first frame of front: 70 x 48"]


def test_errors_of_kafka_are_logged_and_survived(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    trouble = FakeMessage(None, error=KafkaError(KafkaError.OFFSET_OUT_OF_RANGE, "no such offset"))

    kit.read(trouble, trouble, FakeMessage(JPEG))

    assert len(kit.frames) == 1
    assert caplog.messages == ["topic videocam: no such offset"]


def test_a_step_without_a_message_does_nothing(kit: Kit) -> None:
    kit.reader.step()

    assert kit.frames == []


def test_a_step_returns_whether_it_read_a_message_and_waits_as_long_as_given(kit: Kit) -> None:
    trouble = FakeMessage(None, error=KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, "no such topic"))
    kit.consumer.messages = [FakeMessage(JPEG), FakeMessage(b"poison"), trouble]

    read = [kit.reader.step(wait) for wait in (0.0, 0.1, 0.0, 0.3)]

    assert read == [True, True, True, False]
    assert kit.consumer.waits == [0.0, 0.1, 0.0, 0.3]


def test_until_partitions_are_assigned_the_topic_is_asked_for_but_not_at_every_step(kit: Kit) -> None:
    for _ in range(5):
        kit.reader.step()

    assert kit.consumer.asked == ["videocam"]


def test_once_frames_arrive_the_topic_is_asked_for_twice_a_minute(silent: Kit, clock: Clock) -> None:
    for _ in range(620):
        clock.now += 0.1
        silent.read(FakeMessage(JPEG))

    assert len(silent.consumer.asked) == 2


def test_a_silent_broker_is_asked_each_second_and_is_away_while_it_does_not_answer(
    silent: Kit, clock: Clock
) -> None:
    silent.consumer.trouble = KafkaException(KafkaError(KafkaError._TRANSPORT, "no broker"))

    reports = []
    for _ in range(10):
        clock.now += 0.5
        silent.reader.step()
        reports.append(list(silent.broker))

    assert reports == [[], [], *[[AWAY]] * 8]
    assert len(silent.consumer.asked) == 4


def test_a_broker_that_answers_is_not_away_even_without_frames(silent: Kit, clock: Clock) -> None:
    clock.now += 2
    silent.reader.step()

    assert silent.consumer.asked
    assert silent.broker == []


@pytest.mark.parametrize("message", [FakeMessage(JPEG), FakeMessage(b"poison")])
def test_a_message_shows_that_the_broker_is_back(silent: Kit, clock: Clock, message: FakeMessage) -> None:
    silent.consumer.trouble = KafkaException(KafkaError(KafkaError._TRANSPORT, "no broker"))
    clock.now += 2
    silent.reader.step()

    silent.read(message)

    assert silent.broker == [AWAY, None]


def test_an_answer_shows_that_the_broker_is_back(silent: Kit, clock: Clock) -> None:
    silent.consumer.trouble = KafkaException(KafkaError(KafkaError._TRANSPORT, "no broker"))
    clock.now += 2
    silent.reader.step()

    silent.consumer.trouble = None
    clock.now += 1
    silent.reader.step()

    assert silent.broker == [AWAY, None]


def test_the_topic_is_not_asked_for_while_frames_arrive(silent: Kit, clock: Clock) -> None:
    for _ in range(10):
        silent.read(FakeMessage(JPEG))
        clock.now += 0.9
        silent.reader.step()

    assert silent.consumer.asked == []


def test_an_unknown_end_of_a_partition_does_not_mean_that_the_broker_is_away(clock: Clock) -> None:
    kit = Kit(FakeGroup({0}))
    kit.consumer.ends = {0: 0, 1: 0}
    kit.consumer.unknown = KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE, "no leader"))

    kit.reader.step()
    clock.now += 2
    kit.reader.step()

    assert kit.consumer.ends_asked == [1]
    assert kit.broker == []


@pytest.mark.parts
def test_a_real_broker_is_away_while_it_is_suspended(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as (address, broker):
        source = clients.consumer(address, "group", 0.005, {})
        reports: list[str | None] = []
        reader = Reader(
            source, "videocam", lambda *_: None, Ledger(), most_cameras=2, on_broker=reports.append
        )

        def reported(away: bool) -> bool:
            reader.step()
            return bool(reports) and bool(reports[-1]) == away

        wait_for(lambda: not reader.step() and reader.unready() == NO_FRAME, 20, "the topic")

        broker.signal(signal.SIGSTOP)
        wait_for(lambda: reported(True), 20, "the broker to be away")
        broker.signal(signal.SIGCONT)
        wait_for(lambda: reported(False), 20, "the broker to be back")

        reader.close()


@pytest.mark.parametrize("code", [KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED])
def test_a_topic_that_is_missing_or_forbidden_is_reported_until_it_is_there(
    kit: Kit, clock: Clock, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    kit.consumer.topic_trouble, kit.consumer.ends = KafkaError(code), {}
    why = topic_cause(KafkaError(code), "videocam", "read")

    for _ in range(3):
        clock.now += 1.1
        kit.reader.step()
        assert kit.reader.unready() == why
    kit.consumer.topic_trouble, kit.consumer.ends = None, {0: 0}
    clock.now += 1.1
    kit.reader.step()

    assert kit.reader.unready() == NO_FRAME
    assert kit.broker == [why, None]
    assert caplog.messages == [why]


def test_a_topic_that_is_being_created_is_no_trouble(kit: Kit) -> None:
    kit.consumer.topic_trouble, kit.consumer.ends = KafkaError(KafkaError.LEADER_NOT_AVAILABLE), {}

    kit.reader.step()

    assert kit.reader.unready() == "topic videocam has no partitions yet"
    assert kit.broker == []


def test_messages_that_may_not_be_read_are_reported_until_some_come(kit: Kit, clock: Clock) -> None:
    kit.reader.step()
    forbidden = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    why = topic_cause(forbidden, "videocam", "read")

    kit.read(FakeMessage(None, error=forbidden))
    for _ in range(3):
        clock.now += 2
        kit.reader.step()
        assert kit.reader.unready() == why
    kit.read(FakeMessage(JPEG))
    clock.now += 2
    kit.reader.step()

    assert kit.reader.unready() is None
    assert kit.broker == [why, None]


def test_a_topic_of_the_group_that_cannot_be_created_is_the_reason_why_it_is_not_known() -> None:
    group = FakeGroup(None)
    kit = Kit(group)
    group.trouble = "topic members cannot be created"

    kit.reader.step()

    assert kit.reader.unready() == "topic members cannot be created"


def test_a_missing_topic_of_the_group_is_reported_until_beats_come(clock: Clock) -> None:
    kit = Kit(FakeGroup(None))
    kit.reader.step()

    kit.read(FakeMessage(None, topic="members", error=KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)))
    missing = kit.reader.unready()
    kit.read(FakeMessage(b"beat", topic="members"))
    clock.now += 2
    kit.reader.step()

    assert (missing or "").startswith("topic members does not exist")
    assert kit.reader.unready() == "the readers of topic videocam are not known yet"


def test_a_login_without_rights_for_groups_is_no_trouble(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    kit.reader.step()

    kit.read(FakeMessage(None, error=KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED)))

    assert kit.reader.unready() == NO_FRAME
    assert caplog.messages == []


def test_a_broker_behind_another_address_is_reported_while_it_cannot_be_reached(
    kit: Kit, clock: Clock
) -> None:
    refused = "b:1/1: Connect to ipv4#10.0.0.2:1 failed: Connection refused (after 0ms in state CONNECT)"
    kit.causes.note(KafkaError(KafkaError._TRANSPORT, refused))
    kit.consumer.unknown = KafkaException(KafkaError(KafkaError._TIMED_OUT))

    kit.reader.step()
    during = kit.reader.unready()
    kit.consumer.unknown = None
    clock.now += 2
    kit.reader.step()

    assert during == kit.causes.why()
    assert during is not None
    assert during.startswith("Kafka names b:1 as a broker's address, but it cannot be reached ")
    assert kit.reader.unready() == NO_FRAME
    assert kit.broker == [during, None]


def test_an_unanswered_query_is_survived(kit: Kit) -> None:
    kit.consumer.trouble = KafkaException(KafkaError(KafkaError._TRANSPORT, "no broker"))

    kit.reader.step()

    assert kit.reader.unready() == AWAY


def test_the_missing_part_is_reported(kit: Kit) -> None:
    assert kit.reader.unready() == "topic videocam has no partitions yet"
    kit.reader.step()
    assert kit.reader.unready() == NO_FRAME
    kit.read(FakeMessage(JPEG))
    assert kit.reader.unready() is None


@pytest.mark.parametrize("mine", [set(), {0}])
def test_a_reader_is_ready_while_other_members_of_the_group_get_the_frames(
    clock: Clock, mine: set[int]
) -> None:
    kit = Kit(FakeGroup(mine))
    kit.consumer.ends = {0: 0, 1: 17}

    kit.reader.step()
    clock.now += 2
    kit.reader.step()

    assert kit.reader.unready() is None


def test_a_reader_stays_ready_when_its_only_camera_is_forgotten(silent: Kit) -> None:
    silent.reader.forget("front")
    silent.reader.step()

    assert silent.forgotten == ["front"]
    assert silent.reader.unready() is None


def test_a_reader_is_not_ready_while_the_broker_does_not_answer(silent: Kit, clock: Clock) -> None:
    silent.consumer.trouble = KafkaException(KafkaError(KafkaError._TRANSPORT, "no broker"))
    clock.now += 2
    silent.reader.step()
    during = silent.reader.unready()
    silent.read(FakeMessage(JPEG))

    assert during == AWAY
    assert silent.reader.unready() is None


def test_a_reader_of_a_whole_topic_is_not_ready_before_its_first_frame(kit: Kit, clock: Clock) -> None:
    kit.consumer.ends = {0: 17, 1: 17}

    for _ in range(3):
        kit.reader.step()
        assert kit.reader.unready() == NO_FRAME
        clock.now += 2

    kit.read(FakeMessage(JPEG))
    assert kit.reader.unready() is None


def test_a_reader_of_an_unused_topic_is_not_ready(clock: Clock) -> None:
    kit = Kit(FakeGroup({0}))
    kit.consumer.ends = {0: 0, 1: 0}

    kit.reader.step()
    clock.now += 2
    kit.reader.step()

    assert kit.reader.unready() == NO_FRAME


def test_closing_leaves_the_group() -> None:
    group = FakeGroup({0})
    kit = Kit(group)

    kit.reader.close()

    assert group.closed
    assert kit.consumer.closed


def test_a_message_with_an_unreadable_header_name_is_skipped() -> None:
    class Unreadable(FakeMessage):
        def headers(self) -> list[tuple[str, bytes | None]] | None:
            raise SystemError("returned a result with an exception set")  # as confluent_kafka does

    kit = Kit()
    kit.consumer.messages.append(Unreadable(b"x"))
    kit.reader.step()

    assert kit.frames == []


def busy_with(kit: Kit, clock: Clock, frames: int, waiting: int) -> None:
    """Read `frames` frames and five other messages in 0.06 s, twice, while others wait."""
    kit.consumer.ends = {3: 17, 4: 17}
    kit.reader.step()
    kit.consumer.from_the_end.clear()
    kit.consumer.ends = {3: 1_000 + waiting, 4: 1_000}
    kit.consumer.read |= {3: 1_000, 4: 1_000}
    for _ in range(2):
        kit.read(*[FakeMessage(JPEG)] * frames, *[FakeMessage(b"poison")] * 4)
        clock.sleep(0.06)
        kit.read(FakeMessage(b"poison"))


@pytest.mark.exceeds("pipeline.kafka.backlog.LONGEST_WAIT")
@pytest.mark.parametrize(
    ("frames", "waiting", "skips"),
    # Five or nine messages in 0.06 s: in 0.1 s, four or seven for each of two partitions.
    [(0, 5, True), (0, 4, False), (4, 8, True), (4, 7, False)],
)
def test_what_takes_long_to_read_behind_bad_messages_is_skipped(
    kit: Kit, clock: Clock, frames: int, waiting: int, skips: bool
) -> None:
    busy_with(kit, clock, frames, waiting)

    assert kit.consumer.from_the_end == [3] * skips


def flooded(kit: Kit, clock: Clock, waiting: int) -> None:
    """Read 120 bad messages in 0.06 s, twice, while others wait: in 0.1 s, there would be 200."""
    kit.consumer.ends = {3: 17}
    kit.read(FakeMessage(JPEG))
    kit.consumer.from_the_end.clear()
    kit.consumer.ends = {3: waiting}
    kit.consumer.read[3] = 0
    for _ in range(2):
        flood(kit, clock)


def flood(kit: Kit, clock: Clock) -> None:
    kit.read(*[FakeMessage(b"poison")] * 119)
    clock.sleep(0.06)
    kit.read(FakeMessage(b"poison"))


@pytest.mark.parametrize(("waiting", "shown"), [(201, ["front"]), (200, ["new", "front"])])
def test_behind_many_bad_messages_only_frames_of_known_cameras_are_read(
    kit: Kit, clock: Clock, waiting: int, shown: list[str]
) -> None:
    flooded(kit, clock, waiting)
    kit.frames.clear()

    kit.read(FakeMessage(JPEG, key=b"new"), FakeMessage(JPEG))

    assert [frame.camera for frame in kit.frames] == shown
    assert kit.consumer.from_the_end == []


def test_the_first_bad_messages_behind_frames_are_passed_over_however_slowly_they_came(
    kit: Kit, clock: Clock
) -> None:
    kit.consumer.ends = {3: 17}
    kit.reader.step()
    kit.consumer.from_the_end.clear()
    kit.consumer.ends = {3: 5_000}
    kit.consumer.read[3] = 0

    kit.read(FakeMessage(JPEG))
    clock.sleep(0.06)
    kit.read(FakeMessage(JPEG), FakeMessage(b"poison"), FakeMessage(b"poison"))
    clock.sleep(0.06)
    kit.read(FakeMessage(b"poison"), FakeMessage(JPEG, key=b"new"), FakeMessage(JPEG))

    assert kit.consumer.from_the_end == []
    assert {frame.camera for frame in kit.frames} == {"front"}


@pytest.mark.parametrize("why", ["reached", "rest"])
def test_new_cameras_are_read_again_behind_what_was_passed_over(kit: Kit, clock: Clock, why: str) -> None:
    flooded(kit, clock, 201)
    new = FakeMessage(JPEG, key=b"new")
    if why == "rest":
        kit.consumer.read[3] = 201
        kit.reader.step()
    else:
        new.offset = lambda: 201  # type: ignore[method-assign]

    kit.read(new)

    assert kit.frames[-1].camera == "new"


@pytest.mark.parametrize(("waiting", "skips"), [(2_001, True), (2_000, False)])
def test_what_cannot_be_passed_over_in_a_second_is_skipped_as_a_whole(
    kit: Kit, clock: Clock, waiting: int, skips: bool
) -> None:
    flooded(kit, clock, waiting)
    before = list(kit.consumer.from_the_end)

    flood(kit, clock)

    assert before == []
    assert kit.consumer.from_the_end == [3] * skips


def test_small_messages_that_have_come_are_read_in_one_step_as_long_as_it_is_short(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = [FakeMessage(JPEG)] * 3
    monkeypatch.setattr(kit.consumer, "consume", lambda most, _: came[:most])

    kit.read(FakeMessage(JPEG))
    at_once = len(kit.frames)
    monkeypatch.setattr("pipeline.kafka.reader._LONGEST_STEP", 0.0)
    kit.read(FakeMessage(JPEG))
    in_a_step = len(kit.frames) - at_once
    steps = [kit.reader.step() for _ in range(4)]

    assert (at_once, in_a_step) == (4, 1)
    assert steps == [True, True, True, False]
    assert len(kit.frames) == 8


def test_large_messages_are_fetched_one_by_one(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit.consumer, "consume", lambda *_: pytest.fail("more than one is held"))

    kit.read(FakeMessage(bytes(10_000)))


@pytest.mark.exceeds("pipeline.kafka.backlog.LONGEST_QUEUE")
# Thirty messages in 0.06 s: in 1 s, 250 for each of two partitions.
@pytest.mark.parametrize(("waiting", "skips"), [(251, True), (250, False)])
def test_what_takes_a_second_to_read_behind_frames_is_skipped(
    kit: Kit, clock: Clock, caplog: pytest.LogCaptureFixture, waiting: int, skips: bool
) -> None:
    busy_with(kit, clock, 25, waiting)

    assert kit.consumer.from_the_end == [3] * skips
    assert (
        f"{waiting} messages of topic videocam skipped: they would take 1 s or more" in caplog.text
    ) == skips


def test_a_hundred_frames_are_read_however_long_they_take(kit: Kit, clock: Clock) -> None:
    busy_with(kit, clock, 5, 100)

    assert kit.consumer.from_the_end == []


def test_the_log_says_that_messages_behind_bad_ones_were_skipped(
    kit: Kit, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    busy_with(kit, clock, 0, 5)

    assert "5 messages of topic videocam skipped: most of those before were not frames" in caplog.text


def test_nothing_is_skipped_while_all_frames_that_have_come_are_read(kit: Kit, clock: Clock) -> None:
    kit.consumer.ends = {3: 17}
    kit.reader.step()
    kit.consumer.from_the_end.clear()
    kit.consumer.ends = {3: 5_000}
    kit.consumer.read |= {3: 1_000}

    for _ in range(6):
        kit.read(FakeMessage(JPEG))
        clock.sleep(0.06)
        kit.reader.step()

    assert kit.consumer.from_the_end == []


def test_nothing_is_skipped_because_one_message_took_long(kit: Kit, clock: Clock) -> None:
    kit.consumer.ends = {3: 1_000}
    kit.reader.step()
    kit.consumer.from_the_end.clear()
    kit.consumer.read |= {3: 10}

    kit.read(FakeMessage(b"poison"))
    clock.sleep(0.5)
    kit.read(FakeMessage(b"poison"), FakeMessage(b"poison"))

    assert kit.consumer.from_the_end == []


@pytest.mark.parametrize(("waiting", "skips"), [(1_000, True), (0, False)])
def test_a_fetch_that_brings_only_few_large_messages_is_no_rest(
    kit: Kit, clock: Clock, waiting: int, skips: bool
) -> None:
    kit.consumer.ends = {3: 17}
    kit.reader.step()
    kit.consumer.from_the_end.clear()
    kit.consumer.ends = {3: 1_000 + waiting}
    kit.consumer.read |= {3: 1_000}

    for _ in range(6):
        kit.read(FakeMessage(b"poison"))
        clock.sleep(0.03)
        kit.reader.step()

    assert bool(kit.consumer.from_the_end) == skips

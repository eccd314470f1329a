"""Reading and labelling by turns, in one thread."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, Consumer, TopicPartition
from prometheus_client import REGISTRY

from consumer.labeller import Labeller, turn
from consumer.model import Model
from pipeline.flow.ledger import Ledger
from pipeline.kafka.publisher import Publisher
from pipeline.kafka.reader import Reader
from pipeline.wire.predictions import Prediction
from tests.clock import Clock
from tests.consumer.fakes import BROKEN, FakeModel, FakeProducer, grey

JPEG = grey()


class Arriving:
    """A message as it comes from Kafka."""

    def __init__(self, camera: str, seq: int, value: bytes = JPEG) -> None:
        self._camera, self._seq, self._value = camera, seq, value

    def error(self) -> None:
        return None

    def value(self) -> bytes:
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def key(self) -> bytes:
        return self._camera.encode()

    def headers(self) -> list[tuple[str, bytes]]:
        return [("seq", b"%d" % self._seq)]

    def timestamp(self) -> tuple[int, int]:
        return TIMESTAMP_CREATE_TIME, time.time_ns() // 1_000_000

    def topic(self) -> str:
        return "videocam"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._seq


class FakeTopic:
    """Hands out what was written to it, then what `endless` returns; remembers how long it was waited for."""

    def __init__(self) -> None:
        self.waiting: list[Arriving] = []
        self.waits: list[float] = []
        self.endless: Callable[[], Arriving | None] = lambda: None

    def subscribe(self, _: list[str], **__: object) -> None:
        pass

    def poll(self, timeout: float) -> Arriving | None:
        self.waits.append(timeout)
        return self.waiting.pop(0) if self.waiting else self.endless()

    def consume(self, most: int, timeout: float) -> list[Arriving]:  # noqa: ARG002
        return []

    def position(self, _: list[TopicPartition]) -> list[TopicPartition]:
        return []

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        assert timeout <= 1
        answer = SimpleNamespace(partitions=list[TopicPartition](), error=None)
        return SimpleNamespace(topics={topic: answer})

    def write(self, *messages: Arriving) -> None:
        self.waiting += messages


class Busy(FakeModel):
    """Says nothing, and lets something happen while it is asked for its answer."""

    def __init__(self, happen: Callable[[str], None]) -> None:
        super().__init__(Prediction("imagenet_1"))
        self._happen = happen

    def prediction(self, camera: str) -> Prediction:
        self._happen(camera)
        return super().prediction(camera)


class Bench:
    """A reader and a labeller between two fake topics."""

    def __init__(self, *models: FakeModel | Model) -> None:
        self.ledger, self.topic, self.producer = Ledger(), FakeTopic(), FakeProducer()
        publisher = Publisher(self.producer.kafka, "videodisplay", self.ledger)
        self.labeller = Labeller(
            cast("list[Model]", models),
            publisher,
            self.ledger,
            predictions=None,
            quality=None,
            frame_format="jpeg",
        )
        source = cast("Consumer", self.topic)
        self.reader = Reader(
            source,
            "videocam",
            self.labeller.frames.put,
            self.ledger,
            most_cameras=9,
            on_forget=self.labeller.forget,
        )

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            turn(self.reader, self.labeller)

    @property
    def published(self) -> list[tuple[str, int]]:
        """The camera and seq of each frame that left."""
        return [(sent["key"].decode(), int(dict(sent["headers"])["seq"])) for sent in self.producer.sent]


def poison(kind: str) -> float:
    return REGISTRY.get_sample_value("streamlens_poison_messages_total", {"kind": kind}) or 0.0


def test_a_frame_that_comes_leaves_at_the_next_turn() -> None:
    bench = Bench()
    bench.topic.write(Arriving("door", 1))

    bench.turn(2)

    assert bench.published == [("door", 1)]
    assert bench.ledger.totals() == {"in": 1, "out": 1, "dropped": {}, "pending": 0}


def test_the_newest_wins_of_all_that_came_while_another_was_labelled() -> None:
    def happen(_: str) -> None:
        newest = bench.ledger.totals()["in"]
        if newest < 30:
            bench.topic.write(*(Arriving("door", newest + number) for number in range(1, 11)))

    bench = Bench(Busy(happen))
    bench.topic.write(Arriving("door", 1))

    bench.turn(5)

    assert bench.published == [("door", 1), ("door", 11), ("door", 21), ("door", 31)]
    assert bench.ledger.totals() == {"in": 31, "out": 4, "dropped": {"replaced": 27}, "pending": 0}


def test_cameras_take_turns_though_one_is_faster() -> None:
    def happen(_: str) -> None:
        seq = bench.ledger.totals()["in"]
        bench.topic.write(*(Arriving("fast", seq + number) for number in range(1, 6)))

    bench = Bench(Busy(happen))
    bench.topic.write(Arriving("fast", 1), Arriving("door", 1), Arriving("yard", 1))

    bench.turn(7)

    assert [camera for camera, _ in bench.published] == ["fast", "door", "yard", "fast", "fast", "fast"]
    totals = bench.ledger.totals()
    assert totals["pending"] == 1
    assert totals["in"] == 33 == totals["out"] + totals["dropped"]["replaced"] + 1


def test_it_waits_for_messages_only_where_no_frame_waits() -> None:
    bench = Bench()

    bench.turn()  # nothing there: it waits
    bench.topic.write(Arriving("door", 1), Arriving("yard", 1))
    bench.turn()  # two are read, the first of them waited for
    bench.turn()  # one leaves, another still waits
    bench.turn()
    bench.turn()

    first, *others = bench.topic.waits
    assert 0.05 < first <= 0.5
    assert others == [first, 0, 0, 0, first, first]
    assert len(bench.published) == 2


def test_a_flood_of_other_messages_keeps_no_frame_waiting(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.topic.endless = lambda: Arriving("door", 1, b"poison")
    before = poison("bad_jpeg")

    for seq in range(1, 6):
        bench.topic.write(Arriving("door", seq))
        bench.turn()

    assert bench.published == [("door", seq) for seq in range(1, 5)]
    assert bench.ledger.totals() == {"in": 5, "out": 4, "dropped": {}, "pending": 1}
    assert poison("bad_jpeg") - before == len(bench.topic.waits) - 5 < 10_000
    assert len(caplog.messages) == 1


def test_messages_that_take_long_to_read_keep_no_frame_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("consumer.labeller.time", clock)

    def costly() -> Arriving:
        clock.sleep(0.01)
        return Arriving("door", 1, b"poison")

    bench = Bench()
    bench.topic.endless = costly

    for seq in range(1, 4):
        bench.topic.write(Arriving("door", seq))
        bench.turn()

    assert bench.published == [("door", 1), ("door", 2)]
    assert len(bench.topic.waits) == 3 * 6


def test_a_camera_with_slow_pictures_leaves_most_of_the_time_to_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    monkeypatch.setattr("consumer.labeller.time", clock)
    bench = Bench(Busy(lambda camera: clock.sleep(0.2 if camera == "huge" else 0.003)))

    for seq in range(1, 501):
        bench.topic.write(Arriving("door", seq), Arriving("huge", seq))
        bench.turn(2)

    published = [camera for camera, _ in bench.published]
    assert 2 <= published.count("huge") < 20
    assert published.count("door") > 450
    assert bench.ledger.snapshot()["huge"]["dropped"].keys() == {"slow"}
    assert [line for line in caplog.messages if "huge" in line] == [
        "frame of huge skipped: it is new, or its pictures take long, and others wait: send smaller ones, or"
        " baseline JPEG"
    ]


def test_a_flood_of_frames_does_not_keep_other_cameras_waiting() -> None:
    bench = Bench()
    seqs = iter(range(2, 10**9))
    bench.topic.endless = lambda: Arriving("fast", next(seqs))
    bench.topic.write(Arriving("door", 1))

    bench.turn(3)

    assert [camera for camera, _ in bench.published] == ["door", "fast"]
    totals = bench.ledger.totals()
    assert totals["in"] == totals["out"] + totals["dropped"]["replaced"] + totals["pending"]


def test_a_failure_with_one_frame_loses_no_other() -> None:
    def happen(camera: str) -> None:
        if camera == "door":
            raise RuntimeError("a bug")

    bench = Bench(Busy(happen))
    bench.topic.write(Arriving("door", 1), Arriving("yard", 1), Arriving("roof", 1))
    bench.turn()

    with pytest.raises(RuntimeError, match="a bug"):
        bench.turn()
    bench.topic.write(Arriving("yard", 2))
    bench.turn(3)

    assert bench.published == [("yard", 1), ("roof", 1), ("yard", 2)]
    assert bench.ledger.totals() == {"in": 4, "out": 3, "dropped": {"failed": 1}, "pending": 0}


def test_a_frame_that_cannot_be_decoded_holds_up_no_other() -> None:
    bench = Bench()
    bench.topic.write(Arriving("door", 1, BROKEN), Arriving("yard", 1))

    bench.turn(3)

    assert bench.published == [("yard", 1)]
    assert bench.ledger.totals() == {"in": 2, "out": 1, "dropped": {"bad_jpeg": 1}, "pending": 0}


def test_deliveries_are_reported_while_no_frame_comes() -> None:
    bench = Bench()
    bench.producer.delivers = False
    bench.topic.write(Arriving("door", 1))
    bench.turn(2)
    bench.producer.delivers = True

    bench.turn()

    assert bench.ledger.totals() == {"in": 1, "out": 1, "dropped": {}, "pending": 0}


def test_models_are_offered_each_frame_that_is_labelled_as_it_came() -> None:
    model = Busy(lambda _: None)
    bench = Bench(model)
    bench.topic.write(Arriving("door", 1), Arriving("yard", 7))

    bench.turn(3)

    assert [(frame.camera, frame.seq, frame.jpeg) for frame in model.offered] == [
        ("door", 1, JPEG),
        ("yard", 7, JPEG),
    ]

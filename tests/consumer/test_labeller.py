"""A frame's path through the consumer."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.cameras import Plans
from consumer.handlers.imagenet import Imagenet, ImagenetOptions
from consumer.known import Known
from consumer.labeller import Labeller
from consumer.model import Model
from consumer.predictions_publisher import PredictionsPublisher
from pipeline.cameras.record import CameraRecord
from pipeline.flow.ledger import Ledger
from pipeline.kafka.causes import Causes
from pipeline.kafka.publisher import Publisher
from pipeline.service.workers import Pulse
from pipeline.wire import covered, largest, mat, picture
from pipeline.wire.frame import Format, Frame, Message, decode
from pipeline.wire.predictions import Prediction, Result
from tests.clock import SECOND, Clock
from tests.consumer.fakes import (
    BROKEN,
    PROPERTY,
    Client,
    FakeModel,
    FakeProducer,
    ScriptedServer,
    a_frame,
    fixed_labels,
    hang,
)
from tests.parts import wait_for

ANSWER = Prediction("imagenet_1", (Result("mountain bike", 0.93, (1, 2, 3, 4)),), 17, 41)
NONE_YET = Prediction("imagenet_2")


class Bench:
    """A labeller with a fake Kafka behind it."""

    def __init__(
        self,
        models: Sequence[FakeModel | Model] = (),
        *,
        topic: str = "",
        quality: int | None = None,
        frame_format: Format = "jpeg",
        capacity: int = 64,
        restorable: bool = True,
        plans: Plans | None = None,
        missed: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.ledger = Ledger()
        self.producer = FakeProducer(capacity)
        self.publisher = Publisher(self.producer.kafka, "videodisplay", self.ledger)
        predictions = PredictionsPublisher(self.producer.kafka, topic, Causes("")).publish if topic else None
        self.labeller = Labeller(
            cast("Sequence[Model]", models),
            self.publisher,
            self.ledger,
            predictions=predictions,
            quality=quality,
            frame_format=frame_format,
            restorable=restorable,
            plans=plans,
            missed=missed,
        )

    def put(self, *frames: Frame) -> None:
        """Add frames, as the reader does."""
        for frame in frames:
            self.ledger.came(frame.camera)
            self.labeller.frames.put(frame.camera, frame)

    def close(self) -> None:
        """Close in the service's order."""
        self.labeller.close()
        self.publisher.close()

    @property
    def published(self) -> list[Frame]:
        """The frames that were delivered, as a reader sees them."""
        messages = (message for message in self.producer.sent if message["topic"] == "videodisplay")
        return [decode(as_message(message), offset=0, timestamp=0) for message in messages]


def as_message(sent: dict[str, Any]) -> Message:
    """Return what was produced, as a message."""
    return Message(sent["key"], sent["value"], sent["headers"])


def balanced(bench: Bench) -> bool:
    """Return whether every frame is accounted for."""
    return all(counts["pending"] == 0 for counts in bench.ledger.snapshot().values())


def test_a_camera_is_labelled_by_the_models_of_its_record() -> None:
    one, two = FakeModel(ANSWER), FakeModel(NONE_YET)
    plans = Plans(["imagenet_1", "imagenet_2"])
    plans.set("door", CameraRecord(link="0", models=["imagenet_1", "unknown_1"]))
    plans.set("preview-1", CameraRecord(link="0", until=1))
    bench = Bench([one, two], plans=plans)

    bench.put(*(a_frame(camera=camera) for camera in ("door", "preview-1", "other")))
    for _ in range(3):
        bench.labeller.step()

    assert {frame.camera: frame.predictions for frame in bench.published} == {
        "door": (ANSWER,),
        "preview-1": (),
        "other": (ANSWER, NONE_YET),
    }
    assert [[frame.camera for frame in each.offered] for each in (one, two)] == [["door", "other"], ["other"]]


def test_a_frame_that_several_models_label_carries_what_their_labels_cover() -> None:
    plans = Plans(["imagenet_1", "imagenet_2"])
    plans.set("one", CameraRecord(link="0", models=["imagenet_1"]))
    bench = Bench([FakeModel(ANSWER), FakeModel(NONE_YET)], plans=plans)

    bench.put(a_frame(camera="one"), a_frame(camera="both"))
    for _ in range(2):
        bench.labeller.step()

    frames = {frame.camera: frame for frame in bench.published}
    assert frames["one"].covered == b""
    assert covered.restore(frames["both"].jpeg, frames["both"].covered) == a_frame().jpeg


def test_it_does_not_if_nobody_needs_streams_of_one_model() -> None:
    bench = Bench([FakeModel(ANSWER), FakeModel(NONE_YET)], restorable=False)
    bench.put(a_frame())
    bench.labeller.step()

    (frame,) = bench.published
    assert frame.covered == b""
    assert frame.predictions == (ANSWER, NONE_YET)


@pytest.mark.parametrize("room", [True, False])
def test_it_does_not_where_the_message_would_become_larger_than_its_picture_may_be(
    monkeypatch: pytest.MonkeyPatch, room: bool
) -> None:
    bench = Bench([FakeModel(ANSWER), FakeModel(NONE_YET)])
    bench.put(a_frame())
    monkeypatch.setattr(largest, "_HEAD", 256 * 1024 if room else -2 * 64 * 48)
    bench.labeller.step()
    monkeypatch.undo()

    (frame,) = bench.published
    assert bool(frame.covered) == room


def test_a_frame_without_time_for_it_is_reported_with_the_number_of_its_models() -> None:
    plans, missed = Plans(["imagenet_1", "imagenet_2"]), list[int]()
    plans.set("door", CameraRecord(link="0", models=["imagenet_1"]))
    plans.set("preview-1", CameraRecord(link="0", until=1))
    bench = Bench([FakeModel(ANSWER), FakeModel(NONE_YET)], plans=plans, missed=missed.append)

    bench.put(*(a_frame(seq, camera=camera) for camera in ("door", "preview-1", "other") for seq in range(2)))

    assert missed == [1, 2]
    assert all(counts["dropped"] == {"replaced": 1} for counts in bench.ledger.snapshot().values())


def test_models_are_not_asked_about_frames_behind_the_deadline(clock: Clock) -> None:
    model, plans = FakeModel(ANSWER), Plans(["imagenet_1"])
    plans.set("door", CameraRecord(link="0", deadline=0.5))
    bench = Bench([model], plans=plans)
    now = clock.time_ns()

    for seq, age in enumerate((0.5, 0.6)):
        bench.put(a_frame(seq, captured=now - int(age * SECOND)))
        bench.labeller.step()

    assert [frame.seq for frame in model.offered] == [0]
    assert [frame.seq for frame in model.late] == [1]
    assert [frame.predictions for frame in bench.published] == [(ANSWER,), (ANSWER,)]


def test_frames_leave_in_the_order_in_which_they_came() -> None:
    bench = Bench()

    for seq in range(1, 6):
        bench.put(a_frame(seq, camera="door"), a_frame(10 * seq, camera="yard"))
        bench.labeller.step()
        bench.labeller.step()

    assert [frame.seq for frame in bench.published if frame.camera == "door"] == [1, 2, 3, 4, 5]
    assert [frame.seq for frame in bench.published if frame.camera == "yard"] == [10, 20, 30, 40, 50]
    assert bench.ledger.totals() == {"in": 10, "out": 10, "dropped": {}, "pending": 0}


def test_the_newest_frame_wins_and_the_others_are_counted() -> None:
    bench = Bench()

    bench.put(*(a_frame(seq) for seq in range(1, 5)))
    bench.labeller.step()

    assert [frame.seq for frame in bench.published] == [4]
    assert bench.ledger.totals() == {"in": 4, "out": 1, "dropped": {"replaced": 3}, "pending": 0}


def test_cameras_take_turns() -> None:
    bench = Bench()

    bench.put(a_frame(1, camera="door"), a_frame(1, camera="yard"), a_frame(2, camera="door"))

    assert [bench.labeller.step() for _ in range(3)] == [True, True, False]
    assert [(frame.camera, frame.seq) for frame in bench.published] == [("door", 2), ("yard", 1)]


def test_without_a_frame_deliveries_are_still_reported() -> None:
    bench = Bench()
    bench.producer.delivers = False
    bench.put(a_frame())
    bench.labeller.step()
    bench.producer.delivers = True

    bench.labeller.step()

    assert bench.ledger.totals()["out"] == 1


def test_every_model_is_offered_every_frame_as_it_came() -> None:
    models = [FakeModel(ANSWER), FakeModel(NONE_YET)]
    bench = Bench(models)
    frames = [a_frame(1), a_frame(2)]

    for frame in frames:
        bench.put(frame)
        bench.labeller.step()

    assert [model.offered for model in models] == [frames, frames]
    assert all(kept is came for kept, came in zip(models[0].offered, frames, strict=True))


def test_key_and_headers_travel_on_with_the_predictions() -> None:
    bench = Bench([FakeModel(ANSWER), FakeModel(NONE_YET)])

    bench.put(a_frame(19, camera="Tür/1", captured=123_456_789_000))
    bench.labeller.step()

    (sent,) = bench.producer.sent
    headers = dict(sent["headers"])
    assert sent["key"] == "Tür/1".encode()
    assert (headers["seq"], headers["captured"]) == (b"19", b"123456789000")
    assert json.loads(headers["predictions"]) == [
        {
            "model": "imagenet_1",
            "results": [{"label": "mountain bike", "score": 0.93, "box": [1, 2, 3, 4]}],
            "seq": 17,
            "age_ms": 41,
        },
        {"model": "imagenet_2", "results": [], "seq": None, "age_ms": None},
    ]
    assert bench.published[0].predictions == (ANSWER, NONE_YET)


def test_without_models_there_is_no_predictions_header() -> None:
    bench = Bench()

    bench.put(a_frame())
    bench.labeller.step()

    assert [name for name, _ in bench.producer.sent[0]["headers"]] == ["seq", "captured", "labelled"]


def test_the_run_is_passed_on_and_labelled_frames_are_numbered_per_camera() -> None:
    bench = Bench()
    for camera in ("front", "front", "back"):
        bench.put(a_frame()._replace(camera=camera, run="0a1b", seq=17))
        bench.labeller.step()
    bench.labeller.forget("front")
    bench.put(a_frame()._replace(camera="front"))
    bench.labeller.step()

    headers = [dict(each["headers"]) for each in bench.producer.sent]
    assert [each.get("run") for each in headers] == [b"0a1b", b"0a1b", b"0a1b", None]
    (first, *numbers) = [each["labelled"].decode().split("-") for each in headers]
    assert [number for _, number in (first, *numbers)] == ["0", "1", "0", "0"]
    assert numbers[0][0] == first[0]
    assert len({first[0], numbers[1][0], numbers[2][0]}) == 3, "each begins a run of its own"


def test_the_label_is_drawn_on_the_picture_and_the_rest_stays() -> None:
    image = np.full((480, 640, 3), 90, np.uint8)
    frame = a_frame(jpeg=picture.encode(image, 95))._replace(width=640, height=480)
    bench = Bench([FakeModel(ANSWER)])

    bench.put(frame)
    bench.labeller.step()

    (labelled,) = bench.published
    stamped = picture.decode(labelled.jpeg)
    assert (labelled.width, labelled.height) == (640, 480)
    assert (stamped[:60] > 220).all(axis=2).any()
    assert np.abs(stamped[64:].astype(int) - 90).max() <= 2


@pytest.mark.parametrize("quality", [None, 90, 30])
def test_the_picture_has_the_configured_quality_or_its_own(quality: int | None) -> None:
    bench = Bench([FakeModel(ANSWER)], quality=quality)
    image = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    came = picture.encode(image, 90)

    bench.put(a_frame(jpeg=came))
    bench.labeller.step()

    (labelled,) = bench.published
    at = came.index(b"\xff\xdb")
    of_quality = picture.encode(image, quality or 90)
    assert labelled.jpeg[at : at + 69] == of_quality[at : at + 69], "its table of quantization"


def test_the_incoming_frame_is_left_as_it_is() -> None:
    frame = a_frame()
    before = bytes(frame.jpeg)
    bench = Bench([FakeModel(ANSWER)])

    bench.put(frame)
    bench.labeller.step()

    assert frame.jpeg == before
    assert bench.published[0].jpeg != before


def test_a_jpeg_that_cannot_be_decoded_is_counted_logged_once_and_skipped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(topic="predictions")

    with caplog.at_level(logging.WARNING):
        for seq in range(1, 4):
            bench.put(a_frame(seq, jpeg=BROKEN))
            bench.labeller.step()
        bench.put(a_frame(4))
        bench.labeller.step()

    assert [frame.seq for frame in bench.published] == [4]
    assert bench.ledger.totals() == {"in": 4, "out": 1, "dropped": {"bad_jpeg": 3}, "pending": 0}
    assert len(bench.producer.sent) == 2
    assert ["frame of door skipped" in line for line in caplog.messages] == [True]


def test_a_jpeg_that_claims_more_pixels_than_there_can_be_is_skipped() -> None:
    jpeg = bytearray(a_frame().jpeg)
    at = jpeg.find(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = b"\xff\xdc\xff\xdc"
    bench = Bench()

    bench.put(a_frame(jpeg=bytes(jpeg)))
    bench.labeller.step()

    assert bench.ledger.totals()["dropped"] == {"bad_jpeg": 1}


def test_the_originals_message_is_written_if_configured() -> None:
    bench = Bench([FakeModel(ANSWER)], frame_format="mat")

    bench.put(a_frame(7))
    bench.labeller.step()

    (sent,) = bench.producer.sent
    fields = json.loads(sent["value"])
    assert (sent["key"], sent["headers"]) == (None, [])
    assert {name: fields[name] for name in ("channels", "rows", "cols", "type")} == {
        "channels": 3,
        "rows": 48,
        "cols": 64,
        "type": 16,
    }
    assert mat.decode(sent["value"]).shape == (48, 64, 3)
    assert bench.ledger.totals() == {"in": 1, "out": 1, "dropped": {}, "pending": 0}


@pytest.mark.parametrize("frame_format", ["jpeg", "mat"])
def test_predictions_are_published_alone_if_configured(frame_format: Format) -> None:
    bench = Bench([FakeModel(ANSWER), FakeModel(NONE_YET)], topic="predictions", frame_format=frame_format)

    bench.put(a_frame(19))
    bench.labeller.step()

    alone = [message for message in bench.producer.sent if message["topic"] == "predictions"]
    fields = json.loads(alone[0]["value"])
    assert len(alone) == 1
    assert (fields["camera"], fields["seq"]) == ("door", 19)
    assert [prediction["model"] for prediction in fields["predictions"]] == ["imagenet_1", "imagenet_2"]


def test_a_full_queue_to_kafka_makes_room_for_the_newest() -> None:
    bench = Bench(capacity=1)
    bench.producer.delivers = False

    for seq in range(1, 4):
        bench.put(a_frame(seq))
        bench.labeller.step()
    bench.producer.delivers = True
    bench.close()

    assert [frame.seq for frame in bench.published] == [3]
    assert bench.ledger.totals() == {"in": 3, "out": 1, "dropped": {"replaced": 2}, "pending": 0}


def test_a_forgotten_cameras_frame_is_dropped_and_every_model_forgets_it() -> None:
    models = [FakeModel(ANSWER), FakeModel(NONE_YET)]
    bench = Bench(models)
    bench.put(a_frame(1, camera="door"), a_frame(1, camera="yard"))

    bench.labeller.forget("door")
    steps = [bench.labeller.step(), bench.labeller.step()]

    assert steps == [True, False]
    assert [frame.camera for frame in bench.published] == ["yard"]
    assert [model.forgotten for model in models] == [["door"], ["door"]]
    assert bench.ledger.totals() == {"in": 2, "out": 1, "dropped": {"forgotten": 1}, "pending": 0}


def test_frames_that_are_left_are_counted_at_the_end() -> None:
    bench = Bench()

    bench.put(a_frame(1, camera="door"), a_frame(1, camera="yard"))
    bench.close()

    assert bench.ledger.totals() == {"in": 2, "out": 0, "dropped": {"stopping": 2}, "pending": 0}


@PROPERTY
@given(
    events=st.lists(
        st.tuples(
            st.sampled_from(["door", "yard", "roof"]), st.sampled_from(["put", "bad", "step", "stall"])
        ),
        max_size=30,
    ),
    capacity=st.integers(0, 3),
)
def test_the_ledger_balances_whatever_happens(events: list[tuple[str, str]], capacity: int) -> None:
    bench = Bench([FakeModel(ANSWER)], capacity=capacity)
    waiting: set[str] = set()

    for seq, (camera, event) in enumerate(events):
        if event in {"put", "bad"}:
            bench.put(a_frame(seq, camera=camera, jpeg=BROKEN if event == "bad" else None))
            waiting.add(camera)
        elif event == "stall":
            bench.producer.delivers = not bench.producer.delivers
        elif bench.labeller.frames._slots:
            bench.labeller.step()
    bench.producer.delivers = True
    bench.close()

    assert balanced(bench)
    seqs: dict[str, list[int]] = {camera: [] for camera in waiting}
    for frame in bench.published:
        seqs[frame.camera].append(frame.seq)
    assert all(numbers == sorted(set(numbers)) for numbers in seqs.values())


def test_a_hanging_model_server_holds_nothing_up() -> None:
    with ScriptedServer(hang) as server:
        client = Client(server.url, 60)
        signature = Known(client.signature)
        handler = Imagenet(ImagenetOptions(), signature)
        model = Model(
            "imagenet_1", handler, fixed_labels("tench"), [client], signature, most=8, forget_after=10
        )
        bench = Bench([model])
        pulse = Pulse(threading.Event())
        thread = threading.Thread(target=model.run, args=(client, pulse), daemon=True)
        thread.start()
        bench.put(a_frame(1))
        bench.labeller.step()
        wait_for(lambda: server.bodies, 10, "the question that hangs")

        for seq in range(2, 52):
            bench.put(a_frame(seq))
            bench.labeller.step()

        assert [frame.seq for frame in bench.published] == list(range(1, 52))
        assert {frame.predictions for frame in bench.published} == {(Prediction("imagenet_1"),)}
        assert len(server.bodies) == 1
        pulse.stopping.set()
        server.released.set()
        thread.join(10)

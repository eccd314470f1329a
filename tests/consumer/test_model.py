"""A model is asked about the newest frames as fast as it answers, and never holds up the video."""

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import numpy as np
import pytest
from prometheus_client import REGISTRY

from consumer.handlers.handler import Handler, NothingValidError, Options, Question
from consumer.known import Known
from consumer.labels.labels import Labels
from consumer.labels.sources import LabelSource
from consumer.load import Load
from consumer.model import Model
from pipeline.model_server.client import Client
from pipeline.model_server.errors import ModelError
from pipeline.model_server.tensors import Array, Signature, Tensors
from pipeline.service.workers import Pulse
from pipeline.wire.frame import Frame
from pipeline.wire.picture import PictureError
from pipeline.wire.predictions import Prediction, Result
from tests.clock import SECOND, Clock
from tests.consumer import fakes
from tests.consumer.fakes import ScriptedServer, a_frame, fixed_labels, reply
from tests.parts import wait_for

NAMES = (f"imagenet_{number}" for number in itertools.count(1000))
FORGET_AFTER = 10.0

Asked = list[str]
Outputs = dict[str, Array] | ModelError
Answer = Outputs | Callable[[Asked], Outputs]


def says(*labels: str) -> dict[str, Array]:
    """Return a model's answer: a label for each frame."""
    return {"label": np.array(labels)}


def echo(asked: Asked) -> dict[str, Array]:
    """Answer each frame with its own name."""
    return says(*asked)


class HeldClient:
    """Answers a question when a test says so; `asked` has the questions so far, as `door 1`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.lack: str | None = None
        self.version: int | None = None
        self.looks = 0
        self.closed = False

    def predict(self, inputs: Tensors, wanted: Sequence[str] = ()) -> dict[str, Array]:  # noqa: ARG002
        """Wait for the next answer."""
        asked = [str(name) for name in inputs["frame"]]
        self.asked.append(asked)
        answer = self.answers.get(timeout=60)
        if callable(answer):
            answer = answer(asked)
        if isinstance(answer, ModelError):
            raise answer
        return answer

    def signature(self) -> Signature:
        """Return a signature without tensors."""
        return Signature({}, {})

    def missing(self) -> str | None:
        """Return what the test says is missing."""
        self.looks += 1
        return self.lack

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def answer(self, *answers: Answer) -> None:
        """Give these answers to this question and the next."""
        for answer in answers:
            self.answers.put(answer)


class NameHandler(Handler[Options]):
    """Asks with the frame's camera and number, for a test to read; about `empty` it asks nothing."""

    Options: ClassVar[type[Options]] = Options

    def __init__(self) -> None:
        super().__init__(Options(), lambda: Signature({}, {}))
        self.forgotten: list[str] = []

    def question(self, frame: Frame) -> Question:
        """Return `door 1` as a question."""
        if not frame.jpeg:
            raise PictureError("0 bytes are no picture")
        rows = 0 if frame.camera == "empty" else 1
        return Question(frame, {"frame": np.array([f"{frame.camera} {frame.seq}"] * rows)}, rows)

    def forget(self, camera: str) -> None:
        """Remember which camera was forgotten."""
        self.forgotten.append(camera)

    def results(
        self,
        question: Question,  # noqa: ARG002
        answer: Tensors,
        labels: Labels,
    ) -> tuple[Result, ...]:
        """Return the label of the only row; in the labels of a version, its last part is the version's."""
        (label,) = answer["label"]
        if label == "nonsense":
            raise ValueError("no label")
        if label == "unknown":
            raise NothingValidError("all are left out")
        return (Result(f"{label}{labels.names[0].removeprefix('tench')}", 1.0),)


def a_model(
    *clients: Client,
    most: int = 8,
    handler: Handler[Options] | None = None,
    names: LabelSource | None = None,
    load: Load | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Model:
    """Return a model with its own counters."""
    return Model(
        next(NAMES),
        NameHandler() if handler is None else handler,
        fixed_labels("tench") if names is None else names,
        clients,
        Known(clients[0].signature),
        most=most,
        forget_after=FORGET_AFTER,
        load=load,
        clock=clock,
    )


@contextmanager
def running(model: Model, *clients: HeldClient) -> Iterator[Pulse]:
    """Run a model's workers on threads of their own."""
    pulse = Pulse(threading.Event())
    threads = [
        threading.Thread(target=model.run, args=(client, pulse), daemon=True) for client in model.clients
    ]
    for thread in threads:
        thread.start()
    try:
        yield pulse
    finally:
        pulse.stopping.set()
        for client in clients:
            client.answer(echo, echo, echo)
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


def metric(name: str, model: Model, **labels: str) -> float:
    """Return a counter of this model."""
    return REGISTRY.get_sample_value(name, {"model": model.name, **labels}) or 0


def outcomes(model: Model, kind: str) -> Callable[[], float]:
    """Return a counter of the requests with this outcome."""
    return lambda: metric("streamlens_model_requests_total", model, outcome=kind)


def labels(model: Model, *cameras: str) -> list[str]:
    """Return the labels that are held about each camera."""
    return [", ".join(result.label for result in model.prediction(camera).results) for camera in cameras]


def test_before_any_answer_there_are_no_results() -> None:
    model = a_model(HeldClient())

    assert model.prediction("door") == Prediction(model.name, (), None, None)


def test_a_frame_that_is_passed_by_is_counted_and_not_asked_about() -> None:
    client = HeldClient()
    model = a_model(client)

    with running(model, client):
        model.pass_by(a_frame(1, camera="yard"))
        model.offer(a_frame(1, camera="door"))
        wait_for(lambda: client.asked, 10, "a question")
        client.answer(echo)

    assert client.asked == [["door 1"]]
    assert metric("streamlens_model_frames_late_total", model) == 1


def test_after_a_request_the_newest_frame_of_each_camera_is_sent_at_once(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(1, camera="door", captured=clock.time_ns()))
        wait_for(lambda: client.asked, 10, "the first question")
        for seq in range(2, 6):
            model.offer(a_frame(seq, camera="door", captured=clock.time_ns()))
        for seq in range(1, 4):
            model.offer(a_frame(seq, camera="yard", captured=clock.time_ns()))
        client.answer(echo, echo)
        wait_for(lambda: outcomes(model, "ok")() == 2, 10, "both answers")

    assert client.asked == [["door 1"], ["yard 3", "door 5"]]
    assert labels(model, "door", "yard") == ["door 5", "yard 3"]
    assert metric("streamlens_model_frames_skipped_total", model) == 5
    assert metric("streamlens_model_frames_answered_total", model) == 3


def test_frames_that_are_answered_or_skipped_count_for_the_load() -> None:
    client, clock = HeldClient(), Clock()
    load = Load(clock.monotonic)
    model = a_model(client, load=load)
    for seq in range(6):
        model.offer(a_frame(seq, camera="door"))
    model.offer(a_frame(1, camera="yard"))

    with running(model, client):
        client.answer(echo)
        wait_for(outcomes(model, "ok"), 10, "the answer")
    clock.now += 10

    assert list(load.report()) == pytest.approx([0.2, 0.5, 3.5])


def test_how_long_frames_wait_and_how_many_are_sent_at_once_are_measured() -> None:
    client, clock = HeldClient(), Clock()
    model = a_model(client, clock=clock.monotonic)
    model.offer(a_frame(1, camera="door"))
    clock.now += 0.25
    for camera in ("yard", "hall"):
        model.offer(a_frame(1, camera=camera))

    with running(model, client):
        client.answer(echo)
        wait_for(outcomes(model, "ok"), 10, "the answer")
        model.offer(a_frame(2, camera="door"))
        client.answer(ModelError("timeout", "no answer"))
        wait_for(outcomes(model, "timeout"), 10, "the failure")

    for name, count, total in (
        ("queue_seconds", 4, 0.25),
        ("batch_frames", 2, 4),
        ("answer_seconds", 1, None),
    ):
        assert metric(f"streamlens_model_{name}_count", model) == count
        if total is not None:
            assert metric(f"streamlens_model_{name}_sum", model) == total
    assert metric("streamlens_model_batch_frames_bucket", model, le="1.0") == 1
    assert metric("streamlens_model_batch_frames_bucket", model, le="2.0") == 1
    assert metric("streamlens_model_batch_frames_bucket", model, le="4.0") == 2


def test_the_age_of_each_label_that_is_stamped_is_measured(clock: Clock) -> None:
    client = HeldClient()
    client.answer(says("goldfish"))
    model = a_model(client)
    model.prediction("door")
    with running(model, client):
        model.offer(a_frame(17, captured=clock.time_ns()))
        wait_for(outcomes(model, "ok"), 10, "the answer")

    for passed in (0.05, 0.95, 8.0, 10.0):  # at last it is forgotten, and not stamped any more
        clock.now += passed
        model.prediction("door")
        model.prediction("yard")

    assert metric("streamlens_label_age_seconds_count", model) == 3
    assert metric("streamlens_label_age_seconds_sum", model) == pytest.approx(0.05 + 1 + 9)
    assert metric("streamlens_label_age_seconds_bucket", model, le="0.08") == 1
    assert metric("streamlens_label_age_seconds_bucket", model, le="1.2") == 2


def test_a_request_holds_no_more_frames_than_configured() -> None:
    client = HeldClient()
    model = a_model(client, most=3)
    for camera in "abcde":
        model.offer(a_frame(1, camera=camera))

    with running(model, client):
        client.answer(echo, echo)
        wait_for(lambda: outcomes(model, "ok")() == 2, 10, "both answers")

    assert client.asked == [["a 1", "b 1", "c 1"], ["d 1", "e 1"]]


def test_there_are_as_many_requests_at_a_time_as_clients(clock: Clock) -> None:
    first, second = HeldClient(), HeldClient()
    model = a_model(first, second)

    with running(model, first, second):
        for seq in (1, 2):
            model.offer(a_frame(seq, captured=clock.time_ns() + seq))
            wait_for(lambda seq=seq: len(first.asked + second.asked) == seq, 10, "a question")  # type: ignore[misc]
        older, newer = sorted((first, second), key=lambda client: client.asked)
        newer.answer(echo)
        wait_for(lambda: labels(model, "door") == ["door 2"], 10, "the newer answer")
        older.answer(echo)
        wait_for(lambda: outcomes(model, "ok")() == 2, 10, "both answers")

        assert labels(model, "door") == ["door 2"]

    model.close()
    assert first.closed
    assert second.closed


def test_a_camera_with_nothing_to_ask_gets_an_answer_without_results(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client)
    model.offer(a_frame(1, camera="empty", captured=clock.time_ns()))
    model.offer(a_frame(1, camera="door", captured=clock.time_ns()))

    with running(model, client):
        client.answer(echo)
        wait_for(outcomes(model, "ok"), 10, "the answer")
        model.offer(a_frame(2, camera="empty", captured=clock.time_ns()))
        wait_for(lambda: model.prediction("empty").seq == 2, 10, "an answer without a question")

    assert client.asked == [["door 1"]]
    assert labels(model, "door") == ["door 1"]
    assert model.prediction("empty") == Prediction(model.name, (), 2, 0)
    assert outcomes(model, "ok")() == 1


def test_an_answer_is_held_and_its_age_grows_until_it_is_forgotten(clock: Clock) -> None:
    client = HeldClient()
    client.answer(says("goldfish"))
    model = a_model(client, clock=clock.monotonic)
    captured = clock.time_ns()
    results = (Result("goldfish", 1.0),)

    with running(model, client):
        model.offer(a_frame(17, captured=captured))
        wait_for(outcomes(model, "ok"), 10, "the answer")

    for passed, age in ((0.041, 41), (1.0, 1041), (8.959, 10_000)):
        clock.now += passed
        assert model.prediction("door") == Prediction(model.name, results, 17, age, 0)
    clock.now += 0.001
    assert model.prediction("door") == Prediction(model.name)


def test_an_answer_says_how_long_the_model_took(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client, clock=clock.monotonic)

    def slowly(asked: Asked) -> Outputs:
        clock.now += 0.023
        return echo(asked)

    with running(model, client):
        model.offer(a_frame(1, captured=clock.time_ns()))
        client.answer(slowly)
        wait_for(outcomes(model, "ok"), 10, "the answer")

    assert model.prediction("door") == Prediction(model.name, (Result("door 1", 1.0),), 1, 23, 23)


def test_a_failure_keeps_the_last_answer(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client, clock=clock.monotonic)

    with running(model, client):
        client.answer(says("tench"))
        model.offer(a_frame(1, captured=clock.time_ns()))
        wait_for(outcomes(model, "ok"), 10, "the answer")
        client.answer(ModelError("timeout", "no answer"))
        model.offer(a_frame(2, captured=clock.time_ns()))
        wait_for(outcomes(model, "timeout"), 10, "the failure")

        assert model.prediction("door") == Prediction(model.name, (Result("tench", 1.0),), 1, 0, 0)


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (ModelError("timeout", "no answer"), "timeout"),
        (ModelError("unreachable", "refused"), "unreachable"),
        (ModelError("nonsense", "no JSON"), "nonsense"),
        (says("nonsense"), "nonsense"),
        (says("one", "too many"), "nonsense"),
        ({"label": np.array("a scalar")}, "nonsense"),
    ],
)
def test_after_a_failure_the_newest_frame_is_asked_about_without_a_restart(
    clock: Clock, trouble: Outputs, kind: str
) -> None:
    client = HeldClient()
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(1, captured=clock.time_ns()))
        wait_for(lambda: client.asked, 10, "the question")
        for seq in (2, 3):
            model.offer(a_frame(seq, captured=clock.time_ns()))
        client.answer(trouble, says("shark"))
        wait_for(outcomes(model, kind), 10, "the failure")
        wait_for(outcomes(model, "ok"), 10, "the answer")

    assert client.asked == [["door 1"], ["door 3"]]
    assert model.prediction("door").results == (Result("shark", 1.0),)


def test_a_real_server_that_comes_back_is_asked_again(clock: Clock) -> None:
    good = reply(200, b'{"predictions": ["tench"]}')
    answers = [reply(500, b"no"), reply(200, b"nonsense"), reply(404, b""), good]

    class OnlyHandler(NameHandler):
        def results(self, question: Question, answer: Tensors, labels: Labels) -> tuple[Result, ...]:
            return super().results(question, {"label": answer[""]}, labels)

    with ScriptedServer(*answers) as server:
        client = fakes.Client(server.url, 10)
        model = a_model(client, handler=OnlyHandler())
        with running(model):
            for seq in range(1, 5):
                model.offer(a_frame(seq, captured=clock.time_ns()))
                wait_for(lambda seq=seq: len(server.bodies) == seq, 10, f"question {seq}")  # type: ignore[misc]
            wait_for(outcomes(model, "ok"), 10, "the answer")

    assert model.prediction("door").seq == 4
    assert [outcomes(model, kind)() for kind in ("http_500", "nonsense", "http_404", "ok")] == [1, 1, 1, 1]


def pauses_after(*answers: Answer) -> list[float]:
    """Return how long a model that gets these answers waits after each failure, in s."""
    pauses: list[float] = []

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0)
            return self.is_set()

    class Client(HeldClient):
        def predict(self, inputs: Tensors, wanted: Sequence[str] = ()) -> dict[str, Array]:  # noqa: ARG002
            if self.answers.qsize() > 1:
                model.offer(a_frame())
            else:
                pulse.stopping.set()
            return super().predict(inputs)

    pulse, client = Pulse(Stopping()), Client()
    model = a_model(client)
    client.answer(*answers)
    model.offer(a_frame())
    model.run(client, pulse)
    return pauses


def test_a_model_that_keeps_failing_is_asked_less_and_less_often() -> None:
    pauses = pauses_after(*[ModelError("unreachable", "refused")] * 8)

    assert len(pauses) == 8
    assert pauses == sorted(pauses)
    assert pauses[0] <= 0.2
    assert pauses[-1] == 2.0


def test_after_an_answer_the_next_failure_counts_as_the_first() -> None:
    trouble = ModelError("unreachable", "refused")

    first, _, third, again = pauses_after(trouble, trouble, trouble, echo, trouble)

    assert first == again < third


def test_offering_to_a_hanging_model_never_waits() -> None:
    client = HeldClient()
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(1))
        wait_for(lambda: client.asked, 10, "the question that hangs")
        for seq in range(2, 1002):
            model.offer(a_frame(seq, jpeg=b""))
            model.prediction("door")

        assert client.asked == [["door 1"]]
        assert metric("streamlens_model_frames_skipped_total", model) == 999


def test_a_model_beats_until_the_service_stops() -> None:
    model = a_model(HeldClient())

    with running(model) as pulse:
        begun = pulse.last
        wait_for(lambda: pulse.last > begun, 10, "a heartbeat")


def test_frames_of_five_seconds_ago_give_an_age_of_five_seconds(clock: Clock) -> None:
    client = HeldClient()
    client.answer(says("tench"))
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(1, captured=clock.time_ns() - 5 * SECOND))
        wait_for(outcomes(model, "ok"), 10, "the answer")

    assert model.prediction("door").age_ms == 5000


REFUSAL = ModelError("http_400", "it answered 400: no picture", refused=True)


def test_a_camera_whose_frames_a_model_refuses_does_not_hold_up_the_others() -> None:
    client = HeldClient()
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(1, camera="bad"))
        client.answer(REFUSAL)
        wait_for(lambda: outcomes(model, "http_400")() == 1, 10, "the refusal")
        model.offer(a_frame(2, camera="bad"))
        for seq in range(1, 4):
            model.offer(a_frame(seq, camera="good"))
            client.answer(echo)
            wait_for(lambda seq=seq: outcomes(model, "ok")() == seq, 10, "an answer")  # type: ignore[misc]

    assert client.asked[:4] == [["bad 1"], ["good 1"], ["good 2"], ["good 3"]]


def test_frames_that_are_refused_together_are_asked_about_one_by_one(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client)
    for camera in ("good", "bad", "best"):
        model.offer(a_frame(1, camera=camera, captured=clock.time_ns()))

    with running(model, client):
        client.answer(REFUSAL, echo, REFUSAL, echo)
        wait_for(lambda: outcomes(model, "ok")() == 2, 10, "two answers")
        model.offer(a_frame(2, camera="good", captured=clock.time_ns()))
        model.offer(a_frame(2, camera="best", captured=clock.time_ns()))
        client.answer(echo)
        wait_for(lambda: outcomes(model, "ok")() == 3, 10, "a third")

    assert client.asked[:4] == [["good 1", "bad 1", "best 1"], ["good 1"], ["bad 1"], ["best 1"]]
    assert labels(model, "good", "bad", "best") == ["good 2", "", "best 2"]
    assert outcomes(model, "http_400")() == 1


class Cameras:
    """Offers a frame of each camera while the model is busy, so that they wait for it together."""

    def __init__(self, model: Model, client: HeldClient, clock: Clock, names: str) -> None:
        self._model, self._client, self._clock, self._names = model, client, clock, names

    def offer(self, seq: int, *answers: Answer) -> list[Asked]:
        """Return what is asked about these frames, which get these answers."""
        client, before = self._client, len(self._client.asked)
        self._model.offer(a_frame(seq, camera="busy", captured=self._clock.time_ns()))
        wait_for(lambda: len(client.asked) == before + 1, 10, "the model to be busy")
        for camera in self._names:
            self._model.offer(a_frame(seq, camera=camera, captured=self._clock.time_ns()))
        client.answer(echo, *answers)
        done = before + 1 + len(answers)
        wait_for(lambda: len(client.asked) == done and client.answers.empty(), 10, "the questions")
        last = f"{self._names[-1]} {seq}"
        wait_for(lambda: labels(self._model, self._names[-1]) == [last], 10, "the last answer")
        return client.asked[before + 1 :]


def test_a_model_that_rejects_a_batch_gets_half_as_many_frames_from_then_on(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client)
    cameras = Cameras(model, client, clock, "abcd")

    with running(model, client):
        first = cameras.offer(1, REFUSAL, echo, echo, echo, echo)
        second = cameras.offer(2, echo, echo)

    assert first == [["a 1", "b 1", "c 1", "d 1"], ["a 1"], ["b 1"], ["c 1"], ["d 1"]]
    assert second == [["a 2", "b 2"], ["c 2", "d 2"]]


def test_a_model_that_takes_one_frame_at_a_time_is_asked_so_from_then_on(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client)
    cameras = Cameras(model, client, clock, "ab")

    with running(model, client):
        cameras.offer(1, REFUSAL, echo, echo)
        second = cameras.offer(2, echo, echo)

    assert second == [["a 2"], ["b 2"]]


def test_after_some_minutes_a_larger_batch_is_tried_again(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client, clock=clock.monotonic)
    cameras = Cameras(model, client, clock, "ab")

    with running(model, client):
        cameras.offer(1, REFUSAL, echo, echo)
        clock.now += 600
        second = cameras.offer(2, echo)

    assert second == [["a 2", "b 2"]]


def test_a_batch_with_one_bad_frame_does_not_make_batches_smaller(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client)
    cameras = Cameras(model, client, clock, "abc")

    with running(model, client):
        cameras.offer(1, REFUSAL, echo, REFUSAL, echo)
        second = cameras.offer(2, echo)

    assert second == [["a 2", "c 2"]]


def test_a_frame_that_is_not_a_picture_is_counted_and_does_not_hold_up_the_others(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client)
    model.offer(a_frame(1, camera="bad", jpeg=b""))
    model.offer(a_frame(1, camera="good", captured=clock.time_ns()))

    with running(model, client):
        client.answer(echo)
        wait_for(outcomes(model, "ok"), 10, "the answer")

    assert labels(model, "good") == ["good 1"]
    assert outcomes(model, "bad_picture")() == 1


def test_an_answer_that_makes_no_sense_for_one_camera_is_one_for_the_others(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client)
    for camera in ("good", "bad"):
        model.offer(a_frame(1, camera=camera, captured=clock.time_ns()))

    with running(model, client):
        client.answer(says("tench", "nonsense"))
        wait_for(outcomes(model, "nonsense"), 10, "the failure")

    assert labels(model, "good", "bad") == ["tench", ""]


def test_answers_without_anything_valid_are_a_trouble_of_the_model_but_no_reason_to_wait(
    clock: Clock,
) -> None:
    client = HeldClient()
    model = a_model(client, clock=clock.monotonic)
    with running(model, client):
        model.offer(a_frame(1))
        client.answer(says("tench"))
        wait_for(outcomes(model, "ok"), 10, "the answer")
        model.offer(a_frame(2))
        client.answer(says("unknown"))
        wait_for(outcomes(model, "nonsense"), 10, "the empty answer")
    ready = model.unready()
    clock.now += FORGET_AFTER

    assert ready is None
    assert model.unready() == f"model {model.name}: invalid answer: all are left out"
    assert model.prediction("door").results == ()
    assert model._health.pause() == 0


def test_one_camera_without_anything_valid_is_no_trouble_if_another_has_results(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client, clock=clock.monotonic)
    for camera in ("a", "b"):
        model.offer(a_frame(1, camera=camera, captured=clock.time_ns()))
    with running(model, client):
        client.answer(says("tench", "unknown"))
        wait_for(outcomes(model, "ok"), 10, "the answer")

    assert outcomes(model, "nonsense")() == 0
    assert labels(model, "a") == ["tench"]
    assert model.unready() is None


def test_the_signature_is_asked_for_once_and_again_after_a_failure() -> None:
    client = HeldClient()
    fetched = []

    def fetch() -> Signature:
        fetched.append(1)
        return Signature({}, {})

    signature = Known(fetch)

    class CuriousHandler(NameHandler):
        def question(self, frame: Frame) -> Question:
            signature()
            return super().question(frame)

    model = Model(
        next(NAMES),
        CuriousHandler(),
        fixed_labels("tench"),
        [client],
        signature,
        most=8,
        forget_after=FORGET_AFTER,
    )
    with running(model, client):
        for seq, trouble in enumerate((None, None, ModelError("http_500", "no"), None), start=1):
            model.offer(a_frame(seq))
            client.answer(trouble or echo)
            wait_for(lambda seq=seq: len(client.asked) == seq, 10, "a question")  # type: ignore[misc]
            wait_for(client.answers.empty, 10, "its answer to be taken")
            wait_for(
                lambda seq=seq: outcomes(model, "ok")() + outcomes(model, "http_500")() == seq,  # type: ignore[misc]
                10,
                "an outcome",
            )

    assert len(fetched) == 2


@pytest.mark.parametrize("rate", [1, 2])
def test_one_fast_camera_and_seven_slow_ones_are_answered_equally(clock: Clock, rate: int) -> None:
    clients = [HeldClient() for _ in range(rate)]
    model = a_model(*clients, most=2)
    cameras = ["fast", *(f"slow {number}" for number in range(7))]

    with running(model, *clients):
        for turn in range(1, 401 // rate):
            for camera in cameras:
                for _ in range(10 if camera == "fast" else 1):
                    model.offer(a_frame(turn, camera=camera, captured=clock.time_ns()))
            for client in clients:
                client.answer(echo)
            wait_for(lambda done=turn * rate: outcomes(model, "ok")() >= done, 10, "a round of answers")  # type: ignore[misc]

        asked = [name.rpartition(" ")[0] for client in clients for pair in client.asked for name in pair]
        shares = [asked.count(camera) for camera in cameras]
        assert sum(shares) >= 700
        assert max(shares) - min(shares) <= 4, dict(zip(cameras, shares, strict=True))


def test_it_is_unready_once_its_answers_are_forgotten(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client, clock=clock.monotonic)
    with running(model, client):
        model.offer(a_frame())
        client.answer(ModelError("http_404", "it answered 404"))
        wait_for(lambda: "404" in (model.unready() or ""), 10, "a complaint")

        client.answer(says("tench"))
        model.offer(a_frame())
        wait_for(lambda: model.unready() is None, 10, "the answer")

        client.answer(ModelError("timeout", "no answer within 2 s"))
        model.offer(a_frame())
        wait_for(outcomes(model, "timeout"), 10, "the failure")
        assert model.unready() is None

        clock.now += FORGET_AFTER
        assert model.unready() == f"model {model.name}: no answer within 2 s"


def test_readiness_only_reports_what_the_worker_has_found_out() -> None:
    client = HeldClient()
    client.lack = "the server answered 404"
    model = a_model(client)

    assert client.looks == 0
    assert "has not been asked" in (model.unready() or "")
    assert client.looks == 0

    with running(model, client):
        wait_for(lambda: "404" in (model.unready() or ""), 10, "the worker to look")


def test_before_there_are_frames_it_is_ready_once_the_server_offers_it(clock: Clock) -> None:
    client = HeldClient()
    client.lack = "the server answered 404"
    model = a_model(client, clock=clock.monotonic)

    with running(model, client) as pulse:
        wait_for(lambda: "404" in (model.unready() or ""), 10, "the worker to look")
        client.lack = None
        clock.now += 3
        wait_for(lambda: model.unready() is None, 10, "the worker to look again")
        client.lack = "not asked any more"
        clock.now += 60
        looks, last = client.looks, pulse.last
        wait_for(lambda: pulse.last > last + 1, 10, "two more turns of the worker")

    assert client.looks == looks
    assert model.unready() is None


def test_after_a_failure_the_worker_looks_once_there_is_nothing_to_ask(clock: Clock) -> None:
    client = HeldClient()
    client.lack = "connection refused"
    model = a_model(client, clock=clock.monotonic)
    with running(model, client):
        model.offer(a_frame())
        client.answer(ModelError("timeout", "no answer within 2 s"))
        wait_for(outcomes(model, "timeout"), 10, "the failure")
        assert model.unready() == f"model {model.name}: no answer within 2 s"

        clock.now += 16
        wait_for(lambda: "connection refused" in (model.unready() or ""), 10, "the worker to look")

        client.lack = None
        clock.now += 3
        wait_for(lambda: model.unready() is None, 10, "the worker to look again")


def test_while_the_labels_are_missing_the_model_is_not_asked_and_says_so(clock: Clock) -> None:
    client, available = HeldClient(), threading.Event()

    def read(*_: object) -> tuple[bytes, None]:
        if not available.is_set():
            raise ModelError("labels", "no labels yet")
        return b"tench", None

    names = LabelSource("imagenet_1", "labels.txt", read, 0, clock.monotonic)
    names.refresh()
    model = a_model(client, names=names)
    with running(model, client):
        wait_for(lambda: "no labels yet" in (model.unready() or ""), 10, "the worker to look for labels")
        model.offer(a_frame(1, captured=clock.time_ns()))
        wait_for(outcomes(model, "labels"), 10, "a frame without labels")
        assert client.asked == []

        available.set()
        clock.now += 1
        names.refresh()
        client.answer(echo)
        model.offer(a_frame(2, captured=clock.time_ns()))
        wait_for(lambda: labels(model, "door") == ["door 2"], 10, "the answer")

    assert model.unready() is None


def test_each_version_of_a_model_has_its_own_labels(clock: Clock) -> None:
    client = HeldClient()
    client.version = 1

    def read(place: str, _: object) -> tuple[bytes, None]:
        return f"tench of {place}".encode(), None

    names = LabelSource("imagenet_1", "{version}.txt", read, 1e9, clock.monotonic)
    model = a_model(client, names=names)
    with running(model, client):
        model.offer(a_frame(1, captured=clock.time_ns()))
        client.answer(echo)
        wait_for(outcomes(model, "unread"), 10, "an answer whose labels are not there yet")
        names.refresh()
        model.offer(a_frame(2, captured=clock.time_ns()))
        client.answer(echo)
        wait_for(lambda: labels(model, "door") == ["door 2 of 1.txt"], 10, "the answer of version 1")

        client.version = 2
        model.offer(a_frame(3, captured=clock.time_ns()))
        client.answer(echo)
        wait_for(names.wanted.is_set, 10, "the labels of version 2 to be wanted")
        wait_for(lambda: outcomes(model, "unread")() == 2, 10, "an answer without labels")
        names.refresh()
        model.offer(a_frame(4, captured=clock.time_ns()))
        client.answer(echo)
        wait_for(lambda: labels(model, "door") == ["door 4 of 2.txt"], 10, "the answer of version 2")


def test_another_version_has_the_labels_and_the_signature_read_again(clock: Clock) -> None:
    client, reads = HeldClient(), list[str]()
    client.version = 1

    def read(place: str, _: object) -> tuple[bytes, None]:
        reads.append(place)
        return b"tench", None

    names = LabelSource("imagenet_1", "labels.txt", read, 1e9, clock.monotonic)
    names.refresh()
    model = a_model(client, names=names)
    with running(model, client):
        for number, version in enumerate((1, 1, 2), start=1):
            assert not names.wanted.is_set()
            client.version = version
            model.offer(a_frame(number, captured=clock.time_ns()))
            client.answer(echo)
            wait_for(lambda number=number: labels(model, "door") == [f"door {number}"], 10, "the answer")  # type: ignore[misc]

    assert names.wanted.is_set()
    names.refresh()
    assert len(reads) == 2


def test_a_forgotten_camera_has_no_answer_and_its_handler_forgets_it(clock: Clock) -> None:
    client, handler = HeldClient(), NameHandler()
    model = a_model(client, handler=handler)
    with running(model, client):
        for camera in ("door", "yard"):
            model.offer(a_frame(1, camera=camera, captured=clock.time_ns()))
            client.answer(echo)
            wait_for(lambda camera=camera: labels(model, camera) != [""], 10, "an answer")  # type: ignore[misc]

        model.forget("door")

        assert labels(model, "door", "yard") == ["", "yard 1"]
        assert handler.forgotten == ["door"]


def test_a_frame_that_is_under_way_when_its_camera_is_forgotten_leaves_nothing_behind(clock: Clock) -> None:
    client, handler = HeldClient(), NameHandler()
    model = a_model(client, handler=handler)
    for camera in ("door", "yard"):
        model.offer(a_frame(1, camera=camera, captured=clock.time_ns()))

    with running(model, client):
        wait_for(lambda: client.asked == [["door 1", "yard 1"]], 10, "the question")
        model.forget("door")
        client.answer(echo)
        wait_for(lambda: labels(model, "yard") == ["yard 1"], 10, "the other camera's answer")
        wait_for(lambda: handler.forgotten == ["door", "door"], 10, "the handler to forget once more")

    assert labels(model, "door") == [""]


def test_the_answer_about_a_forgotten_cameras_last_frame_is_not_even_shown_for_a_moment(
    clock: Clock,
) -> None:
    client = HeldClient()
    model = a_model(client)
    for camera in ("door", "yard"):
        model.offer(a_frame(1, camera=camera, captured=clock.time_ns()))

    with running(model, client):
        wait_for(lambda: client.asked, 10, "the question")
        model.forget("door")
        client.answer(REFUSAL, echo)
        wait_for(lambda: len(client.asked) == 3, 10, "the question about the other camera")

        assert client.asked[1:] == [["door 1"], ["yard 1"]]
        assert labels(model, "door") == [""]


def test_a_refused_camera_that_is_forgotten_may_be_asked_about_when_it_comes_back(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client)
    with running(model, client):
        model.offer(a_frame(1))
        client.answer(REFUSAL)
        wait_for(outcomes(model, "http_400"), 10, "the refusal")

        model.forget("door")
        model.offer(a_frame(2, captured=clock.time_ns()))
        client.answer(echo)

        wait_for(lambda: labels(model, "door") == ["door 2"], 10, "the answer")

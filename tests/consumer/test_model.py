"""A model is asked about the newest frames as fast as it answers, and never holds anything up."""

import itertools
import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from prometheus_client import REGISTRY

from consumer.client import ModelClient, ModelError
from consumer.handlers.imagenet import Imagenet
from consumer.model import Model
from pipeline.frame import Frame
from pipeline.predictions import Prediction, Result
from pipeline.service import Pulse
from tests.clock import SECOND, Clock
from tests.consumer.fakes import Client, ScriptedServer, a_frame, reply
from tests.parts import wait_for

LABELS = ("tench", "goldfish", "shark")
NAMES = (f"imagenet_{number}" for number in itertools.count(1000))
FORGET_AFTER = 10.0


def answer(number: int, score: float = 1.0) -> bytes:
    """Return a model server's answer."""
    probabilities = [0.0] * 4
    probabilities[number] = score
    return json.dumps({"predictions": [{"classes": number, "probabilities": probabilities}]}).encode()


class HeldClient:
    """Answers a question when it is told to; `asked` tells what it was asked so far."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._answers: queue.Queue[bytes | Exception] = queue.Queue()
        self.lack: str | None = None

    def missing(self) -> str | None:
        """Return what the test says is missing."""
        return self.lack

    def ask(self, body: bytes) -> bytes:
        """Wait for the next answer."""
        self.asked.append(body)
        answer = self._answers.get(timeout=60)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def answer(self, text: bytes | Exception) -> None:
        """Give an answer, or raise an error, to this question or the next."""
        self._answers.put(text)


class SeqHandler(Imagenet):
    """Asks with the frame's camera and number alone, so that a test can read them."""

    def request(self, frame: Frame) -> bytes:
        """Return `camera 1`."""
        return f"{frame.camera} {frame.seq}".encode()


def a_model(client: HeldClient | ModelClient) -> Model:
    """Return a model with counters of its own."""
    return Model(next(NAMES), SeqHandler(LABELS), cast("ModelClient", client), FORGET_AFTER)


@contextmanager
def running(model: Model, client: HeldClient | None = None) -> Iterator[Pulse]:
    """Run a model on a thread of its own."""
    pulse = Pulse(threading.Event())
    thread = threading.Thread(target=model.run, args=(pulse,), daemon=True)
    thread.start()
    try:
        yield pulse
    finally:
        pulse.stopping.set()
        if client is not None:
            client.answer(answer(1))
        thread.join(10)
        assert not thread.is_alive()


def metric(name: str, model: Model, **labels: str) -> float:
    """Return a counter of this model."""
    return REGISTRY.get_sample_value(name, {"model": model.name, **labels}) or 0


def outcomes(model: Model, kind: str) -> Callable[[], float]:
    """Return what counts the requests that came to this."""
    return lambda: metric("streamlens_model_requests_total", model, outcome=kind)


def test_before_any_answer_there_are_no_results() -> None:
    model = a_model(HeldClient())

    assert model.prediction("door") == Prediction(model.name, (), None, None)


def test_a_busy_model_is_asked_about_the_newest_frame_of_each_camera_in_turn() -> None:
    client = HeldClient()
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(1, camera="door"))
        wait_for(lambda: client.asked, 10, "the first question")
        for seq in range(2, 6):
            model.offer(a_frame(seq, camera="door"))
        for seq in range(1, 4):
            model.offer(a_frame(seq, camera="yard"))
        for _ in range(3):
            client.answer(answer(1))
        wait_for(lambda: outcomes(model, "ok")() == 3, 10, "three answers")

    assert client.asked == [b"door 1", b"door 5", b"yard 3"]
    assert metric("streamlens_model_frames_skipped_total", model) == 5


def test_an_answer_is_held_and_its_age_grows_until_it_is_forgotten(clock: Clock) -> None:
    client = HeldClient()
    client.answer(answer(2, 0.75))
    model = a_model(client)
    captured = clock.time_ns()
    results = (Result("goldfish", 0.75),)

    with running(model, client):
        model.offer(a_frame(17, captured=captured))
        wait_for(outcomes(model, "ok"), 10, "the answer")

    for passed, age in ((0.041, 41), (1.0, 1041), (8.959, 10_000)):
        clock.now += passed
        assert model.prediction("door") == Prediction(model.name, results, 17, age)
    clock.now += 0.001
    assert model.prediction("door") == Prediction(model.name)


def test_an_answer_belongs_to_its_camera(clock: Clock) -> None:
    client = HeldClient()
    client.answer(answer(1))
    client.answer(answer(3))
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(1, camera="door", captured=clock.time_ns()))
        model.offer(a_frame(9, camera="yard", captured=clock.time_ns()))
        wait_for(lambda: outcomes(model, "ok")() == 2, 10, "both answers")

    assert model.prediction("door") == Prediction(model.name, (Result("tench", 1.0),), 1, 0)
    assert model.prediction("yard") == Prediction(model.name, (Result("shark", 1.0),), 9, 0)
    assert model.prediction("roof") == Prediction(model.name)


def test_the_background_is_an_answer_without_results(clock: Clock) -> None:
    client = HeldClient()
    client.answer(answer(0))
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(4, captured=clock.time_ns()))
        wait_for(outcomes(model, "ok"), 10, "the answer")

    assert model.prediction("door") == Prediction(model.name, (), 4, 0)


def test_a_failure_keeps_the_last_answer(clock: Clock) -> None:
    client = HeldClient()
    model = a_model(client)

    with running(model, client):
        client.answer(answer(1))
        model.offer(a_frame(1, captured=clock.time_ns()))
        wait_for(outcomes(model, "ok"), 10, "the answer")
        client.answer(ModelError("timeout", "no answer"))
        model.offer(a_frame(2, captured=clock.time_ns()))
        wait_for(outcomes(model, "timeout"), 10, "the failure")

        assert model.prediction("door") == Prediction(model.name, (Result("tench", 1.0),), 1, 0)


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (ModelError("timeout", "no answer"), "timeout"),
        (ModelError("unreachable", "refused"), "unreachable"),
        (b"<html>", "nonsense"),
        (b'{"predictions": [{"classes": "a", "probabilities": {"a": 1}}]}', "nonsense"),
    ],
)
def test_after_a_failure_the_newest_frame_is_asked_about_without_a_restart(
    clock: Clock, trouble: bytes | Exception, kind: str
) -> None:
    client = HeldClient()
    client.answer(trouble)
    client.answer(answer(3))
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(1, captured=clock.time_ns()))
        wait_for(outcomes(model, kind), 10, "the failure")
        for seq in (2, 3):
            model.offer(a_frame(seq, captured=clock.time_ns()))
        wait_for(outcomes(model, "ok"), 10, "the answer")

    assert client.asked == [b"door 1", b"door 3"]
    assert model.prediction("door").results == (Result("shark", 1.0),)


def test_a_real_server_that_comes_back_is_asked_again(clock: Clock) -> None:
    answers = [reply(500, b"no"), reply(200, b"nonsense"), reply(404, b""), reply(200, answer(1))]

    with ScriptedServer(*answers) as server:
        model = a_model(Client(server.url, 10))
        with running(model):
            for seq in range(1, 5):
                model.offer(a_frame(seq, captured=clock.time_ns()))
                wait_for(lambda seq=seq: len(server.bodies) == seq, 10, f"question {seq}")  # type: ignore[misc]
            wait_for(outcomes(model, "ok"), 10, "the answer")

    assert model.prediction("door").seq == 4
    assert [outcomes(model, kind)() for kind in ("http_500", "nonsense", "http_404", "ok")] == [1, 1, 1, 1]


def waits_of(monkeypatch: pytest.MonkeyPatch, *answers: bytes | Exception) -> list[float]:
    """Return how long a model that is given these answers waits after each that fails, in s."""
    waits: list[float] = []

    class Event(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return self.is_set()

    client, frames = HeldClient(), iter([a_frame()] * len(answers))
    pulse = Pulse(Event())

    def take(_: float) -> Frame | None:
        if (frame := next(frames, None)) is None:
            pulse.stopping.set()
        return frame

    model = a_model(client)
    monkeypatch.setattr(model._frames, "take", take)
    for text in answers:
        client.answer(text)
    model.run(pulse)
    return waits


def test_a_model_that_keeps_failing_is_asked_ever_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = waits_of(monkeypatch, *[ModelError("unreachable", "refused")] * 8)

    assert waits == sorted(waits)
    assert waits[0] <= 0.2
    assert waits[-1] == 2.0


def test_after_an_answer_a_failure_is_the_first_again(monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = ModelError("unreachable", "refused")

    first, _, third, again = waits_of(monkeypatch, trouble, trouble, trouble, answer(1), trouble)

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

        assert client.asked == [b"door 1"]
        assert metric("streamlens_model_frames_skipped_total", model) == 999


def test_a_model_ends_when_told_to_and_beats_until_then() -> None:
    model = a_model(HeldClient())

    with running(model) as pulse:
        begun = pulse.last
        wait_for(lambda: pulse.last > begun, 10, "a heartbeat")


def test_frames_of_five_seconds_ago_give_an_age_of_five_seconds(clock: Clock) -> None:
    client = HeldClient()
    client.answer(answer(1))
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(1, captured=clock.time_ns() - 5 * SECOND))
        wait_for(outcomes(model, "ok"), 10, "the answer")

    assert model.prediction("door").age_ms == 5000


def test_a_camera_whose_frames_a_model_refuses_does_not_hold_up_the_others() -> None:
    client = HeldClient()
    model = a_model(client)

    with running(model, client):
        model.offer(a_frame(1, camera="bad"))
        client.answer(ModelError("http_400", "it answered 400: no picture"))
        wait_for(lambda: outcomes(model, "http_400")() == 1, 10, "the refusal")
        model.offer(a_frame(2, camera="bad"))
        for seq in range(1, 4):
            model.offer(a_frame(seq, camera="good"))
            client.answer(answer(1))
            wait_for(lambda seq=seq: outcomes(model, "ok")() == seq, 10, "an answer")  # type: ignore[misc]

    assert client.asked[:4] == [b"bad 1", b"good 1", b"good 2", b"good 3"]


def test_it_is_unready_once_its_answers_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.model.time", clock)
    client = HeldClient()
    model = a_model(client)
    with running(model, client):
        assert model.unready() is None

        model.offer(a_frame())
        client.answer(ModelError("http_404", "it answered 404"))
        wait_for(model.unready, 10, "a complaint")
        assert model.unready() == f"model {model.name}: it answered 404"

        client.answer(answer(1))
        model.offer(a_frame())
        wait_for(lambda: model.unready() is None, 10, "the answer")

        client.answer(ModelError("timeout", "no answer within 2 s"))
        model.offer(a_frame())
        wait_for(outcomes(model, "timeout"), 10, "the failure")
        assert model.unready() is None

        clock.now += FORGET_AFTER
        assert model.unready() == f"model {model.name}: no answer within 2 s"


def test_before_it_is_asked_it_is_ready_when_the_server_offers_it() -> None:
    client = HeldClient()
    model = a_model(client)

    client.lack = "it answered 404"
    assert model.unready() == f"model {model.name}: it answered 404"

    client.lack = None
    assert model.unready() is None

    client.lack = "never asked again"
    assert model.unready() is None


def test_once_there_is_nothing_to_ask_its_server_tells_whether_it_is_back(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumer.model.time", clock)
    client = HeldClient()
    client.lack = "connection refused"
    model = a_model(client)
    with running(model, client):
        model.offer(a_frame())
        client.answer(ModelError("timeout", "no answer within 2 s"))
        wait_for(outcomes(model, "timeout"), 10, "the failure")
    assert model.unready() == f"model {model.name}: no answer within 2 s"

    clock.now += 16
    assert model.unready() == f"model {model.name}: connection refused"

    client.lack = None
    assert model.unready() is None

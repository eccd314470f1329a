"""What is known about a model from its requests."""

import pytest

from consumer.model_health import ModelHealth
from pipeline.model_server.errors import UNREAD, ModelError
from tests.clock import Clock

TIMEOUT = ModelError("timeout", "no answer within 2 s")


def test_a_failing_model_is_not_ready_once_its_answers_are_too_old() -> None:
    clock = Clock()
    health = ModelHealth("imagenet_1", 10, clock.monotonic)
    health.answered(0.1)

    health.failed(TIMEOUT)
    while_answers_are_fresh = health.unready()
    clock.now += 10

    assert while_answers_are_fresh is None
    assert health.unready() == "model imagenet_1: no answer within 2 s"


def test_only_one_of_several_workers_looks_and_then_not_for_a_while() -> None:
    clock = Clock()
    health = ModelHealth("imagenet_1", 10, clock.monotonic)

    first = [health.time_to_look(), health.time_to_look()]
    health.looked("connection refused")
    clock.now += 2

    assert first == [True, False]
    assert health.time_to_look()
    health.looked(None)
    clock.now += 100
    assert not health.time_to_look()


def test_no_worker_looks_while_requests_are_made() -> None:
    clock = Clock()
    health = ModelHealth("imagenet_1", 10, clock.monotonic)

    health.asking(1)
    health.failed(TIMEOUT)
    clock.now += 15

    assert not health.time_to_look()
    clock.now += 1
    assert health.time_to_look()


def test_a_refused_frame_does_not_make_the_next_request_wait() -> None:
    health = ModelHealth("imagenet_1", 10)

    health.refused(ModelError("http_400", "no picture", refused=True))
    after_refusal = health.pause()
    health.failed(TIMEOUT)

    assert after_refusal == 0
    assert health.pause() > 0


def test_labels_that_are_about_to_be_read_are_not_logged_but_why_they_cannot_be_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    health = ModelHealth("imagenet_1", 10)

    health.failed(ModelError(UNREAD, "not read yet"))
    at_first = health.unready()
    health.failed(ModelError("labels", "the server answered 404"))

    assert at_first == "model imagenet_1: not read yet"
    assert caplog.messages == ["model imagenet_1: the server answered 404"]

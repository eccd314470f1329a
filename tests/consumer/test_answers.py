"""A model's answers, one per camera, and only while they are fresh."""

from consumer.answers import Answers
from pipeline.wire.predictions import Prediction, Result
from tests.clock import SECOND, Clock
from tests.consumer.fakes import a_frame

TENCH = (Result("tench", 1.0),)
SHARK = (Result("shark", 1.0),)


def test_the_answer_about_a_later_frame_wins_whichever_comes_first(clock: Clock) -> None:
    answers, now = Answers("imagenet_1", 10), clock.time_ns()

    answers.hold(a_frame(2, captured=now), SHARK)
    answers.hold(a_frame(1, captured=now - SECOND), TENCH)

    assert answers.prediction("door") == Prediction("imagenet_1", SHARK, 2, 0)


def test_an_answer_says_how_long_the_model_took(clock: Clock) -> None:
    answers = Answers("imagenet_1", 10)

    answers.hold(a_frame(2, captured=clock.time_ns()), SHARK, 0.0234)

    assert answers.prediction("door") == Prediction("imagenet_1", SHARK, 2, 0, 23)


def test_each_camera_has_its_own_answer_and_can_be_forgotten(clock: Clock) -> None:
    answers = Answers("imagenet_1", 10)
    for camera, results in (("door", TENCH), ("yard", SHARK)):
        answers.hold(a_frame(1, camera=camera, captured=clock.time_ns()), results)

    answers.forget("door")
    answers.forget("a camera that never was")

    assert answers.prediction("door") == Prediction("imagenet_1")
    assert answers.prediction("yard").results == SHARK


def test_cameras_that_come_and_go_do_not_pile_up(clock: Clock) -> None:
    answers = Answers("imagenet_1", 10)

    for number in range(500):
        clock.now += 1
        answers.hold(a_frame(1, camera=f"camera {number}", captured=clock.time_ns()), TENCH)

    assert len(answers._answers) <= 12
    assert answers.prediction("camera 499").results == TENCH
    assert answers.prediction("camera 490").results == TENCH


def test_a_slow_cameras_answer_stays_until_there_could_be_a_newer_one(clock: Clock) -> None:
    answers = Answers("imagenet_1", 10)
    first = a_frame(1, captured=clock.time_ns())
    answers.came(first)
    answers.hold(first, TENCH)

    clock.now += 30
    answers.came(a_frame(2, captured=clock.time_ns()))
    second = answers.prediction("door")
    clock.now += 30
    answers.came(a_frame(3, captured=clock.time_ns()))
    third = answers.prediction("door")

    assert second == Prediction("imagenet_1", TENCH, 1, 30_000)
    assert third == Prediction("imagenet_1")


def test_an_answer_does_not_stay_for_ever(clock: Clock) -> None:
    answers = Answers("imagenet_1", 10)
    first = a_frame(1, captured=clock.time_ns())
    answers.came(first)
    answers.hold(first, TENCH)

    clock.now += 121
    answers.came(a_frame(2, captured=clock.time_ns()))

    assert answers.prediction("door") == Prediction("imagenet_1")
